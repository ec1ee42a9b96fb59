UPDATE cart_product SET quantity = quantity - 1 WHERE id_cart % 5 = 0;
UPDATE basket SET extras = '{"box": {"name": "box", "pieces": 2}}' WHERE id_cart % 6 = 0;
DELETE FROM cart_product WHERE id_cart = 7;

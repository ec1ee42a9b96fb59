UPDATE cart_product SET quantity = quantity + 1 WHERE id_cart % 3 = 0;
UPDATE basket SET extras = '{"card": {"name": "wishes", "pieces": 3}, "box": {"name": "box", "pieces": 1}}' WHERE id_cart % 4 = 0;

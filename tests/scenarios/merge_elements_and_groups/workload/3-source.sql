UPDATE cart_product SET quantity = quantity + 4 WHERE id_cart BETWEEN 21 AND 30 AND id_address = 1;
UPDATE basket SET extras = '{"wrap": 1, "card": 9, "box": 1}' WHERE id_cart BETWEEN 15 AND 30;

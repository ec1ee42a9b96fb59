-- Carts 1 to 10 here alone, 11 to 30 here and there, 31 to 40 there alone.
UPDATE cart_product SET quantity = quantity + 2 WHERE id_cart <= 30 AND id_address = 1;
UPDATE basket SET extras = '{"card": 7, "wrap": 1}' WHERE id_cart <= 20;
-- The line of which the new shop has put more into the cart loses a part.
DELETE FROM cart_product WHERE id_cart BETWEEN 25 AND 30 AND id_address = 2;

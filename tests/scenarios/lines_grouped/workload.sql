UPDATE cart_product SET quantity = quantity + 1 WHERE id_cart % 3 = 0 AND id_address = 1;
-- A part of the line goes, and with the last one the line.
DELETE FROM cart_product WHERE id_cart IN (4, 5, 6) AND id_address = 2;
DELETE FROM cart_product WHERE id_cart = 5 AND id_product = 1;
DELETE FROM cart_product WHERE id_cart = 6;
INSERT INTO cart_product VALUES (6, 1, 0, 7, 3);
-- Into another group, some of them and all of them, and back.
UPDATE cart_product SET id_attribute = 9 WHERE id_cart IN (7, 8) AND id_address = 1;
UPDATE cart_product SET id_attribute = 9 WHERE id_cart = 8 AND id_address = 2;
UPDATE cart_product SET id_attribute = 9 WHERE id_cart = 10;
UPDATE cart_product SET id_attribute = 0 WHERE id_cart = 10;
-- Addresses are in the key of the rows and not in that of the lines.
UPDATE cart_product SET id_address = 3 WHERE id_cart % 4 = 3 AND id_address = 2;
UPDATE cart_product SET quantity = 0 WHERE id_cart = 12 AND id_product = 2;
UPDATE cart_product SET quantity = 0 WHERE id_cart = 13 AND id_product = 2 AND id_address = 1;
-- Into another cart.
DELETE FROM cart_product WHERE id_cart = 23 AND id_product = 1;
UPDATE cart_product SET id_cart = 23 WHERE id_cart = 22 AND id_product = 1;
UPDATE basket SET email = 'other' WHERE id_cart % 10 = 1;
INSERT INTO basket VALUES (99, 'new');
INSERT INTO cart_product VALUES (99, 1, 1, 1, 1), (99, 1, 1, 2, 2), (99, 1, 2, 1, 4);

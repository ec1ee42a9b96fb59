UPDATE cart_product SET id_attribute = 7 WHERE id_cart = 8 AND id_product = 1 AND id_attribute = 1;
UPDATE basket SET extras = NULL WHERE id_cart = 9;
UPDATE basket SET email = 'other' WHERE id_cart = 10;

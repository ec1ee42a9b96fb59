-- A sale in the new shop: three more of each, and another address.
BEGIN;
UPDATE cart_line SET quantity = quantity + 3 WHERE cart_id BETWEEN 11 AND 40;
UPDATE cart SET version = version + 1 WHERE cart_id BETWEEN 11 AND 40;
UPDATE cart SET customer_email = 'said in the new shop' WHERE cart_id BETWEEN 11 AND 20 OR cart_id BETWEEN 31 AND 40;
COMMIT;

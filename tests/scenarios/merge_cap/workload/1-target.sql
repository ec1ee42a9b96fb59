BEGIN;
UPDATE cart_line SET quantity = quantity + 4 WHERE cart_id BETWEEN 11 AND 20;
UPDATE cart_line SET quantity = 20 WHERE cart_id BETWEEN 21 AND 30;
UPDATE cart SET version = version + 1 WHERE cart_id BETWEEN 11 AND 30;
COMMIT;

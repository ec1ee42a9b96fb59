BEGIN;
UPDATE cart_line SET quantity = 2 WHERE cart_id BETWEEN 11 AND 40;
UPDATE cart SET version = version + 1 WHERE cart_id BETWEEN 11 AND 40;
COMMIT;

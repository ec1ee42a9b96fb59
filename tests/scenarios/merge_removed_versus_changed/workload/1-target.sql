BEGIN;
DELETE FROM cart_line WHERE cart_id BETWEEN 11 AND 20 OR cart_id BETWEEN 31 AND 40;
UPDATE cart_line SET quantity = quantity + 3 WHERE cart_id BETWEEN 21 AND 30;
UPDATE cart SET version = version + 1 WHERE cart_id BETWEEN 11 AND 40;
COMMIT;

BEGIN;
INSERT INTO cart_line SELECT 900000 + cart_id, cart_id, 'tea', 2, 1.50 FROM cart WHERE cart_id BETWEEN 11 AND 30;
UPDATE cart SET version = version + 1 WHERE cart_id BETWEEN 11 AND 30;
COMMIT;

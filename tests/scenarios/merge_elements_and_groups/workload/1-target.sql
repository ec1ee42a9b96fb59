-- Three more of each line, and one more of each extra.
BEGIN;
UPDATE cart_line SET quantity = quantity + 3 WHERE cart_id BETWEEN 11 AND 40;
UPDATE cart_extra SET quantity = quantity + 1 WHERE cart_id BETWEEN 11 AND 40;
UPDATE cart SET version = version + 1 WHERE id BETWEEN 11 AND 40;
COMMIT;

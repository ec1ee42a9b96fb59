BEGIN;
UPDATE cart_line SET quantity = quantity + 3 WHERE cart_id BETWEEN 11 AND 40;
UPDATE cart SET customer_email = 'said in the new shop', updated_at = '2026-03-01 12:00:00', version = version + 1
WHERE cart_id BETWEEN 11 AND 40;
COMMIT;

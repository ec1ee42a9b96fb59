-- The new shop writes as it always does: it bumps its own version.
UPDATE cart SET customer_email = 'edited in the new shop', version = version + 1 WHERE cart_id IN (10, 20);
UPDATE cart_line SET quantity = quantity + 3 WHERE cart_id BETWEEN 11 AND 19;
DELETE FROM cart_line WHERE cart_id = 30;
INSERT INTO cart_line SELECT 900000 + cart_id, cart_id, 'tea', 2, 1.50 FROM cart WHERE cart_id BETWEEN 40 AND 60;

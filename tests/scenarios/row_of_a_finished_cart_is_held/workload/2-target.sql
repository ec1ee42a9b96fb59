-- Bought in the new shop, with its lines.
UPDATE cart SET completed_at = now() WHERE cart_id = 10;

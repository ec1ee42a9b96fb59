-- Bought in the new shop.
UPDATE cart SET completed_at = now() WHERE cart_id IN (10, 20);

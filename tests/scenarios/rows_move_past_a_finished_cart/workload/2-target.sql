-- Two are bought in the new shop, one is thrown away there.
UPDATE cart SET completed_at = now() WHERE cart_id IN (10, 20);
DELETE FROM cart_line WHERE cart_id = 30;
DELETE FROM cart WHERE cart_id = 30;

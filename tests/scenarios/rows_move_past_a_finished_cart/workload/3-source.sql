-- Out of a cart that is bought, into one that is bought, out of one that is gone.
UPDATE order_lines SET order_id = 11 WHERE id = 101;
UPDATE order_lines SET order_id = 20 WHERE id = 211;
UPDATE order_lines SET order_id = 31 WHERE id = 301;

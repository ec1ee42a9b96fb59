-- The same, now that it is known of these carts.
UPDATE order_lines SET order_id = 12 WHERE id = 102;
UPDATE order_lines SET order_id = 20 WHERE id = 221;
UPDATE order_lines SET order_id = 32 WHERE id = 302;
UPDATE order_lines SET qty = 5 WHERE id IN (113, 123, 213, 223, 313, 323);

UPDATE order_lines SET qty = 4 WHERE order_id <= 100;
UPDATE orders SET email = 'first' WHERE id = 150;

UPDATE order_lines SET qty = 5 WHERE order_id <= 30;
UPDATE orders SET email = 'pending' WHERE id = 10;
UPDATE order_lines SET qty = 6 WHERE order_id BETWEEN 20 AND 25;

UPDATE order_lines SET qty = 5 WHERE order_id = 10;
UPDATE order_lines SET qty = 5 WHERE order_id BETWEEN 30 AND 40;

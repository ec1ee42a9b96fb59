UPDATE order_lines SET qty = 1 WHERE order_id BETWEEN 11 AND 20;
UPDATE order_lines SET qty = 2 WHERE order_id BETWEEN 21 AND 30;
UPDATE order_lines SET qty = 4 WHERE order_id BETWEEN 31 AND 40;

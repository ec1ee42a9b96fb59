UPDATE order_lines SET qty = qty + 3 WHERE order_id BETWEEN 11 AND 20;
UPDATE order_lines SET qty = qty + 1 WHERE order_id BETWEEN 21 AND 30;
UPDATE order_lines SET qty = 50 WHERE order_id BETWEEN 31 AND 40;

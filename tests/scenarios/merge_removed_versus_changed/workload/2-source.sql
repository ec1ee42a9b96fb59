UPDATE order_lines SET qty = qty + 1 WHERE order_id BETWEEN 11 AND 20;
DELETE FROM order_lines WHERE order_id BETWEEN 21 AND 40;

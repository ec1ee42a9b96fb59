UPDATE order_lines SET qty = 4 WHERE order_id <= 100;

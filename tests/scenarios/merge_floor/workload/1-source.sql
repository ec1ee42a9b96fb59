UPDATE order_lines SET qty = 5;

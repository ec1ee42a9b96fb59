UPDATE order_lines SET qty = qty + 1 WHERE sku = 'tea' AND id % 10 = 5 AND order_id <= 15;

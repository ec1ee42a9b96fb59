UPDATE order_lines SET qty = qty + 1 WHERE order_id % 3 = 0;
UPDATE orders SET state = 'address' WHERE id % 10 = 1;

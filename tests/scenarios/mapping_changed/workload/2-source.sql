UPDATE order_lines SET qty = qty + 1 WHERE order_id % 4 = 0;
UPDATE orders SET email = NULL WHERE id % 7 = 0;
UPDATE orders SET email = 'x' || email WHERE id % 5 = 0;
DELETE FROM orders WHERE id BETWEEN 50 AND 60;

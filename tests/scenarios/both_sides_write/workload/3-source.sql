UPDATE order_lines SET qty = 5 WHERE order_id <= 30;
UPDATE orders SET email = 'pending' WHERE id = 10;
UPDATE order_lines SET qty = 6 WHERE order_id BETWEEN 20 AND 25;
INSERT INTO order_lines SELECT id * 10 + 4, id, 'tea', 1, 1.50 FROM orders WHERE id BETWEEN 50 AND 70;
DELETE FROM order_lines WHERE id = 191;

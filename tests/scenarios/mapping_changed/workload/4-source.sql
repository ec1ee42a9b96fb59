UPDATE orders SET comment = comment || '!' WHERE id % 6 = 0;
UPDATE order_lines SET price = price + 1 WHERE order_id % 2 = 0;
INSERT INTO orders VALUES (1001, 'n@example.org', 'CHF', 'new', 'cart');
INSERT INTO order_lines VALUES (10011, 1001, 'sku-n', 4, 2.50);
DELETE FROM order_lines WHERE id % 10 = 3 AND order_id > 300;
UPDATE orders SET state = 'complete' WHERE id % 13 = 0;

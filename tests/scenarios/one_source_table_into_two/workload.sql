UPDATE orders SET street = NULL WHERE id % 4 = 0;
UPDATE orders SET street = id || ' Low Street', city = 'Village' WHERE id % 5 = 0;
INSERT INTO orders (id, email, currency, street) VALUES (700, 'x@example.org', 'EUR', '1 New Street');
INSERT INTO order_lines VALUES (7001, 700, 'x', 1, 1.00);
UPDATE orders SET city = NULL WHERE id = 2;
DELETE FROM orders WHERE id = 6;
UPDATE orders SET street = NULL WHERE id = 700;
UPDATE orders SET street = 'back' WHERE id = 700;

UPDATE orders SET email = 'second' || id || '@example.com' WHERE id <= 50;
UPDATE order_lines SET qty = qty * 2;
INSERT INTO orders (id, email, currency) VALUES (800, 'first@example.org', 'EUR');
INSERT INTO order_lines VALUES (8001, 800, 'x', 2, 2.50);

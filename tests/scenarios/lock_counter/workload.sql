UPDATE order_lines SET qty = qty + 1 WHERE order_id % 3 = 0;
UPDATE orders SET email = 'new-' || email WHERE id % 7 = 0;
INSERT INTO order_lines SELECT 100000 + id, id, 'late', 1, 9.99 FROM orders WHERE id % 4 = 1 AND id <= 200;
BEGIN;
INSERT INTO orders (id, email, currency) VALUES (500, 'born@example.org', 'USD');
INSERT INTO order_lines VALUES (5001, 500, 'first', 1, 1.00), (5002, 500, 'second', 2, 2.00);
COMMIT;
DELETE FROM order_lines WHERE order_id % 5 = 0 AND sku = 'sku-2';
-- for i in 1..=200
BEGIN;
UPDATE order_lines SET qty = qty + 1 WHERE id = {i} * 10 + 1;
UPDATE orders SET currency = CASE WHEN {i} % 2 = 0 THEN 'USD' ELSE 'GBP' END WHERE id = {i};
COMMIT;
-- end
DELETE FROM order_lines WHERE order_id = 11;
DELETE FROM orders WHERE id IN (12, 13);
UPDATE orders SET email = NULL WHERE id = 14;
INSERT INTO orders (id, email, currency) VALUES (12, 'again@example.org', 'EUR');
INSERT INTO order_lines VALUES (121, 12, 'again', 3, 3.00);
UPDATE order_lines SET price = price * 1.1 WHERE order_id BETWEEN 20 AND 60;

-- for i in 1001..=1200
BEGIN;
INSERT INTO orders (id, email, currency) VALUES ({i}, 'b{i}@example.org', 'EUR');
INSERT INTO order_lines VALUES ({i} * 10, {i}, 'one', 1, 1.00), ({i} * 10 + 1, {i}, 'two', 2, 2.00);
COMMIT;
BEGIN;
UPDATE order_lines SET qty = qty + 1 WHERE order_id = {i};
COMMIT;
-- end
DELETE FROM orders WHERE id > 1150;

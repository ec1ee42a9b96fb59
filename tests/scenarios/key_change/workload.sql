UPDATE orders SET id = id + 1000 WHERE id <= 10;
UPDATE order_lines SET id = id + 500000 WHERE order_id BETWEEN 20 AND 30;
UPDATE orders SET id = 2000 WHERE id = 1001;
UPDATE orders SET id = 1001 WHERE id = 1002;
UPDATE orders SET id = 1002 WHERE id = 2000;
BEGIN;
UPDATE orders SET id = 3000, email = 'rekeyed@example.org' WHERE id = 50;
UPDATE order_lines SET qty = 9 WHERE order_id = 3000;
INSERT INTO order_lines VALUES (30009, 3000, 'with the new key', 1, 1.00);
COMMIT;
INSERT INTO orders (id, email, currency) VALUES (50, 'the next one', 'EUR');
INSERT INTO order_lines VALUES (5099, 50, 'the next one', 1, 1.00);
-- for i in 1..=40
BEGIN;
UPDATE orders SET id = 4000 + {i} WHERE id = CASE {i} WHEN 1 THEN 60 ELSE 3999 + {i} END;
COMMIT;
-- end

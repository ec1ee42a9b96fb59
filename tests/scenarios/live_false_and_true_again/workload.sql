UPDATE orders SET status = 'bought' WHERE id BETWEEN 1 AND 30;
UPDATE orders SET status = 'open' WHERE id BETWEEN 10 AND 20;
UPDATE order_lines SET qty = 77 WHERE order_id = 5;
UPDATE orders SET status = 'open' WHERE id = 5;
UPDATE orders SET status = 'open' WHERE id BETWEEN 160 AND 170;
BEGIN;
UPDATE orders SET status = 'bought' WHERE id = 100;
UPDATE order_lines SET qty = 100 WHERE order_id = 100;
UPDATE orders SET status = 'open' WHERE id = 100;
COMMIT;
UPDATE order_lines SET qty = 88 WHERE order_id = 180;
INSERT INTO order_lines VALUES (18099, 180, 'into a closed one', 1, 1);
UPDATE orders SET status = 'open' WHERE id = 180;
-- for i in 1..=50
BEGIN;
UPDATE orders SET status = CASE {i} % 2 WHEN 1 THEN 'bought' ELSE 'open' END WHERE id = 40;
UPDATE order_lines SET qty = {i} WHERE order_id = 40;
COMMIT;
-- end
INSERT INTO orders VALUES (600, 'never open', 'EUR', 'bought');
INSERT INTO order_lines VALUES (6001, 600, 'x', 1, 1);
DELETE FROM orders WHERE id = 190;

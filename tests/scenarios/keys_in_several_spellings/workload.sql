-- A cart that is born with lines that spell its key in their own way.
INSERT INTO orders VALUES ('US', 7, '00000000-0000-0000-0000-00000000a007', 'us7');
INSERT INTO order_lines VALUES (9001.00, 'US', 7.000, '00000000-0000-0000-0000-00000000a007', 'new');
INSERT INTO options VALUES (9001, 9001.0000, 'wrap');
INSERT INTO order_lines VALUES (9002, 'EU', 5.0, '00000000-0000-0000-0000-000000000005', 'more');
-- The same key, written differently: nothing has moved.
UPDATE orders SET number = 3.0000 WHERE number = 3;
UPDATE order_lines SET number = 4 WHERE number = 4;
UPDATE order_lines SET id = 61.00, sku = 'respelled' WHERE id = 61;
UPDATE options SET line_id = 71.000 WHERE line_id = 71;
UPDATE options SET code = 'card' WHERE id IN (6, 7, 8);
-- A real move, and ends.
UPDATE order_lines SET number = 11.000, token = '00000000-0000-0000-0000-000000000011' WHERE id = 101;
DELETE FROM order_lines WHERE id = 202.0;
DELETE FROM orders WHERE number = 30.00;
UPDATE orders SET email = 'changed' WHERE number BETWEEN 1 AND 9;

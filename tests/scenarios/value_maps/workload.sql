-- Known, not known, and known again; a row that was left out comes, and one that was there goes.
UPDATE order_lines SET kind = 'virtual' WHERE id % 5 = 0;
UPDATE order_lines SET kind = 'bundle' WHERE id % 10 = 0;
UPDATE order_lines SET kind = 'bundle' WHERE id % 10 = 1;
INSERT INTO order_lines VALUES (9999, 7, 'simple', 3);
INSERT INTO order_lines VALUES (9998, 7, 'virtual', 1.5);
UPDATE orders SET region = 9 WHERE id % 3 = 0;
UPDATE orders SET region = 2 WHERE id % 9 = 0;
UPDATE orders SET gift = 'perhaps' WHERE id % 4 = 0;
UPDATE orders SET status = 'waiting' WHERE id % 6 = 0;
UPDATE orders SET meta = replace(meta, 's:2:"c3"', 's:5:"green"');
-- Held: no map knows this, a quantity has a fraction. One of them is known again.
UPDATE orders SET status = 'lost' WHERE id = 5;
UPDATE orders SET status = 'lost' WHERE id = 11;
UPDATE order_lines SET qty = 1.5 WHERE id = 81;
UPDATE orders SET status = 'waiting' WHERE id = 11;
DELETE FROM order_lines WHERE id % 10 = 3;

-- A guest fills a cart, logs in, and comes again under another session; each statement commits alone.
-- for i in 1..=25
INSERT INTO oc_cart VALUES (20000 + {i} * 10, 0, 0, 'new{i}', 7, 1, '2026-05-01 10:00:00');
INSERT INTO oc_cart VALUES (20001 + {i} * 10, 0, 0, 'new{i}', 8, 1, '2026-05-01 10:00:00');
UPDATE oc_cart SET quantity = quantity + 1 WHERE customer_id = 0 AND session_id = 'new{i}' AND product_id = 7;
UPDATE oc_cart SET customer_id = 1000 + {i} WHERE customer_id = 0 AND session_id = 'new{i}';
UPDATE oc_cart SET session_id = 'again{i}', date_added = '2026-05-02 10:00:00' WHERE customer_id = 1000 + {i};
UPDATE oc_cart SET session_id = 'again{i}', date_added = '2026-05-03 10:00:00' WHERE customer_id = 1000 + {i};
INSERT INTO oc_cart VALUES (20002 + {i} * 10, 0, 1000 + {i}, 'again{i}', 9, 3, '2026-05-03 10:00:00');
UPDATE oc_cart SET session_id = 'third{i}', date_added = '2026-05-04 10:00:00' WHERE customer_id = 1000 + {i};
-- end
-- The known customers come again, one page view each; half of them change their session.
-- for i in 1..=40
UPDATE oc_cart SET session_id = 't{i}', date_added = '2026-05-05 10:00:00' WHERE customer_id = {i};
UPDATE oc_cart SET date_added = '2026-05-06 10:00:00' WHERE customer_id = {i};
-- end
-- A guest's lines join those of a customer, all of them or one.
-- for i in 41..=60
UPDATE oc_cart SET store_id = 0, customer_id = {i}, session_id = 's{i}' WHERE customer_id = 0 AND session_id = concat('g', 200 + {i});
UPDATE oc_cart SET store_id = 1, customer_id = {i} + 20, session_id = concat('s', {i} + 20) WHERE cart_id = ({i} + 220) * 10 + 1;
-- end
-- A guest's lines are taken out, and put in again under new ids.
-- for i in 1..=10
BEGIN;
DELETE FROM oc_cart WHERE customer_id = 0 AND session_id = concat('g', 300 + {i});
INSERT INTO oc_cart VALUES (30000 + {i}, 1, 2000 + {i}, 'in{i}', 1, 5, '2026-05-01 10:00:00');
COMMIT;
-- end
-- The last line goes, and another comes; at once, or within one transaction.
-- for i in 81..=100
DELETE FROM oc_cart WHERE customer_id = {i} AND product_id = 1;
DELETE FROM oc_cart WHERE customer_id = {i};
INSERT INTO oc_cart VALUES (40000 + {i}, {i} % 2, {i}, 's{i}', 4, 4, '2026-05-01 10:00:00');
BEGIN;
DELETE FROM oc_cart WHERE customer_id = {i} + 20;
INSERT INTO oc_cart VALUES (50000 + {i}, {i} % 2, {i} + 20, concat('s', {i} + 20), 5, 5, '2026-05-01 10:00:00');
COMMIT;
-- end
-- Customers whose lines stand under two sessions get one.
INSERT INTO oc_cart VALUES (60001, 0, 61, 'elsewhere', 6, 6, '2026-05-01 10:00:00');
UPDATE oc_cart SET session_id = 'one', store_id = 0 WHERE customer_id = 61;
-- A row of nobody becomes somebody's, and another's becomes nobody's.
UPDATE oc_cart SET session_id = 's62', customer_id = 62 WHERE cart_id = 9001;
UPDATE oc_cart SET session_id = NULL WHERE customer_id = 63;
UPDATE oc_cart SET customer_id = 62 WHERE cart_id = 9002;
-- The old guests' carts expire in one statement, at the next page view.
DELETE FROM oc_cart WHERE customer_id = 0 AND date_added < '2026-02-10';
-- The last one goes for good.
DELETE FROM oc_cart WHERE customer_id = 70;
-- A line changes its own key.
UPDATE oc_cart SET cart_id = 70001 WHERE cart_id = 712;

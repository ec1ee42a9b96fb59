-- Every page that somebody looks at: what guests left long ago is deleted, all rows of the customer
-- get the session and the time of now, and a guest's rows become hers.
DELETE FROM oc_cart WHERE customer_id = 0 AND date_added < '2026-01-01';
UPDATE oc_cart SET session_id = left(md5(1), 26), date_added = '2026-04-01 10:00:00' WHERE customer_id = 1;
-- She puts in another thing, and the same one again; nothing is in one transaction.
INSERT INTO oc_cart (cart_id, store_id, customer_id, session_id, product_id, `option`, quantity, date_added) VALUES (1001, 1, 1, left(md5(1), 26), 7, '[]', 1, '2026-04-01 10:00:01');
UPDATE oc_cart SET quantity = quantity + 2 WHERE cart_id = 1001;
DELETE FROM oc_cart WHERE customer_id = 0 AND date_added < '2026-01-01';
UPDATE oc_cart SET session_id = left(md5(1), 26), date_added = '2026-04-01 10:00:05' WHERE customer_id = 1;
-- Another comes back in another session: her whole cart is under another key.
UPDATE oc_cart SET session_id = 'another-session-of-2', date_added = '2026-04-01 10:01:00' WHERE customer_id = 2;
UPDATE oc_cart SET session_id = 'another-session-of-3', date_added = '2026-04-01 10:01:00' WHERE customer_id = 3;
INSERT INTO oc_cart (cart_id, store_id, customer_id, session_id, product_id, `option`, quantity, date_added) VALUES (1002, 1, 3, 'another-session-of-3', 8, '[]', 4, '2026-04-01 10:01:01');
-- A new guest.
INSERT INTO oc_cart (cart_id, store_id, customer_id, session_id, product_id, `option`, quantity, date_added) VALUES (1003, 0, 0, 'a-new-guest', 2, '{"226":"16"}', 1, '2026-04-01 10:02:00');
INSERT INTO oc_cart (cart_id, store_id, customer_id, session_id, product_id, `option`, quantity, date_added) VALUES (1004, 0, 0, 'a-new-guest', 2, '{"226":"17"}', 1, '2026-04-01 10:02:01');
-- She logs in (4.x): first her older rows get this session, then the guest's become hers.
UPDATE oc_cart SET session_id = 'a-new-guest', date_added = '2026-04-01 10:03:00' WHERE customer_id = 4;
UPDATE oc_cart SET customer_id = 4 WHERE customer_id = 0 AND session_id = 'a-new-guest';
-- 3.0 deletes each row, and puts it in again under her name, added up.
UPDATE oc_cart SET session_id = left(md5(30), 26), date_added = '2026-04-01 10:04:00' WHERE customer_id = 5;
DELETE FROM oc_cart WHERE cart_id = 300;
UPDATE oc_cart SET quantity = quantity + 1 WHERE cart_id = 50;
DELETE FROM oc_cart WHERE cart_id = 301;
INSERT INTO oc_cart (cart_id, store_id, customer_id, session_id, product_id, `option`, quantity, date_added) VALUES (1005, 1, 5, left(md5(30), 26), 12, '{"226":"15"}', 2, '2026-04-01 10:04:01');
-- Customers change their minds; a cart goes with its last row.
UPDATE oc_cart SET quantity = 9 WHERE cart_id = 60;
DELETE FROM oc_cart WHERE cart_id = 61;
DELETE FROM oc_cart WHERE cart_id = 70;
UPDATE oc_cart SET quantity = 0 WHERE cart_id = 91;
-- Empty, and filled again in the same session.
DELETE FROM oc_cart WHERE cart_id = 80;
INSERT INTO oc_cart (cart_id, store_id, customer_id, session_id, product_id, `option`, quantity, date_added) VALUES (1006, 0, 8, left(md5(8), 26), 10, '[]', 1, '2026-04-01 10:05:00');
-- Ordered: all of the cart is deleted in one statement.
DELETE FROM oc_cart WHERE customer_id = 12;
DELETE FROM oc_cart WHERE store_id = 1 AND customer_id = 0 AND session_id = left(md5(33), 26);
-- A customer who cannot stop looking.
-- for i in 1..=30
DELETE FROM oc_cart WHERE customer_id = 0 AND date_added < '2026-01-01';
UPDATE oc_cart SET session_id = left(md5(15), 26), date_added = '2026-04-01 11:00:00' + INTERVAL {i} SECOND WHERE customer_id = 15;
UPDATE oc_cart SET quantity = {i} WHERE cart_id = 150;
-- end
-- Guests' rows expire, all of some and not all of others.
UPDATE oc_cart SET date_added = '2026-05-01' WHERE cart_id IN (420, 451, 500);
DELETE FROM oc_cart WHERE customer_id = 0 AND session_id <> 'a-new-guest' AND date_added < '2026-03-03 05:00:00';

-- Each save of WooCommerce writes the whole session, at the end of a request.
INSERT INTO meant VALUES (1, md5('42'), 42, 0, '', 2, 24.5);
INSERT INTO wp_woocommerce_sessions (session_key, session_value, session_expiry) SELECT session_key, session_value, 1800000001 FROM session_php WHERE session_key = '1' ON DUPLICATE KEY UPDATE session_value = VALUES(session_value), session_expiry = VALUES(session_expiry);
-- A logged-in user's second copy, which is no cart.
INSERT INTO wp_usermeta (user_id, meta_key, meta_value) VALUES (1, '_woocommerce_persistent_cart_1', 'a:1:{s:4:"cart";a:0:{}}');
-- A new guest, first without a cart.
INSERT INTO wp_woocommerce_sessions (session_key, session_value, session_expiry) VALUES ('t_1010101010101010101010101010ab', 'a:1:{s:8:"customer";s:6:"a:0:{}";}', 1800000000);
INSERT INTO visitor VALUES ('t_1010101010101010101010101010ab', 'new@example.org', '');
INSERT INTO meant VALUES ('t_1010101010101010101010101010ab', md5('12_35'), 12, 35, 'l', 1, 20);
INSERT INTO wp_woocommerce_sessions (session_key, session_value, session_expiry) SELECT session_key, session_value, 1800000001 FROM session_php WHERE session_key = 't_1010101010101010101010101010ab' ON DUPLICATE KEY UPDATE session_value = VALUES(session_value), session_expiry = VALUES(session_expiry);
-- She logs in: her session is written under her number, with what she had saved, and the guest's is deleted.
INSERT INTO visitor VALUES (21, 'new@example.org', '');
INSERT INTO meant SELECT 21, item_key, product_id, variation_id, size, quantity, subtotal FROM meant WHERE session_key = 't_1010101010101010101010101010ab';
INSERT INTO meant VALUES (21, md5('41'), 41, 0, '', 1, 6);
INSERT INTO wp_woocommerce_sessions (session_key, session_value, session_expiry) SELECT session_key, session_value, 1800000001 FROM session_php WHERE session_key = '21' ON DUPLICATE KEY UPDATE session_value = VALUES(session_value), session_expiry = VALUES(session_expiry);
DELETE FROM visitor WHERE session_key = 't_1010101010101010101010101010ab';
DELETE FROM meant WHERE session_key = 't_1010101010101010101010101010ab';
DELETE FROM wp_woocommerce_sessions WHERE session_key = 't_1010101010101010101010101010ab';
-- A quantity, half a metre, a removal, another coupon, another address.
UPDATE meant SET quantity = 7, subtotal = 70 WHERE session_key = '2' AND item_key = md5('41');
INSERT INTO meant VALUES (2, md5('43'), 43, 0, '', 1.5, 10);
INSERT INTO wp_woocommerce_sessions (session_key, session_value, session_expiry) SELECT session_key, session_value, 1800000001 FROM session_php WHERE session_key = '2' ON DUPLICATE KEY UPDATE session_value = VALUES(session_value), session_expiry = VALUES(session_expiry);
DELETE FROM meant WHERE session_key = '4' AND item_key = md5('12_34');
UPDATE visitor SET coupon = 'May "10"', email = 'Other4@example.org' WHERE session_key = '4';
INSERT INTO wp_woocommerce_sessions (session_key, session_value, session_expiry) SELECT session_key, session_value, 1800000001 FROM session_php WHERE session_key = '4' ON DUPLICATE KEY UPDATE session_value = VALUES(session_value), session_expiry = VALUES(session_expiry);
-- Ordered: the cart is empty, and then it is not.
DELETE FROM meant WHERE session_key IN ('6', '7');
INSERT INTO wp_woocommerce_sessions (session_key, session_value, session_expiry) SELECT session_key, session_value, 1800000001 FROM session_php WHERE session_key IN ('6', '7') ON DUPLICATE KEY UPDATE session_value = VALUES(session_value), session_expiry = VALUES(session_expiry);
INSERT INTO meant VALUES (7, md5('12_34'), 12, 34, 'm', 3, 59.7);
INSERT INTO wp_woocommerce_sessions (session_key, session_value, session_expiry) SELECT session_key, session_value, 1800000001 FROM session_php WHERE session_key = '7' ON DUPLICATE KEY UPDATE session_value = VALUES(session_value), session_expiry = VALUES(session_expiry);
-- Very old versions replaced the row.
UPDATE meant SET quantity = 2, subtotal = 39.8 WHERE session_key = '8';
REPLACE INTO wp_woocommerce_sessions (session_key, session_value, session_expiry) SELECT session_key, session_value, 1800000001 FROM session_php WHERE session_key = '8';
-- A session lives longer, and so do all.
UPDATE wp_woocommerce_sessions SET session_expiry = 1800000500 WHERE session_key = '9';
UPDATE wp_woocommerce_sessions SET session_expiry = session_expiry + 10 WHERE session_id < 1000;
-- A customer who cannot stop.
-- for i in 1..=30
UPDATE meant SET quantity = {i}, subtotal = {i} * 19.9 WHERE session_key = '11' AND item_key = md5('12_34');
INSERT INTO wp_woocommerce_sessions (session_key, session_value, session_expiry) SELECT session_key, session_value, 1800000001 FROM session_php WHERE session_key = '11' ON DUPLICATE KEY UPDATE session_value = VALUES(session_value), session_expiry = VALUES(session_expiry);
-- end
-- Guests' sessions expire in one statement.
UPDATE wp_woocommerce_sessions SET session_expiry = 5 WHERE session_key > 't_8' AND session_key LIKE 't%';
DELETE FROM meant WHERE session_key IN (SELECT session_key FROM wp_woocommerce_sessions WHERE session_expiry < 10);
DELETE FROM wp_woocommerce_sessions WHERE session_expiry < 10;

-- An item is put into a cart: one transaction, with five images of the order.
BEGIN;
INSERT INTO spree_line_items (id, variant_id, order_id, quantity, price, created_at, updated_at, currency) VALUES (1003, 7, 1, 2, 19.95, now(), now(), 'EUR');
UPDATE spree_orders SET updated_at = now() WHERE id = 1;
UPDATE spree_line_items SET price = 18.95, pre_tax_amount = 37.90, updated_at = now() WHERE id = 1003;
INSERT INTO spree_adjustments (adjustable_type, adjustable_id, amount, label, created_at, updated_at, order_id) VALUES ('Spree::LineItem', 1003, -1, 'Promotion', now(), now(), 1);
UPDATE spree_orders SET item_total = 50, item_count = 5, total = 50, updated_at = now() WHERE id = 1;
UPDATE spree_orders SET adjustment_total = -1, promo_total = -1, total = 49, updated_at = now() WHERE id = 1;
UPDATE spree_line_items SET adjustment_total = -1, promo_total = -1 WHERE id = 1003;
UPDATE spree_orders SET state = 'cart', updated_at = now() WHERE id = 1;
COMMIT;
-- A new guest's cart.
INSERT INTO spree_orders (id, number, state, created_at, updated_at, currency, token, store_id) VALUES (101, 'R200000101', 'cart', now(), now(), 'USD', 'token-of-a-guest-101-abcdefghijklmn', 1);
BEGIN;
INSERT INTO spree_line_items (id, variant_id, order_id, quantity, price, created_at, updated_at, currency) VALUES (10101, 2, 101, 1, 5, now(), now(), 'USD');
UPDATE spree_orders SET updated_at = now() WHERE id = 101;
UPDATE spree_orders SET item_total = 5, item_count = 1, total = 5, updated_at = now() WHERE id = 101;
UPDATE spree_orders SET total = 5, updated_at = now() WHERE id = 101;
COMMIT;
-- A login: the guest's cart (30) goes into the user's (5). What both have is added up, and the
-- guest's line goes; the other line changes its order; the guest's order is deleted.
BEGIN;
UPDATE spree_line_items SET variant_id = 3, quantity = 1 WHERE id = 51;
UPDATE spree_line_items SET variant_id = 3, quantity = 2 WHERE id = 301;
COMMIT;
BEGIN;
UPDATE spree_line_items SET quantity = quantity + 2, updated_at = now() WHERE id = 51;
DELETE FROM spree_line_items WHERE id = 301;
UPDATE spree_line_items SET order_id = 5, updated_at = now() WHERE id = 302;
UPDATE spree_orders SET item_count = 6, updated_at = now() WHERE id = 5;
DELETE FROM spree_orders WHERE id = 30;
UPDATE spree_orders SET total = 60, updated_at = now() WHERE id = 5;
COMMIT;
-- Two older carts of a user follow, one of them empty; each is another transaction.
BEGIN;
UPDATE spree_line_items SET order_id = 5 WHERE order_id = 31;
DELETE FROM spree_orders WHERE id = 31;
UPDATE spree_orders SET updated_at = now() WHERE id = 5;
COMMIT;
BEGIN;
DELETE FROM spree_line_items WHERE order_id = 32;
DELETE FROM spree_orders WHERE id = 32;
COMMIT;
-- A guest registers: the order is the user's, with what was known.
UPDATE spree_orders SET user_id = 21, email = 'User21@example.org', updated_at = now() WHERE id = 33;
UPDATE spree_orders SET user_id = 24, email = 'user24@example.org', updated_at = now() WHERE id = 34;
-- The checkout: an address for both, then one of its own to ship to, then back to the cart.
BEGIN;
INSERT INTO spree_addresses (id, firstname, lastname, address1, city, zipcode, country_id, created_at, updated_at) VALUES (201, 'Grace', 'H', '1 Dock', 'Berlin', '10115', 2, now(), now());
UPDATE spree_orders SET bill_address_id = 201, ship_address_id = 201, state = 'address', updated_at = now() WHERE id = 2;
COMMIT;
UPDATE spree_orders SET state = 'delivery', state_lock_version = 1, updated_at = now() WHERE id = 2;
BEGIN;
INSERT INTO spree_addresses (id, firstname, lastname, address1, city, zipcode, country_id, state_id, created_at, updated_at) VALUES (202, 'Grace', 'Office', '2 Dock', 'Albany', '12201', 1, 1, now(), now());
UPDATE spree_orders SET ship_address_id = 202, updated_at = now() WHERE id = 2;
COMMIT;
UPDATE spree_orders SET state = 'cart', special_instructions = 'Leave it at the door', updated_at = now() WHERE id = 2;
-- The shipping address is taken away, and both.
UPDATE spree_orders SET ship_address_id = NULL, updated_at = now() WHERE id = 3;
UPDATE spree_orders SET ship_address_id = NULL, bill_address_id = NULL, updated_at = now() WHERE id = 6;
-- Orders: one at once, one step by step, one that is canceled before it was ever placed.
BEGIN;
UPDATE spree_orders SET state = 'complete', completed_at = now(), status = 'placed', updated_at = now() WHERE id = 35;
UPDATE spree_orders SET payment_state = 'paid', updated_at = now() WHERE id = 35;
COMMIT;
UPDATE spree_orders SET state = 'payment', updated_at = now() WHERE id = 36;
UPDATE spree_orders SET state = 'confirm', updated_at = now() WHERE id = 36;
UPDATE spree_orders SET state = 'complete', completed_at = now(), status = 'placed', updated_at = now() WHERE id = 36;
UPDATE spree_orders SET state = 'canceled', updated_at = now() WHERE id = 37;
-- After its order, lines change no more in Saleor.
UPDATE spree_line_items SET quantity = 99 WHERE order_id IN (35, 51);
-- Customers change their minds.
UPDATE spree_line_items SET quantity = 4, updated_at = now() WHERE id = 71;
UPDATE spree_line_items SET quantity = 0 WHERE id = 82;
DELETE FROM spree_line_items WHERE id = 91;
BEGIN;
DELETE FROM spree_line_items WHERE order_id = 10;
UPDATE spree_orders SET item_count = 0, total = 0, updated_at = now() WHERE id = 10;
COMMIT;
UPDATE spree_line_items SET variant_id = 13 WHERE id = 111;
UPDATE spree_orders SET currency = 'EUR', locale = 'fr', public_metadata = '{"gift": "no"}', updated_at = now() WHERE id = 12;
-- A line that goes from one cart to the next, and back.
-- for i in 1..=8
UPDATE spree_line_items SET order_id = 14 + {i} % 2, updated_at = now() WHERE id = 141;
-- end
-- A customer who cannot stop, each time all of it.
-- for i in 1..=30
BEGIN;
UPDATE spree_line_items SET quantity = {i}, updated_at = now() WHERE id = 161;
UPDATE spree_orders SET updated_at = now() WHERE id = 16;
UPDATE spree_orders SET item_count = {i}, updated_at = now() WHERE id = 16;
UPDATE spree_orders SET total = {i}, updated_at = now() WHERE id = 16;
COMMIT;
-- end
-- Old carts are destroyed, one by one.
-- for i in 40..=49
BEGIN;
DELETE FROM spree_line_items WHERE order_id = {i};
DELETE FROM spree_orders WHERE id = {i};
COMMIT;
-- end

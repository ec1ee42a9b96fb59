-- They go on in Spree: what Saleor has computed expires again.
BEGIN;
UPDATE spree_line_items SET quantity = 6, updated_at = now() WHERE id = 72;
UPDATE spree_orders SET item_count = 7, updated_at = now() WHERE id = 7;
COMMIT;
BEGIN;
DELETE FROM spree_line_items WHERE id = 81;
UPDATE spree_orders SET updated_at = now() WHERE id = 8;
COMMIT;
BEGIN;
INSERT INTO spree_line_items (id, variant_id, order_id, quantity, price, created_at, updated_at, currency) VALUES (1604, 4, 16, 1, 3.50, now(), now(), 'USD');
UPDATE spree_orders SET item_total = 9, updated_at = now() WHERE id = 16;
UPDATE spree_orders SET total = 9, updated_at = now() WHERE id = 16;
COMMIT;

UPDATE orders SET touched_at = now();
UPDATE orders SET hits = hits + 1;
UPDATE order_lines SET qty = qty;
UPDATE orders SET email = email, status = 'open';
-- for i in 1..=50
BEGIN;
UPDATE orders SET hits = hits + 1;
COMMIT;
-- end
BEGIN;
UPDATE order_lines SET qty = qty + 1;
UPDATE order_lines SET qty = qty - 1;
COMMIT;
UPDATE orders SET email = 'one real change' WHERE id = 100;

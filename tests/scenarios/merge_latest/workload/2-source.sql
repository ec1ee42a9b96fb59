BEGIN;
UPDATE order_lines SET qty = qty + 2 WHERE order_id <= 30;
UPDATE orders SET email = 'said in the old shop', changed = '2026-03-01 13:00:00' WHERE id <= 20;
UPDATE orders SET email = 'said in the old shop', changed = '2026-03-01 11:00:00' WHERE id BETWEEN 21 AND 30;
COMMIT;

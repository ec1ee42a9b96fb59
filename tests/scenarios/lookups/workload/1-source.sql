UPDATE quote_item SET qty = qty + 1 WHERE quote_id BETWEEN 10 AND 40;
UPDATE quote_item SET product_id = product_id + 1 WHERE quote_id BETWEEN 20 AND 30 AND product_id < 30;
UPDATE quote_item SET kind = 'a' WHERE quote_id BETWEEN 40 AND 50;
-- The new shop is still to get these: their carts wait, old ones and a new one.
UPDATE quote_item SET product_id = 31 + quote_id % 5 WHERE quote_id BETWEEN 60 AND 70 AND kind IS NULL;
BEGIN;
INSERT INTO quote VALUES (900, 'new');
INSERT INTO quote_item VALUES (9001, 900, 35, 'a', 7);
INSERT INTO quote_item VALUES (9002, 900, 1, 'a', 2);
COMMIT;
DELETE FROM quote_item WHERE quote_id = 5;
-- While it waits, it goes on.
UPDATE quote_item SET qty = 6 WHERE id = 9002;
UPDATE quote SET email = 'waits' WHERE id BETWEEN 60 AND 65;

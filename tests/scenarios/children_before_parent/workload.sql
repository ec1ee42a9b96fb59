-- As MySQL 9.6 and later log the cascade of a header's delete: its children first, the deepest before all.
-- for i in 1..=20
BEGIN;
DELETE FROM option_file WHERE option_id IN (SELECT o.id FROM item_option o JOIN quote_item i ON i.id = o.item_id WHERE i.quote_id = {i});
DELETE FROM item_option WHERE item_id IN (SELECT id FROM quote_item WHERE quote_id = {i});
DELETE FROM quote_item WHERE quote_id = {i};
DELETE FROM quote WHERE id = {i};
COMMIT;
-- end
-- All children of many, and then their headers.
BEGIN;
DELETE FROM option_file WHERE option_id BETWEEN 3000 AND 3999;
DELETE FROM item_option WHERE item_id BETWEEN 300 AND 399;
DELETE FROM quote_item WHERE quote_id BETWEEN 30 AND 39;
DELETE FROM quote WHERE id BETWEEN 30 AND 39;
COMMIT;
-- The header goes, and the same one comes, within one transaction.
BEGIN;
DELETE FROM option_file WHERE option_id BETWEEN 4100 AND 4199;
DELETE FROM item_option WHERE item_id BETWEEN 410 AND 419;
DELETE FROM quote_item WHERE quote_id = 41;
DELETE FROM quote WHERE id = 41;
INSERT INTO quote VALUES (41, 'again');
INSERT INTO quote_item VALUES (411, 41, 'again');
COMMIT;
-- A line leaves first, and its options leave a line that goes.
BEGIN;
UPDATE quote_item SET quote_id = 60 WHERE id = 501;
UPDATE item_option SET item_id = 601 WHERE item_id = 502;
DELETE FROM quote_item WHERE id = 502;
DELETE FROM quote WHERE id = 50;
COMMIT;
-- Children in a transaction of their own.
DELETE FROM option_file WHERE option_id BETWEEN 7000 AND 7999;
DELETE FROM item_option WHERE item_id BETWEEN 700 AND 799;
DELETE FROM quote_item WHERE quote_id BETWEEN 70 AND 79;
DELETE FROM quote WHERE id BETWEEN 70 AND 79;
INSERT INTO quote VALUES (70, 'born again');
INSERT INTO quote_item VALUES (701, 70, 'born again');

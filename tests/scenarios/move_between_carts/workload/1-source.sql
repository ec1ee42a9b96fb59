UPDATE quote_item SET quote_id = 1 WHERE id IN (21, 22);
UPDATE quote_item SET quote_id = quote_id + 50 WHERE quote_id BETWEEN 10 AND 20;
BEGIN;
UPDATE quote_item SET quote_id = 3 WHERE quote_id = 4;
UPDATE item_option SET value = 'touched on the way' WHERE item_id IN (SELECT id FROM quote_item WHERE quote_id = 3);
DELETE FROM quote WHERE id = 4;
COMMIT;
-- for i in 1..=100
BEGIN;
UPDATE quote_item SET quote_id = 30 + {i} % 7 WHERE id IN (301, 311, 321);
UPDATE option_file SET path = path || {i} WHERE option_id IN (SELECT id FROM item_option WHERE item_id = 311);
COMMIT;
-- end
INSERT INTO quote VALUES (901, 'late');
UPDATE quote_item SET quote_id = 901 WHERE quote_id = 90;
UPDATE item_option SET item_id = 11 WHERE item_id = 801;

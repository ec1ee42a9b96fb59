-- for i in 1..=60
BEGIN;
UPDATE quote_item SET quote_id = 71 + {i} % 9 WHERE id % 97 = {i};
UPDATE item_option SET value = value || {i} WHERE item_id IN (SELECT id FROM quote_item WHERE quote_id = 71 + {i} % 9);
COMMIT;
-- end
DELETE FROM quote WHERE id BETWEEN 80 AND 85;

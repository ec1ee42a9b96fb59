BEGIN;
UPDATE quote_item SET quote_id = 2 WHERE quote_id = 1;
UPDATE quote SET live = false WHERE id = 1;
COMMIT;
-- for i in 1..=20
BEGIN;
UPDATE quote_item SET quote_id = 50 + {i} WHERE quote_id = 20 + {i};
UPDATE quote SET email = 'merged' WHERE id = 50 + {i};
DELETE FROM quote WHERE id = 20 + {i};
COMMIT;
-- end
UPDATE quote SET live = false WHERE id = 90;
UPDATE quote_item SET quote_id = 91 WHERE quote_id = 90;
UPDATE item_option SET value = 'after the move' WHERE item_id = 901;

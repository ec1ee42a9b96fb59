UPDATE item_option SET value = NULL WHERE id % 3 = 0;
UPDATE quote_item SET sku = 'renamed-' || id WHERE quote_id < 20;
UPDATE quote SET email = 'moved' WHERE id BETWEEN 30 AND 40;
DELETE FROM quote_item WHERE id % 17 = 0;
BEGIN;
INSERT INTO quote VALUES (900, 'new');
INSERT INTO quote_item VALUES (9001, 900, 'a');
INSERT INTO item_option VALUES (90011, 9001, 'c', 'v');
INSERT INTO option_file VALUES (90011, 90011, '/new');
COMMIT;
INSERT INTO item_option SELECT 800000 + id, id, 'added', 'x' FROM quote_item WHERE quote_id BETWEEN 50 AND 60;
INSERT INTO option_file SELECT id, id, '/added' FROM item_option WHERE id > 800000;
UPDATE item_option SET item_id = item_id + 1 WHERE item_id % 10 = 1 AND item_id BETWEEN 700 AND 800
    AND EXISTS (SELECT 1 FROM quote_item other WHERE other.id = item_id + 1);
DELETE FROM item_option WHERE code = 'code-2' AND item_id < 200;

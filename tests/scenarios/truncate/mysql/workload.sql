UPDATE quote SET email = 'before' WHERE id < 10;
TRUNCATE option_file;
INSERT INTO option_file SELECT id, id, '/after' FROM item_option WHERE item_id % 5 = 0;
UPDATE quote_item SET sku = 'after' WHERE quote_id < 10;
-- There is no CASCADE: what refers to a table is emptied before it, without its foreign keys.
SET foreign_key_checks = 0;
TRUNCATE TABLE option_file;
TRUNCATE item_option;
TRUNCATE quote_item;
SET foreign_key_checks = 1;
INSERT INTO quote_item VALUES (1, 1, 'only one');
INSERT INTO item_option VALUES (1, 1, 'only', 'one');
SET foreign_key_checks = 0;
TRUNCATE item_option;
TRUNCATE quote_item;
TRUNCATE quote;
SET foreign_key_checks = 1;
-- for n in 50..=70
BEGIN;
INSERT INTO quote VALUES ({n}, 'anew');
INSERT INTO quote_item VALUES ({n}, {n}, 'anew');
COMMIT;
-- end
UPDATE quote SET email = 'after all' WHERE id = 60;

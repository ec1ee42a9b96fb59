-- What a foreign key deletes is not in the log of MariaDB, nor of MySQL before 9.6.
DELETE FROM quote WHERE id <= 20;
DELETE FROM quote_item WHERE quote_id BETWEEN 21 AND 25 AND id % 10 = 1;
DELETE FROM item_option WHERE item_id BETWEEN 261 AND 299 AND code = 'code-2';
-- What it took does not come back with its parent.
INSERT INTO quote VALUES (5, 'born again'), (6, 'born again');
INSERT INTO quote_item VALUES (51, 5, 'the old id');
INSERT INTO quote_item VALUES (211, 21, 'the old id');
INSERT INTO item_option VALUES (2119, 211, 'new', 'under the old id');
BEGIN;
DELETE FROM quote WHERE id = 31;
INSERT INTO quote VALUES (31, 'replaced');
COMMIT;
BEGIN;
DELETE FROM quote_item WHERE id = 321;
INSERT INTO quote_item VALUES (321, 32, 'replaced');
COMMIT;
-- A REPLACE deletes, too.
REPLACE INTO quote VALUES (33, 'by REPLACE'), (34, 'by REPLACE');
REPLACE INTO quote_item VALUES (341, 34, 'by REPLACE');
INSERT INTO quote_item VALUES (3399, 33, 'after REPLACE');
-- Changed before it goes, and moved away before it would go.
BEGIN;
UPDATE option_file SET path = 'last words' WHERE option_id IN (SELECT id FROM item_option WHERE item_id = 351);
UPDATE item_option SET value = 'last words' WHERE item_id = 351;
DELETE FROM quote_item WHERE id = 351;
COMMIT;
BEGIN;
UPDATE quote_item SET quote_id = 40 WHERE id = 361;
DELETE FROM quote WHERE id = 36;
COMMIT;
BEGIN;
UPDATE item_option SET item_id = 411 WHERE item_id = 371;
DELETE FROM quote_item WHERE quote_id = 37;
COMMIT;
-- for i in 50..=70
BEGIN;
DELETE FROM quote WHERE id = {i};
COMMIT;
-- end
DELETE FROM quote_item WHERE quote_id > 90;

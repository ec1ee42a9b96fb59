-- Expiry in one statement: what it leaves is kept.
DELETE FROM line WHERE customer <= 10;
-- Emptied without a row going.
UPDATE line SET qty = 0 WHERE customer BETWEEN 11 AND 20;
-- Emptied, and filled again.
-- for i in 21..=40
UPDATE line SET qty = 0 WHERE customer = {i};
UPDATE choice SET value = 'while away' WHERE line_id = {i} * 10 + 1;
INSERT INTO line VALUES ({i} * 10 + 3, {i}, 's{i}', 'late', 0);
UPDATE line SET qty = 5 WHERE id = {i} * 10 + 2;
-- end
-- Gone, and back with other lines.
-- for i in 41..=50
DELETE FROM line WHERE customer = {i};
INSERT INTO line VALUES ({i} * 10 + 4, {i}, 's{i}', 'back', 1);
INSERT INTO choice VALUES ({i} * 100 + 41, {i} * 10 + 4, 'new');
-- end
-- Lines take along what hangs below them: to a cart that nobody knew, and to one that is there.
-- for i in 51..=70
UPDATE line SET session = 'other{i}' WHERE customer = {i};
UPDATE choice SET value = 'after the move' WHERE line_id = {i} * 10 + 1;
UPDATE line SET customer = {i} + 20, session = concat('s', {i} + 20) WHERE id = {i} * 10 + 2;
-- end
-- What was never live becomes so, alone or by a line that comes.
-- for i in 201..=210
UPDATE line SET qty = 1 WHERE customer = {i};
UPDATE line SET customer = {i} + 10, session = concat('e', {i} + 10) WHERE id = {i} * 10;
-- end
-- One that has ended goes.
UPDATE line SET qty = 0 WHERE customer = 95;
DELETE FROM line WHERE customer = 95;

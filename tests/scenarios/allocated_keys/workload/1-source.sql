INSERT INTO basket VALUES (500, 3, 'new');
INSERT INTO basket_line VALUES (500, 'a', 's1', 1);
INSERT INTO line_note VALUES (5001, 500, 'a', 'new');
-- It follows one that is not there yet.
INSERT INTO basket VALUES (501, 502, 'early');
INSERT INTO basket_line VALUES (501, 'a', 's1', 1);
INSERT INTO basket VALUES (502, NULL, 'late');
INSERT INTO basket_line VALUES (502, 'b', 's2', 2);
UPDATE basket_line SET qty = qty + 1 WHERE basket_id BETWEEN 10 AND 60;
UPDATE basket SET customer = 'other' WHERE id BETWEEN 30 AND 40;
-- Gone, and back under its key.
DELETE FROM basket_line WHERE basket_id = 8 AND place = 'a';
INSERT INTO basket_line VALUES (8, 'a', 'back', 4);
-- Another key is another line.
UPDATE basket_line SET place = 'z' WHERE basket_id = 9 AND place = 'a';
DELETE FROM basket_line WHERE basket_id BETWEEN 70 AND 75 AND place = 'c';
UPDATE basket SET follows = NULL WHERE id = 12;

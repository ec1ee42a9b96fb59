UPDATE basket SET follows = 500 WHERE id = 2;
INSERT INTO basket_line VALUES (2, 'x', 's9', 9);
INSERT INTO basket_line VALUES (500, 'b', 's9', 9);
UPDATE line_note SET note = 'said' WHERE id < 40;
DELETE FROM line_note WHERE id = 5001;

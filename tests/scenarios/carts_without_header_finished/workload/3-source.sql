INSERT INTO line VALUES (901, 1, 'again', 'more', 1);
UPDATE line SET qty = 9 WHERE customer = 2;
INSERT INTO line VALUES (905, 5, 'again', 'more', 1);

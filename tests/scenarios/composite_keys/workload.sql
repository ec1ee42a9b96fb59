UPDATE basket_item SET qty = qty + 10 WHERE store = 2;
DELETE FROM basket_item WHERE position = 2 AND session LIKE '%7';
UPDATE basket_item SET position = 9 WHERE position = 3 AND store = 1;
INSERT INTO basket VALUES (4, 'x\|y|', 'escapes in the key');
INSERT INTO basket_item VALUES (4, 'x\|y|', 1, 'sku', 1);
UPDATE basket_item SET qty = 5 WHERE store = 4;
DELETE FROM basket WHERE store = 3 AND session LIKE '%1';
UPDATE basket SET note = NULL WHERE session LIKE '%5';

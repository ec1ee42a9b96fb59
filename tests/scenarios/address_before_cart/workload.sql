-- The cart lets go of an address that goes in the same transaction, and of one that is replaced.
DELETE FROM quote_address WHERE id IN (11, 21, 32);
BEGIN;
DELETE FROM quote_address WHERE quote_id BETWEEN 5 AND 9;
INSERT INTO quote_address SELECT id * 10 + 3, id, 'shipping', id || ' Low Street' FROM quote WHERE id BETWEEN 5 AND 9;
COMMIT;
UPDATE quote_address SET kind = 'billing' WHERE quote_id = 11;
UPDATE quote_address SET kind = 'shipping' WHERE quote_id = 13 AND kind = 'billing';
UPDATE quote_address SET id = id + 5 WHERE quote_id = 15;
-- To another cart.
UPDATE quote_address SET quote_id = 17 WHERE quote_id = 16;
UPDATE quote_address SET street = 'Mill Lane' WHERE quote_id % 9 = 0;
-- An address comes to a cart that had none.
INSERT INTO quote_address VALUES (203, 20, 'billing', 'late');
UPDATE quote SET active = 0 WHERE id IN (30, 31, 32);
UPDATE quote SET active = 1 WHERE id = 31;
DELETE FROM quote WHERE id IN (33, 36);
BEGIN;
INSERT INTO quote (id, email) VALUES (90, 'new');
INSERT INTO quote_item VALUES (901, 90, 'x', 1);
INSERT INTO quote_address VALUES (901, 90, 'shipping', 'new'), (902, 90, 'billing', 'new');
COMMIT;
BEGIN;
DELETE FROM quote_address WHERE id = 902;
UPDATE quote_item SET qty = 2 WHERE id = 901;
COMMIT;
BEGIN;
DELETE FROM quote_address WHERE quote_id = 40;
DELETE FROM quote_item WHERE quote_id = 40;
DELETE FROM quote WHERE id = 40;
COMMIT;

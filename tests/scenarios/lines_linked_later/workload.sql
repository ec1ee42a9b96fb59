-- Without its order and empty first, linked and filled by the next statements; each commits alone.
-- for i in 1..=20
INSERT INTO order_line VALUES ({i} * 10 + 1, NULL, 0);
UPDATE order_line SET order_id = {i} WHERE id = {i} * 10 + 1;
UPDATE order_line SET quantity = 3 WHERE id = {i} * 10 + 1;
-- end
-- What hangs below comes while the line has no order, and before the line itself.
-- for i in 21..=40
INSERT INTO order_line VALUES ({i} * 10 + 1, NULL, 0);
INSERT INTO adjustment VALUES ({i} * 10 + 1, {i} * 10 + 1, 5);
UPDATE order_line SET order_id = {i} WHERE id = {i} * 10 + 1;
INSERT INTO adjustment VALUES ({i} * 10 + 2, {i} * 10 + 1, 6);
INSERT INTO adjustment VALUES ({i} * 10 + 3, {i} * 10 + 2, 7);
INSERT INTO order_line VALUES ({i} * 10 + 2, {i}, 2);
-- end
-- The same in one transaction.
-- for i in 41..=50
BEGIN;
INSERT INTO adjustment VALUES ({i} * 10 + 3, {i} * 10 + 2, 7);
INSERT INTO order_line VALUES ({i} * 10 + 2, NULL, 2);
UPDATE order_line SET order_id = {i} WHERE id = {i} * 10 + 2;
COMMIT;
-- end
-- Saved again and again, each time under other ids.
-- for i in 51..=60
BEGIN;
DELETE FROM surcharge WHERE order_id = {i};
INSERT INTO surcharge VALUES ({i} * 1000 + 1, {i}, 1), ({i} * 1000 + 2, {i}, 2);
DELETE FROM adjustment WHERE line_id = {i} * 10;
INSERT INTO adjustment VALUES ({i} * 10 + 5, {i} * 10, 5);
COMMIT;
DELETE FROM surcharge WHERE order_id = {i};
INSERT INTO surcharge VALUES ({i} * 1000 + 3, {i}, 3), ({i} * 1000 + 4, {i}, 4);
DELETE FROM adjustment WHERE line_id = {i} * 10;
INSERT INTO adjustment VALUES ({i} * 10 + 6, {i} * 10, 6);
-- end
-- Unlinked, and linked again to another order.
-- for i in 61..=70
UPDATE order_line SET order_id = NULL WHERE order_id = {i};
UPDATE adjustment SET amount = 100 WHERE line_id = {i} * 10;
UPDATE order_line SET order_id = {i} - 60 WHERE id = {i} * 10;
-- end
-- The same without anything below, to and fro, and gone and there again.
-- for i in 71..=80
UPDATE surcharge SET order_id = NULL WHERE id = {i} * 1000;
UPDATE surcharge SET order_id = {i} - 60 WHERE id = {i} * 1000;
UPDATE surcharge SET order_id = NULL WHERE id = {i} * 1000;
UPDATE surcharge SET order_id = {i} - 50 WHERE id = {i} * 1000;
DELETE FROM surcharge WHERE id = {i} * 1000;
INSERT INTO surcharge VALUES ({i} * 1000, {i} - 40, 1);
DELETE FROM surcharge WHERE id = {i} * 1000;
INSERT INTO surcharge VALUES ({i} * 1000, {i}, 2);
-- end
-- A new order whose lines and their rows were there before it.
-- for i in 101..=110
INSERT INTO adjustment VALUES ({i} * 10, {i} * 10, 9);
INSERT INTO order_line VALUES ({i} * 10, {i}, 9);
INSERT INTO shop_order VALUES ({i}, 'late{i}', true);
-- end

-- Each statement commits alone. A cart, its lines and rules, and the order that ends it.
-- for i in 1001..=1030
INSERT INTO ps_cart VALUES ({i}, 0, '2026-05-01 10:00:00');
INSERT INTO ps_cart_product VALUES ({i}, 1, 0, 1);
UPDATE ps_cart SET id_customer = 0, date_upd = '2026-05-01 10:00:01' WHERE id_cart = {i};
UPDATE ps_cart_product SET quantity = quantity + 2 WHERE id_cart = {i} AND id_product = 1;
INSERT INTO ps_cart_cart_rule VALUES ({i}, 5);
INSERT INTO ps_cart_product VALUES ({i}, 2, 0, 1);
DELETE FROM ps_cart_cart_rule WHERE id_cart = {i};
INSERT INTO ps_cart_cart_rule VALUES ({i}, 6), ({i}, 7);
UPDATE ps_cart SET id_customer = 9, date_upd = '2026-05-01 10:00:02' WHERE id_cart = {i};
UPDATE ps_cart_product SET id_address_delivery = 77 WHERE id_cart = {i};
-- end
-- for i in 301..=330
INSERT INTO ps_orders VALUES ({i}, {i});
UPDATE ps_cart_product SET quantity = 99 WHERE id_cart = {i};
-- end
INSERT INTO ps_orders SELECT id_cart, id_cart FROM ps_cart WHERE id_cart BETWEEN 1001 AND 1010;
-- An order that is deleted gives its cart back, with what it had when nobody looked.
-- for i in 306..=315
DELETE FROM ps_orders WHERE id_cart = {i};
-- end
-- for i in 1..=20
INSERT INTO ps_cart_product VALUES ({i}, 8, 0, {i});
DELETE FROM ps_orders WHERE id_cart = {i};
-- end
-- The order comes before its cart, the cart before its lines; some of the orders go again.
-- for i in 2001..=2020
INSERT INTO ps_orders VALUES ({i}, {i});
INSERT INTO ps_cart_product VALUES ({i}, 3, 0, 1);
INSERT INTO ps_cart VALUES ({i}, 3, '2026-05-01 10:00:00');
INSERT INTO ps_cart_product VALUES ({i}, 4, 0, 2);
-- end
DELETE FROM ps_orders WHERE id_cart BETWEEN 2011 AND 2020;
-- Two orders for one cart (by merchant), of which one goes.
INSERT INTO ps_orders VALUES (9001, 340), (9002, 340), (9003, 341), (9004, 341);
DELETE FROM ps_orders WHERE id_order IN (9001, 9003, 9004);
-- An order is given to another cart.
UPDATE ps_orders SET id_cart = 342 WHERE id_order = 325;
-- In bulk: carts go, one statement for each table.
DELETE FROM ps_cart_cart_rule WHERE id_cart BETWEEN 1021 AND 1025;
DELETE FROM ps_cart_product WHERE id_cart BETWEEN 1021 AND 1025;
DELETE FROM ps_cart WHERE id_cart BETWEEN 1021 AND 1025;

-- Each statement of PrestaShop commits alone. A product that is in the cart already, with the cart's
-- row written whole after it, and a rule that applies by itself.
UPDATE ps_cart_product SET quantity = quantity + 1 WHERE id_cart = 1 AND id_product = 2 AND id_product_attribute = 0 AND id_customization = 0;
UPDATE ps_cart SET id_shop_group = 1, id_shop = 2, id_carrier = 0, delivery_option = '', id_lang = 1, id_address_delivery = 0, id_address_invoice = 0, id_currency = 2, id_customer = 1, id_guest = 1, secure_key = md5(1), recyclable = 0, gift = 0, gift_message = '', mobile_theme = 0, allow_seperated_package = 0, date_add = '2026-03-28 13:00:00', date_upd = '2026-04-01 09:00:00' WHERE id_cart = 1;
INSERT INTO ps_cart_cart_rule VALUES (1, 2);
INSERT INTO ps_cart_cart_rule VALUES (1, 3);
-- A visitor's first: the cart, then what is in it.
INSERT INTO ps_cart (id_cart, id_shop, id_carrier, delivery_option, id_lang, id_address_delivery, id_address_invoice, id_currency, id_customer, id_guest, date_add, date_upd) VALUES (101, 1, 0, '', 1, 0, 0, 1, 0, 101, '2026-04-01 10:00:00', '2026-04-01 10:00:00');
INSERT INTO ps_cart_product (id_cart, id_product, id_shop, quantity, date_add) VALUES (101, 3, 1, 1, '2026-04-01 10:00:00');
UPDATE ps_cart SET date_upd = '2026-04-01 10:00:01' WHERE id_cart = 101;
INSERT INTO ps_cart_product (id_cart, id_product, id_shop, id_product_attribute, quantity, date_add) VALUES (101, 9, 1, 92, 2, '2026-04-01 10:01:00');
UPDATE ps_cart SET date_upd = '2026-04-01 10:01:01' WHERE id_cart = 101;
-- She logs in: the guest's cart is hers, and all its lines get her address, a part of their key.
UPDATE ps_cart SET id_customer = 21, secure_key = md5(21), id_address_delivery = 21, id_address_invoice = 21, date_upd = '2026-04-01 10:02:00' WHERE id_cart = 101;
UPDATE ps_cart_product SET id_address_delivery = 21 WHERE id_cart = 101;
-- Another whose own last cart is taken, since the visitor's is empty.
INSERT INTO ps_cart (id_cart, id_shop, id_carrier, delivery_option, id_lang, id_address_delivery, id_address_invoice, id_currency, id_customer, id_guest, date_add, date_upd) VALUES (102, 1, 0, '', 1, 0, 0, 1, 0, 102, '2026-04-01 11:00:00', '2026-04-01 11:00:00');
UPDATE ps_cart SET date_upd = '2026-04-01 11:01:00' WHERE id_cart = 4;
DELETE FROM ps_cart WHERE id_cart = 102;
-- She ships to another address, and to two: a line for each, and one again.
UPDATE ps_cart_product SET id_address_delivery = 26 WHERE id_cart = 2 AND id_address_delivery = 2;
UPDATE ps_cart SET id_address_delivery = 26, date_upd = '2026-04-01 12:00:00' WHERE id_cart = 2;
INSERT INTO ps_cart_product (id_cart, id_product, id_address_delivery, id_shop, quantity, date_add) VALUES (6, 7, 27, 1, 5, '2026-04-01 12:00:00');
UPDATE ps_cart_product SET quantity = 1 WHERE id_cart = 6 AND id_product = 7 AND id_address_delivery = 6;
DELETE FROM ps_cart_product WHERE id_cart = 10 AND id_address_delivery = 25;
DELETE FROM ps_cart_product WHERE id_cart = 15 AND id_product = 9;
-- The newest versions write no address there.
UPDATE ps_cart_product SET id_address_delivery = 0 WHERE id_cart IN (8, 12);
-- A product that was made to measure is a line of its own.
INSERT INTO ps_cart_product (id_cart, id_product, id_shop, id_customization, quantity, date_add) VALUES (7, 8, 2, 77, 1, '2026-04-01 12:00:00');
-- Customers change their minds.
UPDATE ps_cart_product SET quantity = 9 WHERE id_cart = 9 AND id_product = 2;
DELETE FROM ps_cart_product WHERE id_cart = 11 AND id_product = 4;
UPDATE ps_cart SET date_upd = '2026-04-01 12:30:00' WHERE id_cart = 11;
DELETE FROM ps_cart_cart_rule WHERE id_cart = 16;
UPDATE ps_cart SET id_currency = 1, date_upd = '2026-04-01 12:31:00' WHERE id_cart = 13;
-- Ordered: nothing but a row elsewhere. One order is deleted, and the customer goes on.
INSERT INTO ps_orders (id_cart, date_add) VALUES (30, '2026-04-01 13:00:00');
INSERT INTO ps_orders (id_cart, date_add) VALUES (14, '2026-04-01 13:00:00');
INSERT INTO ps_orders (id_order, id_cart, date_add) VALUES (900, 31, '2026-04-01 13:00:00');
DELETE FROM ps_orders WHERE id_order = 900;
UPDATE ps_cart_product SET quantity = 8 WHERE id_cart = 31 AND id_product = 8;
-- After its order a cart stays as it is; what happens to it does not matter.
UPDATE ps_cart SET date_upd = '2026-04-01 14:00:00' WHERE id_cart IN (14, 55);
UPDATE ps_cart_product SET quantity = 50 WHERE id_cart IN (14, 55);
-- A cart as old as the hills is used again.
UPDATE ps_cart SET date_upd = '2026-04-02 08:00:00' WHERE id_cart = 50;
-- A customer who cannot stop: two commits each time.
-- for i in 1..=30
UPDATE ps_cart_product SET quantity = {i} WHERE id_cart = 20 AND id_product = 5;
UPDATE ps_cart SET gift_message = '{i}', date_upd = '2026-04-02 09:00:00' WHERE id_cart = 20;
-- end
-- A module deletes old ones: customizations, rules, lines and carts, one statement each.
DELETE FROM ps_cart_cart_rule WHERE id_cart BETWEEN 40 AND 45;
DELETE FROM ps_cart_product WHERE id_cart BETWEEN 40 AND 45;
DELETE FROM ps_cart WHERE id_cart BETWEEN 40 AND 45;

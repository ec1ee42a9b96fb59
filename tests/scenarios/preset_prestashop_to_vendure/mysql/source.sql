-- platform prestashop
INSERT INTO ps_currency VALUES (1, 'EUR'), (2, 'USD');
INSERT INTO ps_country VALUES (8, 'FR', 1), (21, 'US', 1);
INSERT INTO ps_state VALUES (1, 21, 'Alabama', 'AL');
INSERT INTO ps_cart_rule VALUES (1, 'SPRING', 1), (2, '', 1), (3, 'MAY', 1);
INSERT INTO ps_customer (id_customer, email, firstname, lastname)
WITH RECURSIVE n AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM n WHERE n < 30)
SELECT n, 'Customer' || n || '@example.org', 'Ada', 'No ' || n FROM n;
INSERT INTO ps_address (id_address, id_country, id_state, id_customer, alias, lastname, firstname, address1, postcode, city, phone, date_add, date_upd)
SELECT id_customer, CASE id_customer % 4 WHEN 0 THEN 21 ELSE 8 END, CASE id_customer % 4 WHEN 0 THEN 1 ELSE 0 END, id_customer, 'home', lastname, firstname,
    id_customer || ', rue "Haute"', '7500' || id_customer, 'Ville', CASE id_customer % 3 WHEN 0 THEN '' ELSE '01' END, '2026-01-01', '2026-01-01' FROM ps_customer;
UPDATE ps_address SET phone_mobile = '06' WHERE id_address % 3 = 0;
-- Products 1 to 8 are of one kind each; 9 has combinations, and no reference of its own.
INSERT INTO ps_product (id_product, reference, price)
WITH RECURSIVE n AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM n WHERE n < 8) SELECT n, 'P-' || n, 10 FROM n;
INSERT INTO ps_product (id_product, reference, price) VALUES (9, '', 20);
INSERT INTO ps_product_attribute (id_product_attribute, id_product, reference) VALUES (91, 9, 'P-9-RED'), (92, 9, 'P-9-BLUE');
-- 60 carts: those above 50 are ordered, one is as old as the hills; the first 20 are of customers.
INSERT INTO ps_cart (id_cart, id_shop, id_carrier, delivery_option, id_lang, id_address_delivery, id_address_invoice, id_currency, id_customer, id_guest, secure_key, date_add, date_upd)
WITH RECURSIVE n AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM n WHERE n < 60)
SELECT n, 1 + n % 2, 0, '', 1, CASE WHEN n <= 20 AND n % 2 = 0 THEN n ELSE 0 END, CASE WHEN n <= 20 AND n % 4 = 0 THEN n ELSE 0 END, 1 + n % 2,
    CASE WHEN n <= 20 THEN n ELSE 0 END, n, CASE WHEN n <= 20 THEN md5(n) ELSE '-1' END,
    CASE n WHEN 50 THEN '2019-07-01 12:00:00' ELSE '2026-03-28 12:00:00' + INTERVAL n HOUR END,
    CASE n WHEN 50 THEN '2019-07-01 13:00:00' ELSE '2026-03-28 13:00:00' + INTERVAL n HOUR END FROM n;
INSERT INTO ps_cart_product (id_cart, id_product, id_address_delivery, id_shop, id_product_attribute, quantity, date_add)
SELECT id_cart, 1 + id_cart % 8, id_address_delivery, id_shop, 0, 1 + id_cart % 3, date_add FROM ps_cart
UNION ALL SELECT id_cart, 9, id_address_delivery, id_shop, 91 + id_cart % 2, 2, date_add FROM ps_cart;
-- Some ship to two addresses.
INSERT INTO ps_cart_product (id_cart, id_product, id_address_delivery, id_shop, id_product_attribute, quantity, date_add)
SELECT id_cart, 9, 25, id_shop, 91 + id_cart % 2, 3, date_add FROM ps_cart WHERE id_cart % 5 = 0;
INSERT INTO ps_cart_cart_rule SELECT id_cart, 1 + id_cart % 3 FROM ps_cart WHERE id_cart % 4 = 0;
INSERT INTO ps_orders (id_cart, date_add) SELECT id_cart, '2026-03-30' FROM ps_cart WHERE id_cart > 50;

CREATE TABLE ps_cart (id_cart INT(10) UNSIGNED NOT NULL PRIMARY KEY, id_customer INT(10) UNSIGNED NOT NULL, date_upd DATETIME NOT NULL);
CREATE TABLE ps_cart_product (id_cart INT(10) UNSIGNED NOT NULL, id_product INT(10) UNSIGNED NOT NULL, id_address_delivery INT(10) UNSIGNED NOT NULL DEFAULT 0, quantity INT(10) UNSIGNED NOT NULL, PRIMARY KEY (id_cart, id_product, id_address_delivery));
CREATE TABLE ps_cart_cart_rule (id_cart INT(10) UNSIGNED NOT NULL, id_cart_rule INT(10) UNSIGNED NOT NULL, PRIMARY KEY (id_cart, id_cart_rule));
CREATE TABLE ps_orders (id_order INT(10) UNSIGNED NOT NULL PRIMARY KEY, id_cart INT(10) UNSIGNED NOT NULL, KEY id_cart (id_cart));
INSERT INTO ps_cart
WITH RECURSIVE numbers AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM numbers WHERE n < 400)
SELECT n, n % 5, '2026-01-01' FROM numbers;
INSERT INTO ps_cart_product SELECT id_cart, k, 0, k FROM ps_cart, (SELECT 1 AS k UNION ALL SELECT 2 UNION ALL SELECT 3) three;
INSERT INTO ps_orders SELECT id_cart, id_cart FROM ps_cart WHERE id_cart <= 300;

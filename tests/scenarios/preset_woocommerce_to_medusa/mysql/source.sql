-- platform woocommerce
-- What the visitors mean, in tables of its own, from which WooCommerce's sessions are written as PHP
-- writes them; the oracle looks at these, and not at what PHP has made of them.
CREATE TABLE visitor (session_key VARCHAR(32) PRIMARY KEY, email VARCHAR(100) NOT NULL DEFAULT '', coupon VARCHAR(40) NOT NULL DEFAULT '') CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_520_ci;
CREATE TABLE meant (
    session_key VARCHAR(32) NOT NULL, item_key CHAR(32) NOT NULL, product_id INT NOT NULL, variation_id INT NOT NULL DEFAULT 0,
    size VARCHAR(20) NOT NULL DEFAULT '', quantity DECIMAL(10,2) NOT NULL, subtotal DECIMAL(12,2) NOT NULL, PRIMARY KEY (session_key, item_key)
) CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_520_ci;
CREATE FUNCTION php_s(x LONGTEXT) RETURNS LONGTEXT DETERMINISTIC RETURN concat('s:', octet_length(x), ':"', x, '";');
-- Older versions of PHP write 39.8 with all digits that its float has.
CREATE VIEW item_php AS SELECT session_key, item_key, concat(php_s(item_key), 'a:10:{', php_s('key'), php_s(item_key),
    php_s('product_id'), 'i:', product_id, ';', php_s('variation_id'), 'i:', variation_id, ';',
    php_s('variation'), CASE size WHEN '' THEN 'a:0:{}' ELSE concat('a:1:{', php_s('attribute_pa_size'), php_s(size), '}') END,
    php_s('quantity'), CASE WHEN quantity = floor(quantity) THEN concat('i:', floor(quantity), ';') ELSE concat('d:', quantity, ';') END,
    php_s('data_hash'), php_s(md5(product_id)), php_s('line_tax_data'), 'a:2:{s:8:"subtotal";a:0:{}s:5:"total";a:0:{}}',
    php_s('line_subtotal'), 'd:', CASE quantity WHEN 3 THEN concat(subtotal - 0.01, '999999999999996') ELSE subtotal END, ';',
    php_s('line_subtotal_tax'), 'i:0;', php_s('line_total'), 'd:', subtotal, ';}') AS php FROM meant;
CREATE VIEW session_php AS SELECT v.session_key, concat('a:5:{',
    php_s('cart'), php_s((SELECT concat('a:', count(*), ':{', coalesce(group_concat(i.php ORDER BY i.item_key SEPARATOR ''), ''), '}') FROM item_php i WHERE i.session_key = v.session_key)),
    php_s('cart_totals'), php_s('a:2:{s:8:"subtotal";s:4:"39.8";s:5:"total";d:39.8;}'),
    php_s('applied_coupons'), php_s(CASE coupon WHEN '' THEN 'a:0:{}' ELSE concat('a:1:{i:0;', php_s(coupon), '}') END),
    php_s('removed_cart_contents'), php_s('a:0:{}'),
    php_s('customer'), php_s(concat('a:3:{', php_s('id'), php_s('0'), php_s('email'), php_s(email), php_s('first_name'), php_s('Zoë "Z"'), '}')), '}') AS session_value
FROM visitor v;

INSERT INTO wp_users (ID, user_email)
WITH RECURSIVE n AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM n WHERE n < 25) SELECT n, concat('User', n, '@example.org') FROM n;
INSERT INTO wp_wc_product_meta_lookup VALUES (12, 'SHIRT'), (34, 'SHIRT-M'), (35, 'SHIRT-L'), (41, 'MUG-1'), (42, 'MUG-2'), (43, 'CLOTH');
INSERT INTO visitor (session_key, email, coupon)
WITH RECURSIVE n AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM n WHERE n < 60)
SELECT CASE WHEN n <= 20 THEN n ELSE concat('t_', left(md5(n), 30)) END, CASE WHEN n % 3 = 0 THEN concat('Guest', n, '@example.org') ELSE '' END,
    CASE WHEN n % 5 = 0 THEN 'spring' ELSE '' END FROM n;
-- Those of every tenth have nothing in their cart.
INSERT INTO meant
WITH RECURSIVE n AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM n WHERE n < 60),
v AS (SELECT n, CASE WHEN n <= 20 THEN n ELSE concat('t_', left(md5(n), 30)) END AS session_key FROM n WHERE n % 10 <> 0)
SELECT session_key, md5('12_34'), 12, 34, 'm', 1 + n % 3, 19.9 * (1 + n % 3) FROM v
UNION ALL SELECT session_key, md5('41'), 41, 0, '', 1 + n % 4, (5 + n) * (1 + n % 4) FROM v WHERE n % 2 = 0;
INSERT INTO wp_woocommerce_sessions (session_key, session_value, session_expiry) SELECT session_key, session_value, 1800000000 FROM session_php;
-- Sessions without any cart.
INSERT INTO wp_woocommerce_sessions (session_key, session_value, session_expiry) VALUES
    ('t_none', 'a:1:{s:10:"wc_notices";s:6:"a:0:{}";}', 1800000000), ('t_null', 'a:1:{s:4:"cart";s:2:"N;";}', 1800000000), ('t_nothing', 'a:0:{}', 1800000000);

-- Fills the old shop: $CARTS live carts, and as many orders again by four that were bought long ago.

INSERT INTO orders (id, number, token, state, email, customer_id, currency, note, user_agent,
                    created_at, updated_at, completed_at)
WITH RECURSIVE made (id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM made WHERE id < $CARTS + $CARTS DIV 4)
SELECT id,
       CONCAT('R', LPAD(id, 9, '0')),
       LEFT(SHA2(CONCAT('token ', id), 256), 32),
       IF(id > $CARTS, 'complete', 'cart'),
       IF(id % 3 > 0, CONCAT(' Customer', id, '@Example.com'), NULL),
       IF(id % 3 > 0, 100000 + id, NULL),
       ELT(1 + id % 4, 'EUR', 'USD', 'JPY', 'KWD'),
       IF(id % 10 = 0, 'Please wrap it, it''s a gift: ☃', NULL),
       'Mozilla/5.0',
       CURRENT_TIMESTAMP(6) - INTERVAL id MINUTE,
       CURRENT_TIMESTAMP(6) - INTERVAL 30 * id SECOND,
       IF(id > $CARTS, CURRENT_TIMESTAMP(6) - INTERVAL 1 DAY, NULL)
FROM made;

INSERT INTO line_items (order_id, sku, title, quantity, unit_price)
SELECT orders.id,
       CONCAT('SKU-', (orders.id * 7 + n * 13) % 500),
       CONCAT('Article ', (orders.id * 7 + n * 13) % 500),
       1 + (orders.id + n) % 5,
       ((orders.id * 31 + n * 977) % 200000) / 1000
FROM orders
JOIN (SELECT 1 AS n UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL SELECT 4) AS numbers
    ON n <= orders.id % 5;

INSERT INTO line_options (line_id, name, value)
SELECT line_items.id, name, CONCAT(name, ' ', line_items.id % 7)
FROM line_items JOIN (SELECT 'size' AS name UNION ALL SELECT 'colour') AS names
WHERE line_items.id % 3 = 0 OR (line_items.id % 2 = 0 AND name = 'size');

INSERT INTO orders (number, token, currency, note)
WITH RECURSIVE made (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM made WHERE n + 1 < $PROBES)
SELECT CONCAT('P', n), CONCAT('probe-', n), 'EUR', '0' FROM made;

ANALYZE TABLE orders, line_items, line_options;

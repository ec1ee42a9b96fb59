CREATE TABLE oc_cart (
    cart_id INT(11) NOT NULL PRIMARY KEY,
    store_id INT(11) DEFAULT 0,
    customer_id INT(11) DEFAULT 0,
    session_id VARCHAR(32),
    product_id INT(11) NOT NULL,
    quantity INT(5) NOT NULL,
    date_added DATETIME NOT NULL,
    KEY cart_id (store_id, customer_id, session_id, product_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;
INSERT INTO oc_cart
WITH RECURSIVE numbers AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM numbers WHERE n < 120)
SELECT n * 10 + k, n % 2, n, concat('s', n), k, k, date_add('2026-01-01', INTERVAL n DAY) FROM numbers, (SELECT 1 AS k UNION ALL SELECT 2 UNION ALL SELECT 3) three;
INSERT INTO oc_cart
WITH RECURSIVE numbers AS (SELECT 201 AS n UNION ALL SELECT n + 1 FROM numbers WHERE n < 320)
SELECT n * 10 + k, 0, 0, concat('g', n), k, k, date_add('2026-01-01', INTERVAL n - 200 DAY) FROM numbers, (SELECT 1 AS k UNION ALL SELECT 2) two;
INSERT INTO oc_cart VALUES (9001, 0, 0, NULL, 1, 1, '2026-01-01'), (9002, 0, NULL, 'nobody', 1, 1, '2026-01-01');
-- By the table's collation it is the cart of g201; by its text it is another.
INSERT INTO oc_cart VALUES (9003, 0, 0, 'G201', 1, 7, '2026-01-05');

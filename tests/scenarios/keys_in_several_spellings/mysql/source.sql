-- Equal values that are written differently: 1.00 and 1.000, and char(n) of two lengths. Foreign keys are
-- between equal types alone.
CREATE TABLE orders (
    shop CHAR(4) COLLATE utf8mb4_bin, number DECIMAL(10,2), token CHAR(36) COLLATE utf8mb4_bin, email VARCHAR(120),
    PRIMARY KEY (shop, number, token)
);
CREATE TABLE order_lines (
    id DECIMAL(10,1) PRIMARY KEY,
    shop CHAR(6) COLLATE utf8mb4_bin NOT NULL,
    number DECIMAL(12,3) NOT NULL,
    token CHAR(36) COLLATE utf8mb4_bin NOT NULL,
    sku VARCHAR(60) NOT NULL,
    KEY (shop, number, token)
);
CREATE TABLE options (id INT PRIMARY KEY, line_id DECIMAL(12,4) NOT NULL, code VARCHAR(20) NOT NULL, KEY (line_id));
INSERT INTO orders
WITH RECURSIVE numbers AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM numbers WHERE n < 60)
SELECT 'EU', n, '00000000-0000-0000-0000-' || lpad(n, 12, '0'), 'c' || n FROM numbers;
INSERT INTO order_lines SELECT number * 10 + k, shop, number, token, 'sku-' || k FROM orders, (SELECT 1 AS k UNION ALL SELECT 2 UNION ALL SELECT 3) three;
INSERT INTO options SELECT number, number * 10 + 1, 'gift' FROM orders;

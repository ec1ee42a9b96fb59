CREATE TABLE orders (
    id BIGINT PRIMARY KEY, email VARCHAR(120), currency CHAR(3) NOT NULL,
    status VARCHAR(20) NOT NULL DEFAULT 'open'
);
CREATE TABLE order_lines (
    id BIGINT PRIMARY KEY,
    order_id BIGINT NOT NULL,
    sku VARCHAR(60) NOT NULL,
    qty INT NOT NULL,
    price DECIMAL(10,2) NOT NULL,
    FOREIGN KEY (order_id) REFERENCES orders (id) ON DELETE CASCADE
);
INSERT INTO orders (id, email, currency)
WITH RECURSIVE numbers AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM numbers WHERE n < 200)
SELECT n, 'c' || n || '@example.org', 'EUR' FROM numbers;
INSERT INTO order_lines SELECT id * 10 + k, id, 'sku-' || k, k, id * 1.25 + k FROM orders, (SELECT 1 AS k UNION ALL SELECT 2 UNION ALL SELECT 3) three;

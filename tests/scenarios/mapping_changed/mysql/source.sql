CREATE TABLE orders (
    id       INT PRIMARY KEY,
    email    VARCHAR(120),
    currency CHAR(3) NOT NULL,
    comment  TEXT,
    state    VARCHAR(20) NOT NULL DEFAULT 'cart'
);
CREATE TABLE order_lines (
    id       INT PRIMARY KEY,
    order_id INT NOT NULL,
    sku      VARCHAR(60) NOT NULL,
    qty      INT NOT NULL,
    price    DECIMAL(10,2) NOT NULL,
    FOREIGN KEY (order_id) REFERENCES orders (id) ON DELETE CASCADE
);
INSERT INTO orders
WITH RECURSIVE numbers AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM numbers WHERE n < 400)
SELECT n, 'c' || n || '@example.org', 'EUR', 'comment ' || n, CASE WHEN n % 10 = 0 THEN 'complete' ELSE 'cart' END FROM numbers;
INSERT INTO order_lines SELECT id * 10 + k, id, 'sku-' || k, k, id + k / 4 FROM orders, (SELECT 1 AS k UNION ALL SELECT 2 UNION ALL SELECT 3) three;

CREATE TABLE orders (id INT PRIMARY KEY, token VARCHAR(60) NOT NULL UNIQUE, email VARCHAR(60), note VARCHAR(60));
CREATE TABLE order_lines (
    id INT PRIMARY KEY, order_id INT NOT NULL, sku VARCHAR(60) NOT NULL, qty INT NOT NULL,
    FOREIGN KEY (order_id) REFERENCES orders (id) ON DELETE CASCADE
);
INSERT INTO orders
WITH RECURSIVE numbers AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM numbers WHERE n < 60)
SELECT n, 't-' || n, 'c' || n, CASE WHEN n % 2 = 0 THEN 'note ' || n END FROM numbers;
INSERT INTO order_lines SELECT id * 10 + k, id, 'sku-' || k, k FROM orders, (SELECT 1 AS k UNION ALL SELECT 2) two;

CREATE TABLE orders (id BIGINT PRIMARY KEY, email VARCHAR(120));
CREATE TABLE order_lines (
    id BIGINT PRIMARY KEY,
    order_id BIGINT NOT NULL,
    qty INT NOT NULL,
    FOREIGN KEY (order_id) REFERENCES orders (id) ON DELETE CASCADE
);
INSERT INTO orders
WITH RECURSIVE numbers AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM numbers WHERE n < 30)
SELECT n, 'c' || n || '@example.org' FROM numbers;
INSERT INTO order_lines SELECT id, id, 1 FROM orders;

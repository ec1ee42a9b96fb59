CREATE TABLE orders (
    id INT PRIMARY KEY, region INT, status VARCHAR(20) NOT NULL, gift VARCHAR(20), meta LONGTEXT NOT NULL
);
CREATE TABLE order_lines (
    id INT PRIMARY KEY, order_id INT NOT NULL, kind VARCHAR(20) NOT NULL, qty DECIMAL(12,4) NOT NULL,
    FOREIGN KEY (order_id) REFERENCES orders (id)
);
INSERT INTO orders
WITH RECURSIVE numbers AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM numbers WHERE n < 60)
SELECT n, n % 4, 'open', CASE WHEN n % 2 = 0 THEN 'y' ELSE 'n' END,
       'a:2:{s:2:"id";i:' || n || ';s:7:"options";O:8:"stdClass":1:{s:5:"color";s:2:"c' || (n % 7) || '";}}'
FROM numbers;
INSERT INTO order_lines
SELECT id * 10 + k, id, 'simple', k FROM orders, (SELECT 0 AS k UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3) four;

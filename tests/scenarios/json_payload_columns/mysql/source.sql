CREATE TABLE orders (id INT PRIMARY KEY, attributes JSON NOT NULL, raw JSON, token VARCHAR(60));
CREATE TABLE order_lines (
    id INT PRIMARY KEY, order_id INT NOT NULL, sku VARCHAR(60) NOT NULL, options JSON,
    FOREIGN KEY (order_id) REFERENCES orders (id)
);
INSERT INTO orders
WITH RECURSIVE numbers AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM numbers WHERE n < 60)
SELECT n, '{"locale": "de", "gift": ' || CASE WHEN n % 2 = 0 THEN 'true' ELSE 'false' END || ', "tags": ["a", ' || n || ']}',
       '{"z": 1, "a":  [1.50, null]}', 't"' || n
FROM numbers;
INSERT INTO order_lines
SELECT id * 10 + k, id, 'sku-' || k, '{"size": ' || k || ', "text": "q\"\u00e4\n"}' FROM orders, (SELECT 1 AS k UNION ALL SELECT 2) two;

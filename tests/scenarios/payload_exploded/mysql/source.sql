CREATE TABLE orders (id INT PRIMARY KEY, email VARCHAR(120), basket JSON);
CREATE TABLE order_notes (
    id INT PRIMARY KEY, order_id INT NOT NULL, payload LONGTEXT,
    FOREIGN KEY (order_id) REFERENCES orders (id) ON DELETE CASCADE
);
INSERT INTO orders
WITH RECURSIVE numbers AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM numbers WHERE n < 60)
SELECT n, 'c' || n, '{"items": {"a": {"sku":"a","qty":1,"price":"1.50"}, "b": {"sku":"b","qty":2,"price":"2.25"}}, "total": 7}' FROM numbers;
INSERT INTO order_notes SELECT id * 10 + k, id, '[{"text":"first","rank":1},{"text":"second","rank":2}]' FROM orders, (SELECT 1 AS k UNION ALL SELECT 2) two;

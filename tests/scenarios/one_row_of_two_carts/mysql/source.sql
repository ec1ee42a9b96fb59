CREATE TABLE orders (id BIGINT PRIMARY KEY, email VARCHAR(120) NOT NULL, name VARCHAR(60) NOT NULL);
-- The carts 1 to 12 and 101 to 112 are of the same customers.
INSERT INTO orders
WITH RECURSIVE numbers AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM numbers WHERE n < 400)
SELECT n, 'c' || m || '@example.org', 'Name ' || m
FROM (SELECT n, CASE WHEN n < 200 THEN n % 100 ELSE n END AS m FROM numbers) named
WHERE n BETWEEN 1 AND 12 OR n BETWEEN 101 AND 112 OR n >= 200;

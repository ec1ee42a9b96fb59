CREATE TABLE cart (cart_id BIGINT PRIMARY KEY, email VARCHAR(120) NOT NULL);
CREATE TABLE customer (email VARCHAR(120) COLLATE utf8mb4_bin PRIMARY KEY, name VARCHAR(60) NOT NULL);
-- A row that nobody owns is adopted where it is as it should be.
INSERT INTO customer
WITH RECURSIVE numbers AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM numbers WHERE n < 500)
SELECT 'c' || n || '@example.org', 'name ' || n FROM numbers WHERE n BETWEEN 200 AND 210 OR n IN (1, 500);

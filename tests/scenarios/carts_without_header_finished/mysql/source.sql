CREATE TABLE line (id INT PRIMARY KEY, customer INT NOT NULL, session VARCHAR(32) NOT NULL, sku VARCHAR(20) NOT NULL, qty INT NOT NULL, KEY (customer, session)) DEFAULT CHARSET=utf8mb4;
INSERT INTO line
WITH RECURSIVE numbers AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM numbers WHERE n < 20)
SELECT n * 10 + k, n, 's', concat('sku-', k), k FROM numbers, (SELECT 1 AS k UNION ALL SELECT 2) two;

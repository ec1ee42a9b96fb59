CREATE TABLE line (id INT PRIMARY KEY, customer INT NOT NULL, session VARCHAR(32) NOT NULL, sku VARCHAR(20) NOT NULL, qty INT NOT NULL, KEY (customer, session)) DEFAULT CHARSET=utf8mb4;
CREATE TABLE choice (id INT PRIMARY KEY, line_id INT NOT NULL, value VARCHAR(20) NOT NULL, FOREIGN KEY (line_id) REFERENCES line (id) ON DELETE CASCADE) DEFAULT CHARSET=utf8mb4;
INSERT INTO line
WITH RECURSIVE numbers AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM numbers WHERE n < 100)
SELECT n * 10 + k, n, concat('s', n), concat('sku-', k), k FROM numbers, (SELECT 1 AS k UNION ALL SELECT 2) two;
INSERT INTO choice SELECT id * 10 + k, id, concat('v', k) FROM line, (SELECT 1 AS k UNION ALL SELECT 2) two;
-- Nothing is in these yet.
INSERT INTO line
WITH RECURSIVE numbers AS (SELECT 201 AS n UNION ALL SELECT n + 1 FROM numbers WHERE n < 220)
SELECT n * 10, n, concat('e', n), 'none', 0 FROM numbers;

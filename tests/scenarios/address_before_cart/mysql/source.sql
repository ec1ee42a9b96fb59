CREATE TABLE quote (id INT PRIMARY KEY, email VARCHAR(120), active INT NOT NULL DEFAULT 1);
CREATE TABLE quote_address (
    id INT PRIMARY KEY, quote_id INT NOT NULL, kind VARCHAR(20) NOT NULL, street VARCHAR(120),
    FOREIGN KEY (quote_id) REFERENCES quote (id) ON DELETE CASCADE
);
CREATE TABLE quote_item (
    id INT PRIMARY KEY, quote_id INT NOT NULL, sku VARCHAR(60) NOT NULL, qty INT NOT NULL,
    FOREIGN KEY (quote_id) REFERENCES quote (id) ON DELETE CASCADE
);
INSERT INTO quote (id, email)
WITH RECURSIVE numbers AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM numbers WHERE n < 60)
SELECT n, 'c' || n FROM numbers;
INSERT INTO quote_address SELECT id * 10 + k, id, CASE k WHEN 1 THEN 'shipping' ELSE 'billing' END, id || ' High Street' FROM quote, (SELECT 1 AS k UNION ALL SELECT 2) two WHERE id % 4 > 0 OR k = 1;
INSERT INTO quote_item SELECT id * 10 + k, id, 'sku-' || k, k FROM quote, (SELECT 1 AS k UNION ALL SELECT 2) two;

CREATE TABLE quote (id INT UNSIGNED PRIMARY KEY, email VARCHAR(120));
CREATE TABLE quote_item (
    id INT UNSIGNED PRIMARY KEY, quote_id INT UNSIGNED NOT NULL, product_id INT NOT NULL,
    kind VARCHAR(9), qty INT NOT NULL,
    FOREIGN KEY (quote_id) REFERENCES quote (id) ON DELETE CASCADE
);
CREATE TABLE product (id BIGINT PRIMARY KEY, sku VARCHAR(60) NOT NULL);
CREATE TABLE shelf (
    id INT PRIMARY KEY, product_id BIGINT NOT NULL, kind VARCHAR(9) NOT NULL, code VARCHAR(60) NOT NULL,
    KEY (product_id)
);
CREATE TABLE numbers AS
WITH RECURSIVE numbers AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM numbers WHERE n < 100)
SELECT n FROM numbers;
INSERT INTO product SELECT n, 'S-' || n FROM numbers WHERE n <= 40;
INSERT INTO shelf SELECT n, n, 'a', 'shelf ' || n FROM numbers WHERE n <= 40 AND n % 2 = 0;
INSERT INTO shelf SELECT 100 + n, n, 'a', 'other ' || n FROM numbers WHERE n <= 40 AND n % 6 = 0;
INSERT INTO shelf SELECT 200 + n, n, 'A', 'large ' || n FROM numbers WHERE n <= 40 AND n % 2 = 0;
INSERT INTO quote SELECT n, 'c' || n FROM numbers;
INSERT INTO quote_item
    SELECT n * 10 + k, n, (n + k * 7) % 30 + 1, CASE WHEN k = 1 THEN 'a' END, n % 9
    FROM numbers, (SELECT 1 AS k UNION ALL SELECT 2 UNION ALL SELECT 3) three;
-- Its product is gone.
INSERT INTO quote_item SELECT n * 10 + 9, n, 99, 'a', 1 FROM numbers WHERE n % 5 = 1;
DROP TABLE numbers;

CREATE TABLE quote (id INT UNSIGNED PRIMARY KEY, email VARCHAR(120));
CREATE TABLE quote_item (
    id INT UNSIGNED PRIMARY KEY, quote_id INT UNSIGNED NOT NULL, sku VARCHAR(60) NOT NULL,
    FOREIGN KEY (quote_id) REFERENCES quote (id) ON DELETE CASCADE
);
CREATE TABLE item_option (
    id INT UNSIGNED PRIMARY KEY, item_id INT UNSIGNED NOT NULL, code VARCHAR(60) NOT NULL, value TEXT,
    FOREIGN KEY (item_id) REFERENCES quote_item (id) ON DELETE CASCADE
);
-- No foreign key: a file stays when its option is replaced.
CREATE TABLE option_file (
    id INT UNSIGNED PRIMARY KEY, option_id INT UNSIGNED NOT NULL, path VARCHAR(1000) NOT NULL, KEY (option_id)
);
INSERT INTO quote
WITH RECURSIVE numbers AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM numbers WHERE n < 20)
SELECT n, 'c' || n FROM numbers;
INSERT INTO quote_item SELECT id * 10 + k, id, 'sku-' || k FROM quote, (SELECT 1 AS k UNION ALL SELECT 2) two;
INSERT INTO item_option SELECT id * 10 + k, id, 'code-' || k, 'v' || id FROM quote_item, (SELECT 1 AS k UNION ALL SELECT 2) two;
INSERT INTO option_file SELECT id, id, '/f/' || id FROM item_option;

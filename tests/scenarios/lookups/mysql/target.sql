CREATE TABLE variant (id VARCHAR(60) PRIMARY KEY, sku VARCHAR(60) NOT NULL, title VARCHAR(60), deleted_at DATETIME, KEY (sku));
CREATE TABLE grade (least INT PRIMARY KEY, name VARCHAR(60) NOT NULL);
CREATE TABLE cart (id INT PRIMARY KEY, email VARCHAR(120));
CREATE TABLE cart_line (
    id INT PRIMARY KEY, cart_id INT NOT NULL, variant_id VARCHAR(60) NOT NULL, title VARCHAR(60) NOT NULL,
    shelf VARCHAR(60), grade VARCHAR(60), qty INT NOT NULL,
    FOREIGN KEY (cart_id) REFERENCES cart (id), FOREIGN KEY (variant_id) REFERENCES variant (id)
);
CREATE TABLE numbers AS
WITH RECURSIVE numbers AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM numbers WHERE n < 40)
SELECT n FROM numbers;
INSERT INTO variant SELECT 'var_S-' || n, 'S-' || n, CASE WHEN n % 7 > 0 THEN 'T-' || n END, NULL FROM numbers WHERE n <= 30;
INSERT INTO variant SELECT 'old_S-' || n, 'S-' || n, 'gone', now() FROM numbers;
INSERT INTO grade VALUES (6, 'six'), (7, 'seven');
DROP TABLE numbers;

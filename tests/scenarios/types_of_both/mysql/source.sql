CREATE TABLE orders (
    id CHAR(36) COLLATE utf8mb4_bin PRIMARY KEY,
    small SMALLINT, whole INT, large BIGINT, fixed DECIMAL(12,4), narrow FLOAT, wide DOUBLE,
    name VARCHAR(40), note TEXT, code CHAR(6), bytes BLOB, day DATE, clock TIME(6), moment DATETIME(6), instant TIMESTAMP(6) NULL,
    feeling ENUM ('calm', 'eager'), document JSON
);
INSERT INTO orders
WITH RECURSIVE numbers AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM numbers WHERE n < 40)
SELECT '00000000-0000-0000-0000-' || lpad(n, 12, '0'), n, -n, n * 4000000000, n / 3, n / 8, n / 8,
    'nämé ' || n, 'note ☃ ' || n, 'c' || n, unhex(lpad(hex(n), 8, '0')), DATE '2024-02-29' + INTERVAL n DAY, '23:59:59.999999',
    TIMESTAMP '2024-03-31 02:30:00' + INTERVAL n DAY, TIMESTAMP '2024-03-31 01:30:00' + INTERVAL n HOUR,
    CASE n % 2 WHEN 0 THEN 'calm' ELSE 'eager' END, JSON_OBJECT('n', n, 'text', 'ü"' || n)
FROM numbers;

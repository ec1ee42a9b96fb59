CREATE TABLE orders (id integer PRIMARY KEY, email text, payload text, notes text);
ALTER TABLE orders ALTER COLUMN payload SET STORAGE EXTERNAL;
CREATE TABLE order_lines (id integer PRIMARY KEY, order_id integer NOT NULL REFERENCES orders, sku text NOT NULL, configuration text);
ALTER TABLE order_lines ALTER COLUMN configuration SET STORAGE EXTERNAL;
ALTER TABLE order_lines REPLICA IDENTITY FULL;
INSERT INTO orders SELECT n, 'c' || n, repeat(md5(n::text), 300), 'n' FROM generate_series(1, 50) n;
INSERT INTO order_lines SELECT n * 10 + k, n, 'sku', repeat(md5(k::text), 300) FROM generate_series(1, 50) n, generate_series(1, 2) k;

CREATE TABLE orders (id integer PRIMARY KEY, token text NOT NULL UNIQUE, email text, note text);
CREATE TABLE order_lines (id integer PRIMARY KEY, order_id integer NOT NULL REFERENCES orders ON DELETE CASCADE, sku text NOT NULL, qty integer NOT NULL);
ALTER TABLE orders REPLICA IDENTITY FULL;
ALTER TABLE order_lines REPLICA IDENTITY FULL;
INSERT INTO orders SELECT n, 't-' || n, 'c' || n, CASE WHEN n % 2 = 0 THEN 'note ' || n END FROM generate_series(1, 60) n;
INSERT INTO order_lines SELECT n * 10 + k, n, 'sku-' || k, k FROM generate_series(1, 60) n, generate_series(1, 2) k;

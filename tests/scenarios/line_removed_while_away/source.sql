CREATE TABLE orders (id bigint PRIMARY KEY, email text, status text NOT NULL DEFAULT 'open');
CREATE TABLE order_lines (
    id bigint PRIMARY KEY,
    order_id bigint NOT NULL REFERENCES orders ON DELETE CASCADE,
    sku text NOT NULL
);
CREATE INDEX ON order_lines (order_id);
ALTER TABLE order_lines REPLICA IDENTITY FULL;
INSERT INTO orders SELECT n, 'c' || n || '@example.org' FROM generate_series(1, 60) n;
INSERT INTO order_lines SELECT n * 10 + k, n, 'sku-' || k FROM generate_series(1, 60) n, generate_series(1, 4) k;

CREATE TABLE orders (id bigint PRIMARY KEY, email text, currency char(3) NOT NULL, status text NOT NULL DEFAULT 'open');
CREATE TABLE order_lines (
    id bigint PRIMARY KEY,
    order_id bigint NOT NULL REFERENCES orders ON DELETE CASCADE,
    sku text NOT NULL,
    qty integer NOT NULL,
    price numeric(10,2) NOT NULL
);
CREATE INDEX ON order_lines (order_id);
ALTER TABLE order_lines REPLICA IDENTITY FULL;
INSERT INTO orders SELECT n, 'c' || n || '@example.org', 'EUR' FROM generate_series(1, 200) n;
INSERT INTO order_lines SELECT n * 10 + k, n, 'sku-' || k, k, n * 1.25 + k FROM generate_series(1, 200) n, generate_series(1, 3) k;

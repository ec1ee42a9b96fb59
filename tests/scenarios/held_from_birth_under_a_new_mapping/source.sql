CREATE TABLE orders (id bigint PRIMARY KEY, email text);
CREATE TABLE order_lines (
    id bigint PRIMARY KEY,
    order_id bigint NOT NULL REFERENCES orders ON DELETE CASCADE,
    qty integer NOT NULL
);
CREATE INDEX ON order_lines (order_id);
ALTER TABLE order_lines REPLICA IDENTITY FULL;
INSERT INTO orders SELECT n, 'c' || n || '@example.org' FROM generate_series(1, 30) n;
INSERT INTO order_lines SELECT n, n, 1 FROM generate_series(1, 30) n;

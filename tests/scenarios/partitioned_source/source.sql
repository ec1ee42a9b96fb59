CREATE TABLE orders (id bigint PRIMARY KEY, email text, currency char(3) NOT NULL, status text NOT NULL DEFAULT 'open') PARTITION BY RANGE (id);
CREATE TABLE orders_low PARTITION OF orders FOR VALUES FROM (0) TO (100);
CREATE TABLE orders_high PARTITION OF orders FOR VALUES FROM (100) TO (100000);
CREATE TABLE order_lines (
    id bigint NOT NULL,
    order_id bigint NOT NULL REFERENCES orders ON DELETE CASCADE,
    sku text NOT NULL,
    qty integer NOT NULL,
    price numeric(10,2) NOT NULL,
    PRIMARY KEY (order_id, id)
) PARTITION BY HASH (order_id);
CREATE TABLE order_lines_0 PARTITION OF order_lines FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE order_lines_1 PARTITION OF order_lines FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO orders SELECT n, 'c' || n || '@example.org', 'EUR' FROM generate_series(1, 200) n;
INSERT INTO order_lines SELECT n * 10 + k, n, 'sku-' || k, k, n * 1.25 + k FROM generate_series(1, 200) n, generate_series(1, 3) k;

CREATE TABLE orders (
    id       integer PRIMARY KEY,
    email    text,
    currency text NOT NULL,
    comment  text,
    state    text NOT NULL DEFAULT 'cart'
);
CREATE TABLE order_lines (
    id       integer PRIMARY KEY,
    order_id integer NOT NULL REFERENCES orders ON DELETE CASCADE,
    sku      text NOT NULL,
    qty      integer NOT NULL,
    price    numeric(10,2) NOT NULL
);
CREATE INDEX ON order_lines (order_id);
ALTER TABLE order_lines REPLICA IDENTITY FULL;
INSERT INTO orders
SELECT n, 'c' || n || '@example.org', 'EUR', 'comment ' || n, CASE WHEN n % 10 = 0 THEN 'complete' ELSE 'cart' END
FROM generate_series(1, 400) n;
INSERT INTO order_lines
SELECT o * 10 + l, o, 'sku-' || l, l, o + l / 4.0 FROM generate_series(1, 400) o, generate_series(1, 3) l;

-- Equal values that are written differently: 1, 1.0 and 1.00, and blanks at the end of char(n).
CREATE TABLE orders (shop char(4), number numeric, token uuid, email text, PRIMARY KEY (shop, number, token));
CREATE TABLE order_lines (
    id numeric PRIMARY KEY,
    shop char(6) NOT NULL,
    number numeric NOT NULL,
    token uuid NOT NULL,
    sku text NOT NULL,
    FOREIGN KEY (shop, number, token) REFERENCES orders ON DELETE CASCADE
);
CREATE TABLE options (id integer PRIMARY KEY, line_id numeric NOT NULL REFERENCES order_lines ON DELETE CASCADE, code text NOT NULL);
CREATE INDEX ON order_lines (shop, number, token);
ALTER TABLE order_lines REPLICA IDENTITY FULL;
ALTER TABLE options REPLICA IDENTITY FULL;
INSERT INTO orders SELECT 'EU', n::numeric(10,2), ('00000000-0000-0000-0000-' || lpad(n::text, 12, '0'))::uuid, 'c' || n FROM generate_series(1, 60) n;
INSERT INTO order_lines SELECT (n * 10 + k)::numeric(10,1), 'EU', n::numeric(10,3), ('00000000-0000-0000-0000-' || lpad(n::text, 12, '0'))::uuid, 'sku-' || k
FROM generate_series(1, 60) n, generate_series(1, 3) k;
INSERT INTO options SELECT n, n * 10 + 1, 'gift' FROM generate_series(1, 60) n;

CREATE TABLE quote (id integer PRIMARY KEY, email text);
CREATE TABLE quote_item (
    id integer PRIMARY KEY, quote_id integer NOT NULL REFERENCES quote ON DELETE CASCADE,
    product_id integer NOT NULL, kind text, qty integer NOT NULL
);
CREATE INDEX ON quote_item (quote_id);
ALTER TABLE quote_item REPLICA IDENTITY FULL;
CREATE TABLE product (id bigint PRIMARY KEY, sku text NOT NULL);
CREATE TABLE shelf (id integer PRIMARY KEY, product_id bigint NOT NULL, kind text NOT NULL, code text NOT NULL);
CREATE INDEX ON shelf (product_id);
INSERT INTO product SELECT n, 'S-' || n FROM generate_series(1, 40) n;
INSERT INTO shelf SELECT n, n, 'a', 'shelf ' || n FROM generate_series(2, 40, 2) n;
INSERT INTO shelf SELECT 100 + n, n, 'a', 'other ' || n FROM generate_series(6, 40, 6) n;
INSERT INTO shelf SELECT 200 + n, n, 'A', 'large ' || n FROM generate_series(2, 40, 2) n;
INSERT INTO quote SELECT n, 'c' || n FROM generate_series(1, 100) n;
INSERT INTO quote_item
    SELECT n * 10 + k, n, (n + k * 7) % 30 + 1, CASE WHEN k = 1 THEN 'a' END, n % 9
    FROM generate_series(1, 100) n, generate_series(1, 3) k;
-- Its product is gone.
INSERT INTO quote_item SELECT n * 10 + 9, n, 99, 'a', 1 FROM generate_series(1, 100, 5) n;

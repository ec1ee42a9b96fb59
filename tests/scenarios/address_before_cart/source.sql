CREATE TABLE quote (id integer PRIMARY KEY, email text, active integer NOT NULL DEFAULT 1);
CREATE TABLE quote_address (
    id integer PRIMARY KEY,
    quote_id integer NOT NULL REFERENCES quote ON DELETE CASCADE,
    kind text NOT NULL,
    street text
);
CREATE TABLE quote_item (
    id integer PRIMARY KEY, quote_id integer NOT NULL REFERENCES quote ON DELETE CASCADE, sku text NOT NULL, qty integer NOT NULL
);
ALTER TABLE quote_address REPLICA IDENTITY FULL;
ALTER TABLE quote_item REPLICA IDENTITY FULL;
INSERT INTO quote SELECT n, 'c' || n FROM generate_series(1, 60) n;
INSERT INTO quote_address SELECT n * 10 + k, n, CASE k WHEN 1 THEN 'shipping' ELSE 'billing' END, n || ' High Street' FROM generate_series(1, 60) n, generate_series(1, 2) k WHERE n % 4 > 0 OR k = 1;
INSERT INTO quote_item SELECT n * 10 + k, n, 'sku-' || k, k FROM generate_series(1, 60) n, generate_series(1, 2) k;

CREATE TABLE orders (id integer PRIMARY KEY, attributes jsonb NOT NULL, raw json, token text);
CREATE TABLE order_lines (id integer PRIMARY KEY, order_id integer NOT NULL REFERENCES orders, sku text NOT NULL, options jsonb);
ALTER TABLE order_lines REPLICA IDENTITY FULL;
INSERT INTO orders SELECT n, jsonb_build_object('locale', 'de', 'gift', n % 2 = 0, 'tags', jsonb_build_array('a', n)), '{"z": 1, "a":  [1.50, null]}', 't"' || n FROM generate_series(1, 60) n;
INSERT INTO order_lines SELECT n * 10 + k, n, 'sku-' || k, jsonb_build_object('size', k, 'text', E'q"\u00e4\n') FROM generate_series(1, 60) n, generate_series(1, 2) k;

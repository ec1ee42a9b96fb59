CREATE TABLE orders (id integer PRIMARY KEY, email text, basket jsonb);
CREATE TABLE order_notes (id integer PRIMARY KEY, order_id integer NOT NULL REFERENCES orders ON DELETE CASCADE, payload text);
ALTER TABLE order_notes REPLICA IDENTITY FULL;
INSERT INTO orders SELECT n, 'c' || n, '{"items": {"a": {"sku":"a","qty":1,"price":"1.50"}, "b": {"sku":"b","qty":2,"price":"2.25"}}, "total": 7}' FROM generate_series(1, 60) n;
INSERT INTO order_notes SELECT n * 10 + k, n, '[{"text":"first","rank":1},{"text":"second","rank":2}]' FROM generate_series(1, 60) n, generate_series(1, 2) k;

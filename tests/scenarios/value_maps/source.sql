CREATE TABLE orders (id integer PRIMARY KEY, region integer, status text NOT NULL, gift text, meta text NOT NULL);
CREATE TABLE order_lines (id integer PRIMARY KEY, order_id integer NOT NULL REFERENCES orders, kind text NOT NULL, qty numeric(12,4) NOT NULL);
ALTER TABLE order_lines REPLICA IDENTITY FULL;
INSERT INTO orders SELECT n, n % 4, 'open', CASE WHEN n % 2 = 0 THEN 'y' ELSE 'n' END,
       'a:2:{s:2:"id";i:' || n || ';s:7:"options";O:8:"stdClass":1:{s:5:"color";s:2:"c' || n % 7 || '";}}'
FROM generate_series(1, 60) n;
INSERT INTO order_lines SELECT id * 10 + k, id, 'simple', k FROM orders, generate_series(0, 3) k;

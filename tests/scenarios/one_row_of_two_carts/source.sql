CREATE TABLE orders (id bigint PRIMARY KEY, email text NOT NULL, name text NOT NULL);
-- The carts 1 to 12 and 101 to 112 are of the same customers.
INSERT INTO orders SELECT n, 'c' || n % 100 || '@example.org', 'Name ' || n % 100
FROM generate_series(1, 12) n;
INSERT INTO orders SELECT n, 'c' || n % 100 || '@example.org', 'Name ' || n % 100
FROM generate_series(101, 112) n;
INSERT INTO orders SELECT n, 'c' || n || '@example.org', 'Name ' || n FROM generate_series(200, 400) n;

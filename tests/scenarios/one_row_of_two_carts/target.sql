CREATE TABLE cart (cart_id bigint PRIMARY KEY, email text NOT NULL);
CREATE TABLE customer (email text PRIMARY KEY, name text NOT NULL);
-- A row that nobody owns is adopted where it is as it should be.
INSERT INTO customer SELECT 'c' || n || '@example.org', 'name ' || n FROM generate_series(200, 210) n;
INSERT INTO customer VALUES ('c1@example.org', 'name 1'), ('c500@example.org', 'name 500');

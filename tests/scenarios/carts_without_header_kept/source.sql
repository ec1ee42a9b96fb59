CREATE TABLE line (id integer PRIMARY KEY, customer integer NOT NULL, session varchar(32) NOT NULL, sku varchar(20) NOT NULL, qty integer NOT NULL);
CREATE TABLE choice (id integer PRIMARY KEY, line_id integer NOT NULL REFERENCES line ON DELETE CASCADE, value varchar(20) NOT NULL);
CREATE INDEX ON line (customer, session);
CREATE INDEX ON choice (line_id);
ALTER TABLE line REPLICA IDENTITY FULL;
ALTER TABLE choice REPLICA IDENTITY FULL;
INSERT INTO line SELECT n * 10 + k, n, 's' || n, 'sku-' || k, k FROM generate_series(1, 100) n, generate_series(1, 2) k;
INSERT INTO choice SELECT id * 10 + k, id, 'v' || k FROM line, generate_series(1, 2) k;
-- Nothing is in these yet.
INSERT INTO line SELECT n * 10, n, 'e' || n, 'none', 0 FROM generate_series(201, 220) n;

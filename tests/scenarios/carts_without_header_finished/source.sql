CREATE TABLE line (id integer PRIMARY KEY, customer integer NOT NULL, session varchar(32) NOT NULL, sku varchar(20) NOT NULL, qty integer NOT NULL);
CREATE INDEX ON line (customer, session);
ALTER TABLE line REPLICA IDENTITY FULL;
INSERT INTO line SELECT n * 10 + k, n, 's', 'sku-' || k, k FROM generate_series(1, 20) n, generate_series(1, 2) k;

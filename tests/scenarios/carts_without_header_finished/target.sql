CREATE TABLE basket (token varchar(40) PRIMARY KEY, customer integer NOT NULL, session varchar(32) NOT NULL, entries integer NOT NULL, sold_at timestamptz);
CREATE TABLE entry (id integer PRIMARY KEY, basket varchar(40) NOT NULL REFERENCES basket, sku varchar(20) NOT NULL, qty integer NOT NULL);

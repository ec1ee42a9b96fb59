CREATE TABLE cart (id integer PRIMARY KEY, region_id text NOT NULL, state integer NOT NULL, gift boolean, color text NOT NULL);
CREATE TABLE line (id integer PRIMARY KEY, cart_id integer NOT NULL REFERENCES cart, kind text NOT NULL, qty integer NOT NULL);
CREATE INDEX ON line (cart_id);

CREATE TABLE cart (id integer PRIMARY KEY, email text, version integer NOT NULL);
CREATE TABLE cart_line (id text PRIMARY KEY, cart_id integer NOT NULL REFERENCES cart, product text NOT NULL, quantity integer NOT NULL);
CREATE TABLE cart_extra (id text PRIMARY KEY, cart_id integer NOT NULL REFERENCES cart, name text, pieces integer);

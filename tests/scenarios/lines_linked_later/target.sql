CREATE TABLE cart (id integer PRIMARY KEY, code varchar(20) NOT NULL, total integer NOT NULL);
CREATE TABLE cart_line (id integer PRIMARY KEY, cart_id integer NOT NULL REFERENCES cart, quantity integer NOT NULL);
CREATE TABLE cart_adjustment (id integer PRIMARY KEY, line_id integer NOT NULL REFERENCES cart_line, amount integer NOT NULL);
CREATE TABLE cart_surcharge (id integer PRIMARY KEY, cart_id integer NOT NULL REFERENCES cart, amount integer NOT NULL);

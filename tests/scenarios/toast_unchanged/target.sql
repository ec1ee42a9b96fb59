CREATE TABLE cart (id integer PRIMARY KEY, email text, payload text);
CREATE TABLE line (id integer PRIMARY KEY, cart_id integer NOT NULL REFERENCES cart, sku text NOT NULL, configuration text);

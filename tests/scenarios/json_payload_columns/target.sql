CREATE TABLE cart (id integer PRIMARY KEY, locale text, gift text, first_tag text, tags integer, metadata jsonb NOT NULL, raw json, skus jsonb);
CREATE TABLE line (id integer PRIMARY KEY, cart_id integer NOT NULL REFERENCES cart, size integer, options jsonb);

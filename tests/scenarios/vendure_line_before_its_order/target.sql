CREATE TABLE cart (code text PRIMARY KEY, customer integer, token text, currency text NOT NULL);
CREATE TABLE cart_line (
    id integer PRIMARY KEY, code text NOT NULL REFERENCES cart, variant integer NOT NULL, quantity integer NOT NULL CHECK (quantity > 0),
    price numeric(12,2) NOT NULL
);
CREATE INDEX ON cart_line (code);

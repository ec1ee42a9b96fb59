CREATE TABLE cart_address (id text PRIMARY KEY, street text);
CREATE TABLE cart (
    id text PRIMARY KEY,
    email text,
    shipping_address_id text REFERENCES cart_address,
    billing_address_id text REFERENCES cart_address
);
CREATE TABLE cart_line (id text PRIMARY KEY, cart_id text NOT NULL REFERENCES cart, product text NOT NULL, quantity integer NOT NULL);

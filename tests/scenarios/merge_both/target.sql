CREATE TABLE cart (cart_id bigint PRIMARY KEY, customer_email text, currency_code text NOT NULL, version integer NOT NULL);
CREATE TABLE cart_line (
    line_id bigint PRIMARY KEY,
    cart_id bigint NOT NULL REFERENCES cart,
    product text NOT NULL,
    quantity integer NOT NULL,
    unit_price numeric(10,2) NOT NULL
);
CREATE INDEX ON cart_line (cart_id);

CREATE TABLE cart (
    id      integer PRIMARY KEY,
    email   text,
    money   text,
    note    text,
    pieces  integer,
    version bigint NOT NULL
);
CREATE TABLE cart_line (
    id      integer PRIMARY KEY,
    cart_id integer NOT NULL REFERENCES cart,
    product text NOT NULL,
    amount  integer NOT NULL,
    price   numeric(12,2)
);
CREATE INDEX ON cart_line (cart_id);
CREATE TABLE cart_contact (cart_id integer PRIMARY KEY, address text NOT NULL);

CREATE TABLE cart (cart_id bigint PRIMARY KEY, email text, open boolean NOT NULL, version integer NOT NULL DEFAULT 1);
CREATE TABLE cart_line (
    line_id bigint PRIMARY KEY,
    cart_id bigint NOT NULL REFERENCES cart,
    product text NOT NULL,
    removed boolean NOT NULL
);
CREATE INDEX ON cart_line (cart_id);

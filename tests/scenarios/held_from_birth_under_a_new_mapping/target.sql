CREATE TABLE cart (cart_id bigint PRIMARY KEY, email text, version integer NOT NULL DEFAULT 1);
CREATE TABLE cart_line (
    line_id bigint PRIMARY KEY,
    cart_id bigint NOT NULL REFERENCES cart,
    quantity integer NOT NULL CHECK (quantity < 1000)
);
CREATE INDEX ON cart_line (cart_id);

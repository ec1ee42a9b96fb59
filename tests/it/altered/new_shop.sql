CREATE TABLE cart (
    id bigint PRIMARY KEY, email varchar(60), counter integer NOT NULL, pieces integer NOT NULL,
    total numeric(20,4) NOT NULL, version integer NOT NULL DEFAULT 1
);
CREATE TABLE line (
    id bigint PRIMARY KEY, cart_id bigint NOT NULL REFERENCES cart, sku varchar(40) NOT NULL,
    qty integer NOT NULL, price numeric(14,4) NOT NULL
);
CREATE INDEX ON line (cart_id);

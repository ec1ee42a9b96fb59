-- The old shop of the crash matrix. `saved` is a column that no expression reads.
CREATE TABLE carts (
    id       bigint PRIMARY KEY,
    token    text NOT NULL,
    email    text,
    currency text NOT NULL,
    note     text,
    state    text NOT NULL DEFAULT 'cart',
    saved    integer NOT NULL DEFAULT 0
);
CREATE TABLE lines (
    id       bigint PRIMARY KEY,
    cart_id  bigint NOT NULL REFERENCES carts ON UPDATE CASCADE ON DELETE CASCADE,
    sku      text NOT NULL,
    quantity integer NOT NULL,
    price    numeric(12, 3) NOT NULL
);
CREATE INDEX ON lines (cart_id);
CREATE TABLE options (
    id      bigint PRIMARY KEY,
    line_id bigint NOT NULL REFERENCES lines ON DELETE CASCADE,
    name    text NOT NULL,
    value   text NOT NULL
);
CREATE INDEX ON options (line_id);
CREATE TABLE perks (
    id      bigint PRIMARY KEY,
    cart_id bigint NOT NULL REFERENCES carts ON UPDATE CASCADE ON DELETE CASCADE,
    code    text NOT NULL
);
CREATE INDEX ON perks (cart_id);
ALTER TABLE lines REPLICA IDENTITY FULL;
ALTER TABLE options REPLICA IDENTITY FULL;
ALTER TABLE perks REPLICA IDENTITY FULL;

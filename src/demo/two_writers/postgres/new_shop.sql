-- The new shop of two writers: a version that each of its own writes increases, and what was meant
-- by each change.

CREATE TABLE cart (
    id         bigint PRIMARY KEY,
    email      text NOT NULL,
    remark     text NOT NULL,
    note       text NOT NULL,
    version    integer NOT NULL,
    updated_at timestamptz NOT NULL
);

CREATE TABLE cart_line (
    id       text PRIMARY KEY,
    cart_id  bigint NOT NULL REFERENCES cart,
    sku      text NOT NULL,
    quantity integer NOT NULL CHECK (quantity > 0)
);
CREATE INDEX ON cart_line (cart_id, sku);

CREATE TABLE intended (
    cart_id bigint NOT NULL,
    what    text NOT NULL,
    amount  integer NOT NULL
);
CREATE INDEX ON intended (cart_id, what);

-- The new shop of docs/tutorial.md.
CREATE TABLE cart (
    id            text PRIMARY KEY,
    email         text,
    currency_code varchar(3) NOT NULL,
    token         text,
    gift_message  varchar(200),
    sales_office  text NOT NULL,
    channel       text NOT NULL DEFAULT 'web',
    version       integer NOT NULL,
    completed_at  timestamptz,
    created_at    timestamptz NOT NULL,
    updated_at    timestamptz NOT NULL
);
CREATE TABLE cart_line (
    id          text PRIMARY KEY,
    cart_id     text NOT NULL REFERENCES cart,
    variant_sku text NOT NULL,
    quantity    integer NOT NULL,
    unit_price  numeric(20,6) NOT NULL
);
CREATE INDEX ON cart_line (cart_id);

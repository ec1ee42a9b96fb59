-- The new shop: carts under text identifiers, money in minor units, totals kept on the cart, and
-- a version that each of its own writes increases.

CREATE TABLE cart (
    id            text PRIMARY KEY,
    token         text NOT NULL UNIQUE,
    email         text,
    customer_ref  text,
    channel       text NOT NULL,
    currency_code text NOT NULL CHECK (currency_code = lower(currency_code)),
    item_count    integer NOT NULL,
    item_total    bigint NOT NULL,
    note          text,
    metadata      jsonb NOT NULL,
    version       integer NOT NULL DEFAULT 1,
    sales_region  text NOT NULL DEFAULT 'europe',
    reminded_at   timestamptz,
    created_at    timestamptz NOT NULL,
    updated_at    timestamptz NOT NULL,
    completed_at  timestamptz
);

CREATE TABLE cart_line (
    id         text PRIMARY KEY,
    cart_id    text NOT NULL REFERENCES cart,
    sku        text NOT NULL,
    name       text NOT NULL,
    quantity   integer NOT NULL,
    unit_minor bigint NOT NULL,
    line_minor bigint NOT NULL,
    options    jsonb,
    source_id  bigint NOT NULL,
    gift       boolean NOT NULL DEFAULT false,
    added_at   timestamptz NOT NULL
);
CREATE INDEX ON cart_line (cart_id);

-- The new shop: other names, keys of its own, money in minor units, totals in the header.
CREATE TABLE basket (
    id           text PRIMARY KEY,
    token        uuid NOT NULL UNIQUE,
    customer_ref text,
    currency     text NOT NULL,
    state        text NOT NULL,
    item_count   integer NOT NULL,
    total_minor  bigint NOT NULL,
    created_at   timestamptz NOT NULL,
    updated_at   timestamptz NOT NULL,
    version      integer NOT NULL DEFAULT 1
);
CREATE TABLE basket_line (
    id         text PRIMARY KEY,
    basket_id  text NOT NULL REFERENCES basket,
    sku        text NOT NULL,
    quantity   integer NOT NULL,
    unit_minor bigint NOT NULL,
    added_at   timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    UNIQUE (basket_id, sku)
);

-- The new shop of the crash matrix. It refuses more than 999 pieces on a line.
CREATE TABLE cart (
    id           text PRIMARY KEY,
    source_id    bigint NOT NULL,
    token        text NOT NULL,
    email        text,
    currency     text NOT NULL,
    note         text,
    perks        integer NOT NULL,
    item_count   integer NOT NULL,
    total        bigint NOT NULL,
    version      integer NOT NULL DEFAULT 1,
    completed_at timestamptz
);
CREATE TABLE cart_line (
    id         text PRIMARY KEY,
    cart_id    text NOT NULL REFERENCES cart,
    source_id  bigint NOT NULL,
    sku        text NOT NULL,
    quantity   integer NOT NULL CHECK (quantity < 1000),
    unit_minor bigint NOT NULL,
    line_minor bigint NOT NULL,
    options    jsonb
);
CREATE INDEX ON cart_line (cart_id);

-- The new shop. It refuses more than 999 pieces on a line.
CREATE TABLE cart (
    id bigint PRIMARY KEY, email text, counter integer NOT NULL, pieces integer NOT NULL,
    total numeric NOT NULL, version integer NOT NULL DEFAULT 1, completed_at timestamptz
);
CREATE TABLE line (
    id bigint PRIMARY KEY, cart_id bigint NOT NULL REFERENCES cart, sku text NOT NULL,
    qty integer NOT NULL CHECK (qty < 1000), price numeric NOT NULL, details jsonb
);
CREATE INDEX ON line (cart_id);

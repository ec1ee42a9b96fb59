CREATE TABLE cart (id integer PRIMARY KEY, email text, deleted_at timestamptz);
CREATE TABLE cart_line (
    id text PRIMARY KEY,
    cart_id integer NOT NULL REFERENCES cart,
    sku text NOT NULL,
    quantity integer NOT NULL,
    price numeric(10,2) NOT NULL,
    deleted_at timestamptz
);
CREATE TABLE cart_note (id text PRIMARY KEY, cart_id integer NOT NULL REFERENCES cart, note text, source jsonb NOT NULL);

CREATE TABLE cart (id integer PRIMARY KEY, email text);
CREATE TABLE cart_line (
    id text PRIMARY KEY,
    cart_id integer NOT NULL REFERENCES cart,
    product text NOT NULL,
    quantity integer NOT NULL,
    parts integer NOT NULL,
    address integer NOT NULL,
    email text,
    deleted_at timestamptz
);

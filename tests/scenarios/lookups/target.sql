CREATE TABLE variant (id text PRIMARY KEY, sku text NOT NULL, title text, deleted_at timestamptz);
CREATE INDEX ON variant (sku);
CREATE TABLE grade (least integer PRIMARY KEY, name text NOT NULL);
CREATE TABLE cart (id integer PRIMARY KEY, email text);
CREATE TABLE cart_line (
    id integer PRIMARY KEY, cart_id integer NOT NULL REFERENCES cart,
    variant_id text NOT NULL REFERENCES variant, title text NOT NULL, shelf text, grade text, qty integer NOT NULL
);
INSERT INTO variant SELECT 'var_S-' || n, 'S-' || n, CASE WHEN n % 7 > 0 THEN 'T-' || n END, NULL FROM generate_series(1, 30) n;
INSERT INTO variant SELECT 'old_S-' || n, 'S-' || n, 'gone', now() FROM generate_series(1, 40) n;
INSERT INTO grade VALUES (6, 'six'), (7, 'seven');

CREATE TABLE cart (cart_id text PRIMARY KEY, email text, line_count bigint NOT NULL);
CREATE TABLE cart_line (line_id bigint PRIMARY KEY, cart_id text NOT NULL REFERENCES cart, sku text NOT NULL);
CREATE INDEX ON cart_line (cart_id);

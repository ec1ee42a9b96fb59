//! What a stall sells: both schemas, the configuration between them, and an oracle for either side.

/// Carts 1 to 9 are open, 10 to 12 are not. Cart 7 has the lines 71 and 72, line 71 the option 711.
pub const SOURCE: &str = "
CREATE TABLE orders (
    id integer PRIMARY KEY, email text, note text, status text NOT NULL DEFAULT 'open'
);
CREATE TABLE lines (
    id integer PRIMARY KEY, order_id integer REFERENCES orders ON DELETE CASCADE,
    sku text NOT NULL, qty integer NOT NULL, gift text
);
CREATE TABLE options (
    id integer PRIMARY KEY, line_id integer NOT NULL REFERENCES lines ON DELETE CASCADE,
    label text NOT NULL
);
CREATE INDEX ON lines (order_id);
CREATE INDEX ON options (line_id);
ALTER TABLE lines REPLICA IDENTITY FULL;
ALTER TABLE options REPLICA IDENTITY FULL;
INSERT INTO orders
SELECT n, 'c' || n, 'note', CASE WHEN n < 10 THEN 'open' ELSE 'bought' END FROM generate_series(1, 12) n;
INSERT INTO lines SELECT n * 10 + k, n, 'sku-' || k, k FROM generate_series(1, 12) n, generate_series(1, 2) k;
INSERT INTO options SELECT id * 10 + 1, id, 'plain' FROM lines WHERE id % 10 = 1;
";

pub const TARGET: &str = "
CREATE TABLE cart (id integer PRIMARY KEY, email text, note text);
CREATE TABLE cart_line (
    id integer PRIMARY KEY, cart_id integer NOT NULL REFERENCES cart,
    sku text NOT NULL, qty integer NOT NULL, gift text
);
CREATE TABLE cart_option (
    id integer PRIMARY KEY, line_id integer NOT NULL REFERENCES cart_line, label text NOT NULL
);
CREATE INDEX ON cart_line (cart_id);
CREATE INDEX ON cart_option (line_id);
";

pub const CONFIG: &str = r#"
name = "{{name}}"

[source]
kind = "postgres"
url = "{{source_url}}"

[target]
kind = "postgres"
url = "{{target_url}}"

[apply]
lanes = 1

[refresh]
chunk_carts = 1000

[cart]
table = "orders"
key = "id"
live = "status = 'open'"

[cart.rows]
lines = { cart = "order_id", key = "id" }
options = { parent = "lines", by = "line_id", key = "id" }

[[into]]
table = "cart"
per = "orders"
role = "header"
lock = "row"
ended = "delete"

  [into.columns]
  id    = { key = "id" }
  email = "email"
  note  = "note"

[[into]]
table = "cart_line"
per = "lines"
role = "line"
ended = "delete"

  [into.columns]
  id      = { key = "id" }
  cart_id = "order_id"
  sku     = "sku"
  qty     = "qty"
  gift    = "gift"

[[into]]
table = "cart_option"
per = "options"
ended = "delete"

  [into.columns]
  id      = { key = "id" }
  line_id = "line_id"
  label   = "label"
"#;

/// The part of the configuration that moves the options.
pub const OPTIONS: &str = r#"[[into]]
table = "cart_option"
per = "options"
ended = "delete"

  [into.columns]
  id      = { key = "id" }
  line_id = "line_id"
  label   = "label"
"#;

pub const ORACLE_SOURCE: &str = "
SELECT 'cart', id, email, note, NULL, NULL FROM orders WHERE status = 'open'
UNION ALL
SELECT 'line', l.id, l.order_id::text, sku, qty, gift
FROM lines l JOIN orders o ON o.id = order_id WHERE status = 'open'
UNION ALL
SELECT 'option', p.id, line_id::text, label, NULL, NULL
FROM options p JOIN lines l ON l.id = line_id JOIN orders o ON o.id = order_id WHERE status = 'open'";

pub const ORACLE_TARGET: &str = "
SELECT 'cart', id, email, note, NULL, NULL FROM cart
UNION ALL SELECT 'line', id, cart_id::text, sku, qty, gift FROM cart_line
UNION ALL SELECT 'option', id, line_id::text, label, NULL, NULL FROM cart_option";

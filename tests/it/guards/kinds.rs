//! Kinds of shops: their tables, the configuration between them, and what is particular about each.

pub const OLD: &str = "
    CREATE TABLE orders (
        id bigint PRIMARY KEY, email text, currency char(3) NOT NULL DEFAULT 'EUR',
        status text NOT NULL DEFAULT 'open', hits integer NOT NULL DEFAULT 0,
        changed timestamptz NOT NULL DEFAULT '2026-01-01 00:00:00+00');
    CREATE TABLE order_lines (
        id bigint PRIMARY KEY,
        order_id bigint NOT NULL REFERENCES orders ON DELETE CASCADE ON UPDATE CASCADE,
        sku text, qty integer NOT NULL);
    CREATE INDEX ON order_lines (order_id);
    ALTER TABLE order_lines REPLICA IDENTITY FULL;";

pub const NEW: &str = "
    CREATE TABLE cart (
        cart_id bigint PRIMARY KEY, customer_email text, currency_code text NOT NULL,
        version integer NOT NULL DEFAULT 1, updated_at timestamptz,
        completed_at timestamptz, deleted_at timestamptz, paid boolean NOT NULL DEFAULT false);
    CREATE TABLE cart_line (
        line_id bigint PRIMARY KEY, cart_id bigint NOT NULL REFERENCES cart,
        product text NOT NULL, quantity integer NOT NULL CHECK (quantity < 1000));
    CREATE INDEX ON cart_line (cart_id);";

pub const CONFIG: &str = r#"
name = "{{name}}"

[source]
kind = "postgres"
url = "{{source_url}}"

[target]
kind = "postgres"
url = "{{target_url}}"

[apply]
lanes = 2

{{model}}"#;

/// What a cart is, and what it becomes.
pub const MODEL: &str = r#"[cart]
table = "orders"
key = "id"
live = "status = 'open'"

[cart.rows]
order_lines = { cart = "order_id", key = "id" }

[[into]]
table = "cart"
per = "orders"
role = "header"
lock = "row"
closed = "completed_at is not null"
ended = { set = { completed_at = "commit_time()" } }

  [into.columns]
  cart_id        = { key = "id" }
  customer_email = "email"
  currency_code  = "lower(currency)"

[[into]]
table = "cart_line"
per = "order_lines"
role = "line"
line = { product = "product", quantity = "quantity" }

  [into.columns]
  line_id  = { key = "id" }
  cart_id  = "order_id"
  product  = "sku"
  quantity = "qty"
"#;

/// What is particular about a pair of shops.
#[derive(Clone, Copy)]
pub struct Kind {
    pub name: &'static str,
    /// SQL for the old shop, after its tables are made.
    pub old: &'static str,
    /// SQL for the new shop, after its tables are made.
    pub new: &'static str,
    /// Parts of the configuration and what stands there instead.
    pub config: &'static [(&'static str, &'static str)],
}

const fn plain(name: &'static str, config: &'static [(&'static str, &'static str)]) -> Kind {
    Kind {
        name,
        old: "",
        new: "",
        config,
    }
}

/// Guarded by a comparison of the row.
pub const ROW: Kind = plain("row", &[]);
/// Guarded by a counter.
pub const COUNTER: Kind = plain("counter", &[(ROW_LOCK, r#"lock = "version""#)]);
/// Guarded by Postgres' row version.
pub const XMIN: Kind = plain("xmin", &[(ROW_LOCK, r#"lock = "xmin""#)]);
/// Guarded by a timestamp that cartage sets.
pub const CLOCK: Kind = plain("clock", &[(ROW_LOCK, r#"lock = "updated_at""#)]);

pub const ROW_LOCK: &str = r#"lock = "row""#;

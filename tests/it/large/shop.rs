//! Orders whose header and lines carry the same revision, so that a cart seen half changed shows.

use std::fs;
use std::path::PathBuf;

use tempfile::TempDir;

use crate::scenario::daemon::{Daemon, command};
use crate::scenario::servers::{Shops, number, rows};
use crate::scenario::settled::{backfilled, settled};

const SOURCE: &str = "
    CREATE TABLE orders (id bigint PRIMARY KEY, rev integer NOT NULL DEFAULT 0);
    CREATE TABLE order_lines (
        id bigint PRIMARY KEY,
        order_id bigint NOT NULL REFERENCES orders ON DELETE CASCADE,
        rev integer NOT NULL DEFAULT 0,
        note text NOT NULL DEFAULT '');
    CREATE INDEX ON order_lines (order_id);
    ALTER TABLE order_lines REPLICA IDENTITY FULL;";

/// A transaction that leaves a cart half changed does not commit.
const TARGET: &str = "
    CREATE TABLE cart (id bigint PRIMARY KEY, rev integer NOT NULL, lines bigint NOT NULL,
        version bigint NOT NULL);
    CREATE TABLE cart_line (
        id bigint PRIMARY KEY,
        cart_id bigint NOT NULL REFERENCES cart ON DELETE CASCADE,
        rev integer NOT NULL,
        note text NOT NULL);
    CREATE INDEX ON cart_line (cart_id);";
const WHOLE: &str = "
    CREATE FUNCTION whole() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF EXISTS (SELECT FROM cart c JOIN cart_line l ON l.cart_id = c.id
                   WHERE c.id = new.id AND c.rev <> l.rev) THEN
            RAISE EXCEPTION 'cart % is seen half changed', new.id USING ERRCODE = 'XX000';
        END IF;
        RETURN NULL;
    END $$;
    CREATE CONSTRAINT TRIGGER whole AFTER INSERT OR UPDATE ON cart
        DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION whole();";

const CONFIG: &str = r#"
[cart]
table = "orders"

[cart.rows]
order_lines = { cart = "order_id" }

[[into]]
table = "cart"
per = "orders"
role = "header"
lock = "version"

  [into.columns]
  id    = { key = "id" }
  rev   = "rev"
  lines = "count(order_lines.id)"

[[into]]
table = "cart_line"
per = "order_lines"
role = "line"

  [into.columns]
  id      = { key = "id" }
  cart_id = "order_id"
  rev     = "rev"
  note    = "note"
"#;

const ORACLE: [&str; 2] = [
    "SELECT 'cart', o.id, o.rev, (SELECT count(*) FROM order_lines l WHERE l.order_id = o.id)::text
     FROM orders o
     UNION ALL SELECT 'line ' || id, order_id, rev, note FROM order_lines",
    "SELECT 'cart', id, rev, lines::text FROM cart
     UNION ALL SELECT 'line ' || id, cart_id, rev, note FROM cart_line",
];

pub struct Shop {
    pub shops: Shops,
    pub config: PathBuf,
    _folder: TempDir,
}

impl Shop {
    /// So many carts of so many lines, and no daemon yet. `apply` is what `[apply]` says.
    pub async fn open(name: &str, carts: u32, lines: u32, apply: &str) -> Self {
        let shops = Shops::create(name).await;
        let fill = format!(
            "{SOURCE}
             INSERT INTO orders SELECT n FROM generate_series(1, {carts}) n;
             INSERT INTO order_lines SELECT (n - 1) * {lines} + k, n
             FROM generate_series(1, {carts}) n, generate_series(1, {lines}) k;
             ANALYZE"
        );
        shops.source.batch_execute(&fill).await.unwrap();
        shops.target.batch_execute(TARGET).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("cartage.toml");
        let text = format!(
            "name = \"{}\"\n[source]\nkind = \"postgres\"\nurl = \"{}\"\n\
             [target]\nkind = \"postgres\"\nurl = \"{}\"\n[apply]\nlanes = 2\n{apply}\n{CONFIG}",
            name.replace('_', "-"),
            shops.source_url,
            shops.target_url,
        );
        fs::write(&config, text).unwrap();
        command(&config, &["setup", "--yes"]);
        Self {
            shops,
            config,
            _folder: folder,
        }
    }

    /// Starts the daemon and waits until it follows.
    pub async fn follow(&self) -> Daemon {
        let mut daemon = Daemon::start(&self.config);
        backfilled(&mut daemon, &self.shops.target).await;
        settled(&mut daemon, &self.shops).await;
        daemon
    }

    /// From here on the new shop does not take a cart that is half changed.
    pub async fn insist_on_whole_carts(&self) {
        self.shops.target.batch_execute(WHOLE).await.unwrap();
    }

    pub async fn source(&self, sql: &str) {
        self.shops.source.batch_execute(sql).await.unwrap();
    }

    /// How many source transactions were applied in parts.
    pub async fn waived(&self) -> i64 {
        number(&self.shops.target, "SELECT waived FROM cartage.pipeline").await
    }

    /// Both shops have the same carts, none is held, and each was written as often as its version
    /// says.
    pub async fn assert_equal(&self, daemon: &Daemon) {
        let source = rows(&self.shops.source, ORACLE[0], "source").await;
        let target = rows(&self.shops.target, ORACLE[1], "target").await;
        assert!(
            source == target,
            "the shops differ: {} and {} rows\n{}",
            source.len(),
            target.len(),
            daemon.log()
        );
        let twice = "SELECT count(*) FROM cart c JOIN cartage.ledger l ON l.cart = c.id::text
                     WHERE c.version <> l.patches";
        assert_eq!(
            number(&self.shops.target, twice).await,
            0,
            "carts written twice"
        );
        let held = "SELECT count(*) FROM cartage.held";
        assert_eq!(
            number(&self.shops.target, held).await,
            0,
            "{}",
            daemon.log()
        );
    }
}

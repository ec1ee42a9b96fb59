//! One old shop beside a new one, and a daemon between them that the tests of one kind share. Each
//! test has carts of its own in it.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::time::{Duration, Instant};

use tempfile::TempDir;
use tokio_postgres::Client;

use super::kinds::{CONFIG, Kind, MODEL, NEW, OLD};
use crate::scenario::daemon::{Daemon, command};
use crate::scenario::servers::{Shops, connect, rows};

const DEADLINE: Duration = Duration::from_secs(30);
const LOOK: Duration = Duration::from_millis(20);

struct Shared {
    kind: &'static str,
    source_url: String,
    target_url: String,
    config: PathBuf,
    daemon: Mutex<Option<Daemon>>,
    _folder: TempDir,
}

/// A test's own sessions in shops that it may share.
pub struct Shop {
    shared: Arc<Shared>,
    pub source: Client,
    pub target: Client,
}

static OPEN: tokio::sync::Mutex<BTreeMap<&'static str, Weak<Shared>>> =
    tokio::sync::Mutex::const_new(BTreeMap::new());

impl Shop {
    /// The shops of this kind, which go with the last test that uses them.
    pub async fn shared(kind: Kind) -> Self {
        let mut open = OPEN.lock().await;
        let shared = match open.get(kind.name).and_then(Weak::upgrade) {
            Some(shared) => shared,
            None => {
                let shared = Arc::new(Shared::open(kind).await);
                open.insert(kind.name, Arc::downgrade(&shared));
                shared
            }
        };
        drop(open);
        Self::join(shared).await
    }

    /// Shops that no other test sees.
    pub async fn own(kind: Kind) -> Self {
        Self::join(Arc::new(Shared::open(kind).await)).await
    }

    async fn join(shared: Arc<Shared>) -> Self {
        let shop = Self {
            source: connect(&shared.source_url).await,
            target: connect(&shared.target_url).await,
            shared,
        };
        // A read of the backfill could pass for the change that a test waits for.
        let read =
            "SELECT count(*) > 0 AND bool_and(finished_at IS NOT NULL) FROM cartage.refresh_run";
        shop.until("the first backfill to end", read).await;
        shop
    }

    /// A command of the real binary that must end well.
    pub fn command(&self, arguments: &[&str]) -> String {
        command(&self.shared.config, arguments)
    }

    /// What a command says that must fail.
    pub fn refused(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success(), "cartage {arguments:?}: {said}");
        said
    }

    /// What `cartage check` finds, well or not.
    pub fn check(&self) -> String {
        String::from_utf8(self.run(&["check", "--json"]).stdout).unwrap()
    }

    fn run(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_cartage"))
            .env("CARTAGE_CONFIG", &self.shared.config)
            .args(arguments)
            .stdin(Stdio::null())
            .output()
            .unwrap()
    }

    /// Another session in the new shop.
    pub async fn new_backend(&self) -> Client {
        connect(&self.shared.target_url).await
    }

    pub async fn old_shop(&self, sql: &str) {
        self.source
            .batch_execute(sql)
            .await
            .unwrap_or_else(|e| panic!("{e:?}\n{sql}"));
    }

    pub async fn new_shop(&self, sql: &str) {
        self.target
            .batch_execute(sql)
            .await
            .unwrap_or_else(|e| panic!("{e:?}\n{sql}"));
    }

    /// The new backend writes the cart, under a new version.
    pub async fn edit(&self, cart: i64, sql: &str) {
        let version = format!("UPDATE cart SET version = version + 1 WHERE cart_id = {cart}");
        self.new_shop(&format!("BEGIN; {sql}; {version}; COMMIT"))
            .await;
    }

    /// Runs the old shop's SQL, and waits until the ledger has it of this cart.
    pub async fn change(&self, cart: i64, sql: &str) {
        let before = self.end_of_log().await;
        self.old_shop(sql).await;
        self.passed(cart, &before).await;
    }

    pub async fn end_of_log(&self) -> String {
        text(&self.source, "SELECT pg_current_wal_insert_lsn()::text").await
    }

    /// Waits until the ledger knows of a change to this cart after that place in the log.
    pub async fn passed(&self, cart: i64, before: &str) {
        let sql = format!(
            "SELECT EXISTS (SELECT FROM cartage.ledger WHERE cart = '{cart}' AND lsn > '{before}')"
        );
        self.until(&format!("cart {cart} to pass {before}"), &sql)
            .await;
    }

    /// A cart with these lines (id, product, quantity), as far as the new shop.
    pub async fn born(&self, cart: i64, lines: &[(i64, &str, i64)]) {
        let mut sql = format!("BEGIN; INSERT INTO orders VALUES ({cart}, 'c{cart}@example.org');");
        for (id, product, quantity) in lines {
            sql +=
                &format!("INSERT INTO order_lines VALUES ({id}, {cart}, '{product}', {quantity});");
        }
        self.change(cart, &(sql + "COMMIT")).await;
        assert_eq!(self.state(cart).await, "mirror");
        assert_eq!(self.lines(cart).await.split(", ").count(), lines.len());
    }

    /// Waits until this query of the new shop's database is true.
    pub async fn until(&self, awaited: &str, sql: &str) {
        let deadline = Instant::now() + DEADLINE;
        while !self.is(sql).await {
            self.alive(awaited);
            assert!(
                Instant::now() < deadline,
                "waited {DEADLINE:?} for {awaited}\n{}",
                self.log()
            );
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Waits until a session waits for a lock that `of` holds.
    pub async fn blocked_by(&self, of: &Client) {
        let pid: i32 = of
            .query_one("SELECT pg_backend_pid()", &[])
            .await
            .unwrap()
            .get(0);
        let sql = format!(
            "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE {pid} = ANY (pg_blocking_pids(pid)))"
        );
        self.until("a lane to wait for the new backend", &sql).await;
    }

    /// Waits until all that the old shop has committed is durable, and no cart is to be read.
    pub async fn settled(&self) {
        let goal = text(&self.source, "SELECT pg_current_wal_flush_lsn()::text").await;
        let sql = format!(
            "SELECT bool_and(lsn > '{goal}' OR lsn = '{goal}' AND seq = 0)
                    AND NOT EXISTS (SELECT FROM cartage.wish)
                    AND EXISTS (SELECT FROM cartage.refresh_run)
                    AND NOT EXISTS (SELECT FROM cartage.refresh_run WHERE finished_at IS NULL)
             FROM cartage.checkpoint"
        );
        self.until(&format!("all lanes to pass {goal}"), &sql).await;
    }

    pub async fn is(&self, sql: &str) -> bool {
        let row = self.target.query_one(sql, &[]).await;
        row.unwrap_or_else(|e| panic!("{e:?}\n{sql}")).get(0)
    }

    pub async fn number(&self, sql: &str) -> i64 {
        let row = self.target.query_one(sql, &[]).await;
        row.unwrap_or_else(|e| panic!("{e:?}\n{sql}")).get(0)
    }

    pub async fn text(&self, sql: &str) -> String {
        text(&self.target, sql).await
    }

    pub async fn state(&self, cart: i64) -> String {
        let sql = format!("SELECT state FROM cartage.ledger WHERE cart = '{cart}'");
        self.text(&sql).await
    }

    /// Why the cart is held.
    pub async fn held(&self, cart: i64) -> String {
        let sql =
            format!("SELECT reason || ': ' || message FROM cartage.held WHERE cart = '{cart}'");
        self.text(&sql).await
    }

    /// Waits until the cart is held no more.
    pub async fn released(&self, cart: i64) {
        let sql = format!("SELECT NOT EXISTS (SELECT FROM cartage.held WHERE cart = '{cart}')");
        self.until(&format!("cart {cart} to be released"), &sql)
            .await;
    }

    /// The kinds of conflicts that were recorded of a cart, in order.
    pub async fn conflicts(&self, cart: i64) -> String {
        let sql = format!(
            "SELECT coalesce(string_agg(kind, ', ' ORDER BY id), '') FROM cartage.conflict
             WHERE cart = '{cart}'"
        );
        self.text(&sql).await
    }

    /// The cart's lines in the new shop, as `product quantity, …` in the order of their ids.
    pub async fn lines(&self, cart: i64) -> String {
        let sql = format!(
            "SELECT coalesce(string_agg(product || ' ' || quantity, ', ' ORDER BY line_id), '')
             FROM cart_line WHERE cart_id = {cart}"
        );
        self.text(&sql).await
    }

    /// The email in the new shop.
    pub async fn email(&self, cart: i64) -> String {
        let sql = format!("SELECT customer_email FROM cart WHERE cart_id = {cart}");
        self.text(&sql).await
    }

    /// SIGKILL, and a new life of the daemon.
    pub fn kill(&self) {
        self.with(Daemon::kill);
    }

    /// SIGTERM; whatever `between` does; a new life.
    pub async fn stopped(&self, between: impl AsyncFnOnce()) {
        let daemon = self.shared.daemon.lock().unwrap().take().unwrap();
        daemon.stop().await;
        between().await;
        *self.shared.daemon.lock().unwrap() = Some(Daemon::start(&self.shared.config));
    }

    /// What the configuration says instead, from the next start on.
    pub fn reconfigure(&self, from: &str, to: &str) {
        let text = fs::read_to_string(&self.shared.config).unwrap();
        assert!(text.contains(from), "{from} is not in the configuration");
        fs::write(&self.shared.config, text.replace(from, to)).unwrap();
    }

    pub fn log(&self) -> String {
        let log = self.shared.config.with_extension("log");
        fs::read_to_string(log).unwrap_or_default()
    }

    fn alive(&self, awaited: &str) {
        let alive = self.with(Daemon::alive);
        let kind = self.shared.kind;
        assert!(
            alive,
            "the daemon of {kind} ended by itself while this was awaited: {awaited}\n{}",
            self.log()
        );
    }

    fn with<T>(&self, act: impl FnOnce(&mut Daemon) -> T) -> T {
        act(self.shared.daemon.lock().unwrap().as_mut().unwrap())
    }
}

impl Shared {
    async fn open(kind: Kind) -> Self {
        static OPENED: AtomicUsize = AtomicUsize::new(0);
        let nr = OPENED.fetch_add(1, Ordering::Relaxed);
        let name = format!("guards_{}_{nr}", kind.name);
        let shops = Shops::create(&name).await;
        for (client, sql) in [
            (&shops.source, OLD),
            (&shops.source, kind.old),
            (&shops.target, NEW),
            (&shops.target, kind.new),
        ] {
            client
                .batch_execute(sql)
                .await
                .unwrap_or_else(|e| panic!("{e:?}\n{sql}"));
        }
        let mut text = CONFIG.replace("{{model}}", MODEL);
        for (from, to) in kind.config {
            assert!(text.contains(from), "{from} is not in the configuration");
            text = text.replace(from, to);
        }
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("cartage.toml");
        let text = text
            .replace("{{name}}", &name.replace('_', "-"))
            .replace("{{source_url}}", &shops.source_url)
            .replace("{{target_url}}", &shops.target_url);
        fs::write(&config, text).unwrap();
        command(&config, &["setup", "--yes"]);
        Self {
            kind: kind.name,
            source_url: shops.source_url,
            target_url: shops.target_url,
            daemon: Mutex::new(Some(Daemon::start(&config))),
            config,
            _folder: folder,
        }
    }
}

/// One text; nothing for no row and for null.
async fn text(client: &Client, sql: &str) -> String {
    rows(client, sql, sql)
        .await
        .first()
        .filter(|row| *row != "NULL")
        .cloned()
        .unwrap_or_default()
}

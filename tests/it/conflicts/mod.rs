//! What is recorded where both sides wrote a cart: looked at, decided again by other rules, resolved by
//! hand, and let go. Each history is played with a new shop on Postgres, and on MySQL or MariaDB.

mod askers;
mod kept;
mod records;
mod repair;
mod resolve;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::scenario::daemon::{self, Daemon};
use crate::scenario::folder::Scenario;
use crate::scenario::pair::Pair;
use crate::scenario::play::{create, write};
use crate::scenario::settled::{arrived, backfilled};
use crate::scenario::shop::Shops;

const PATIENCE: Duration = Duration::from_secs(120);

/// Two shops of the scenario `both_sides_write` and a daemon between them, after the backfill. Cart n
/// has the lines n * 10 + k of k pieces of sku-k, k from 1 to 3.
struct Stand {
    shops: Shops,
    config: PathBuf,
    daemon: Option<Daemon>,
    _folder: tempfile::TempDir,
}

impl Stand {
    async fn open(pair: &str, name: &str, more: &str) -> Self {
        let scenario = Scenario {
            name: name.to_owned(),
            ..Scenario::between(Pair::named(pair), "both_sides_write")
        };
        let shops = create(&scenario, name).await;
        let folder = tempfile::tempdir().unwrap();
        let text = format!("{}\n{more}", scenario.config);
        let config = write(&scenario, &text, &shops, folder.path());
        daemon::command(&config, &["setup", "--yes"]);
        let mut daemon = Daemon::start(&config);
        backfilled(&mut daemon, &shops.target.session).await;
        Self {
            shops,
            config,
            daemon: Some(daemon),
            _folder: folder,
        }
    }

    /// The old shop writes, as far as the target.
    async fn old_shop(&mut self, sql: &str) {
        self.shops.source.session.run(sql).await.unwrap();
        let goal = self.shops.source.end().await;
        let daemon = self.daemon.as_mut().unwrap();
        arrived(daemon, &self.shops.target.session, goal).await;
    }

    /// The new backend writes a cart, under a new version.
    async fn new_shop(&self, cart: i64, sql: &str) {
        let version = format!("UPDATE cart SET version = version + 1 WHERE cart_id = {cart}");
        let sql = format!("BEGIN; {sql}; {version}; COMMIT");
        self.shops.target.session.run(&sql).await.unwrap();
    }

    async fn control(&self, sql: &str) {
        let sql = match self.shops.target.kind {
            cartage::config::Kind::Postgres => sql.to_owned(),
            cartage::config::Kind::Mysql => sql.replace("cartage.", "cartage_"),
        };
        self.shops.target.session.run(&sql).await.unwrap();
    }

    async fn number(&self, sql: &str) -> i64 {
        self.shops.target.number(sql).await
    }

    /// `product quantity` of the cart's lines in the new shop.
    async fn lines(&self, cart: i64) -> Vec<String> {
        let sql = format!("SELECT product, quantity FROM cart_line WHERE cart_id = {cart}");
        let rows = self.shops.target.rows(&sql, "lines").await;
        rows.iter().map(|row| row.replace(" | ", " ")).collect()
    }

    async fn text(&self, sql: &str) -> String {
        self.shops.target.rows(sql, sql).await.join(", ")
    }

    async fn email(&self, cart: i64) -> String {
        self.text(&format!(
            "SELECT customer_email FROM cart WHERE cart_id = {cart}"
        ))
        .await
    }

    async fn state(&self, cart: i64) -> String {
        self.text(&format!(
            "SELECT state FROM cartage.ledger WHERE cart = '{cart}'"
        ))
        .await
    }

    /// Waits until this query gives 0.
    async fn until_none(&self, sql: &str) {
        let deadline = Instant::now() + PATIENCE;
        while self.number(sql).await != 0 {
            assert!(Instant::now() < deadline, "waited {PATIENCE:?}: {sql}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// One document of a command that works.
    fn json(&self, code: i32, arguments: &[&str]) -> Value {
        let (was, out, log) = ends(&self.config, arguments);
        assert_eq!(was, code, "cartage {arguments:?}: {out}{log}");
        assert_eq!(out.lines().count(), 1, "cartage {arguments:?}: {out}");
        serde_json::from_str(&out).unwrap()
    }

    /// What a command prints for a human.
    fn prints(&self, code: i32, arguments: &[&str]) -> String {
        let (was, out, log) = ends(&self.config, arguments);
        assert_eq!(was, code, "cartage {arguments:?}: {out}{log}");
        out + &log
    }

    async fn stop(&mut self) {
        self.daemon.take().unwrap().stop().await;
    }

    /// Waits until the daemon is killed at the place that it was started with.
    async fn killed(&mut self) {
        self.daemon.take().unwrap().killed().await;
    }

    fn start(&mut self, environment: &[(&str, &str)]) {
        self.daemon = Some(Daemon::start_with(&self.config, environment));
    }

    /// A file beside the configuration.
    fn file(&self, name: &str, text: &str) -> String {
        let path = self.config.with_file_name(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }
}

/// Exit code, standard output, standard error.
fn ends(config: &Path, arguments: &[&str]) -> (i32, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_cartage"))
        .env("CARTAGE_CONFIG", config)
        .env_remove("RUST_LOG")
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (
        output.status.code().unwrap(),
        text(&output.stdout),
        text(&output.stderr),
    )
}

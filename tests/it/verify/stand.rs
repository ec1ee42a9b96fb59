//! The shops of the scenario `basic`, whose orders are dated, and a daemon that has read them.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use rustix::process::Signal;
use serde_json::Value;
use tempfile::TempDir;

use crate::scenario::daemon::{Daemon, command};
use crate::scenario::folder::Scenario;
use crate::scenario::pair::Pair;
use crate::scenario::play::{create, write};
use crate::scenario::session::Asked as _;
use crate::scenario::settled::{arrived, backfilled};
use crate::scenario::shop::Shops;

/// Carts of the old shop.
pub const CARTS: i64 = 200;

pub struct Stand {
    pub shops: Shops,
    pub config: PathBuf,
    pub daemon: Daemon,
    _folder: TempDir,
}

/// What a command has said.
pub struct Said {
    pub code: Option<i32>,
    pub document: Value,
    pub log: String,
}

impl Stand {
    /// `more` is added to the configuration.
    pub async fn open(name: &str, pair: &str, more: &str) -> Self {
        Self::open_with(name, pair, more, &[]).await
    }

    /// The daemon's first life has these switches.
    pub async fn open_with(name: &str, pair: &str, more: &str, switches: &[(&str, &str)]) -> Self {
        let scenario = Scenario::between(Pair::named(pair), "basic");
        let shops = create(&scenario, &format!("verify_{name}_{pair}")).await;
        let dated = "ALTER TABLE orders ADD COLUMN changed TIMESTAMP DEFAULT '2026-01-01 00:00:00'";
        shops.source.session.run(dated).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let text = scenario
            .config
            .replace("key = \"id\"\n", "key = \"id\"\nchanged_at = \"changed\"\n");
        let text = text.replacen("name = \"{{name}}\"", &format!("name = \"{name}\""), 1);
        let config = write(&scenario, &(text + more), &shops, folder.path());
        command(&config, &["setup", "--yes"]);
        let mut daemon = Daemon::start_with(&config, switches);
        backfilled(&mut daemon, &shops.target.session).await;
        let mut stand = Self {
            shops,
            config,
            daemon,
            _folder: folder,
        };
        stand.settle().await;
        stand
    }

    pub async fn settle(&mut self) {
        let end = self.shops.source.end().await;
        arrived(&mut self.daemon, &self.shops.target.session, end).await;
    }

    pub async fn in_old(&self, sql: &str) {
        let done = self.shops.source.session.run(sql).await;
        done.unwrap_or_else(|e| panic!("{e}: {sql}"));
    }

    /// Behind cartage's back.
    pub async fn in_new(&self, sql: &str) {
        let done = self.shops.target.session.run(sql).await;
        done.unwrap_or_else(|e| panic!("{e}: {sql}"));
    }

    /// Of the control tables, too.
    pub async fn number(&self, sql: &str) -> i64 {
        self.shops.target.session.number_of(sql).await
    }

    pub async fn texts(&self, sql: &str) -> Vec<String> {
        let rows = self.shops.target.session.ask(sql).await.unwrap();
        let text = |row: Vec<Option<String>>| row.into_iter().next().flatten();
        rows.into_iter().filter_map(text).collect()
    }

    pub fn command(&self, arguments: &[&str], switches: &[(&str, &str)]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cartage"));
        command
            .env("CARTAGE_CONFIG", &self.config)
            .env_remove("RUST_LOG")
            .envs(switches.iter().copied())
            .arg("verify")
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// `cartage verify --json`, while all others go on.
    pub async fn verify(&self, arguments: &[&str], switches: &[(&str, &str)]) -> Said {
        let mut command = self.command(arguments, switches);
        command.arg("--json");
        let output = tokio::task::spawn_blocking(move || command.output());
        let output = output.await.unwrap().unwrap();
        Said {
            code: output.status.code(),
            document: serde_json::from_slice(&output.stdout).unwrap_or(Value::Null),
            log: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Writes the configuration anew.
    pub fn reconfigure(&self, from: &str, to: &str) {
        let text = fs::read_to_string(&self.config).unwrap();
        assert!(text.contains(from), "{from} is not in\n{text}");
        fs::write(&self.config, text.replace(from, to)).unwrap();
    }

    /// The same, and the daemon reads it.
    pub fn reload(&self, from: &str, to: &str) {
        self.reconfigure(from, to);
        self.daemon.signal(Signal::HUP);
    }

    pub async fn close(self) {
        self.daemon.stop().await;
        command(&self.config, &["teardown", "--yes"]);
    }
}

impl Said {
    pub fn count(&self, of: &str) -> i64 {
        let number = self.document[of].as_i64();
        number.unwrap_or_else(|| panic!("no {of} in {}\n{}", self.document, self.log))
    }

    /// The carts that differ, in the order of their keys.
    pub fn carts(&self) -> Vec<i64> {
        let differences = self.document["differences"].as_array();
        let differences = differences.unwrap_or_else(|| panic!("{}\n{}", self.document, self.log));
        let key = |d: &Value| d["cart"].as_str().and_then(|cart| cart.parse().ok());
        let mut carts: Vec<i64> = differences.iter().filter_map(key).collect();
        carts.sort_unstable();
        carts.dedup();
        carts
    }
}

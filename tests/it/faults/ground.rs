//! Two shops as the scenario `basic` has them, with a daemon that looks around often.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use cartage::demo::cluster::Cluster;
use serde_json::Value;
use tempfile::TempDir;

use crate::scenario::daemon::{Daemon, command};
use crate::scenario::folder::Scenario;
use crate::scenario::play::filled;
use crate::scenario::servers::{Shops, connect, number, rows};
use crate::scenario::settled::{backfilled, settled};

const DEADLINE: Duration = Duration::from_secs(30);

/// How the shops differ from those of `basic`: texts to replace in its files.
#[derive(Clone, Copy, Default)]
pub struct Change<'a> {
    pub config: &'a [(&'a str, &'a str)],
    pub source: &'a [(&'a str, &'a str)],
    pub target: &'a [(&'a str, &'a str)],
}

pub struct Ground {
    pub shops: Shops,
    pub config: PathBuf,
    pub slot: String,
    scenario: Scenario,
    _folder: TempDir,
}

impl Ground {
    /// On the servers that all tests share; `cartage setup` is done.
    pub async fn open(name: &str) -> Self {
        Self::changed(name, Change::default()).await
    }

    pub async fn changed(name: &str, change: Change<'_>) -> Self {
        let ground = Self::bare(name, Shops::create(name).await, change).await;
        command(&ground.config, &["setup", "--yes"]);
        ground
    }

    /// Both shops on a server of the test's own; nothing is set up yet.
    pub async fn on(cluster: &Cluster, name: &str) -> Self {
        Self::between(cluster, cluster, name).await
    }

    /// The same with a server for each.
    pub async fn between(source: &Cluster, target: &Cluster, name: &str) -> Self {
        for (cluster, database) in [(source, "old"), (target, "new")] {
            let admin = connect(&cluster.url("postgres")).await;
            let sql = format!("CREATE DATABASE {database}");
            admin.batch_execute(&sql).await.unwrap();
        }
        let (source_url, target_url) = (source.url("old"), target.url("new"));
        let shops = Shops {
            source: connect(&source_url).await,
            target: connect(&target_url).await,
            source_url,
            target_url,
        };
        Self::bare(name, shops, Change::default()).await
    }

    async fn bare(name: &str, shops: Shops, change: Change<'_>) -> Self {
        let mut scenario = Scenario::load("basic");
        for (text, changes) in [
            (&mut scenario.config, change.config),
            (&mut scenario.source, change.source),
            (&mut scenario.target, change.target),
        ] {
            for (from, to) in changes {
                assert!(text.contains(from), "{from} is not in\n{text}");
                *text = text.replace(from, to);
            }
        }
        shops.source.batch_execute(&scenario.source).await.unwrap();
        shops.target.batch_execute(&scenario.target).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("cartage.toml");
        let ground = Self {
            slot: format!("cartage_{name}"),
            shops,
            config,
            scenario,
            _folder: folder,
        };
        ground.configure(name, &[]);
        ground
    }

    /// Writes the configuration file, with texts of it replaced.
    pub fn configure(&self, name: &str, changes: &[(&str, &str)]) {
        let mut text = self.scenario.config.clone();
        for (from, to) in changes {
            assert!(text.contains(from), "{from} is not in\n{text}");
            text = text.replace(from, to);
        }
        let urls = [&*self.shops.source_url, &*self.shops.target_url];
        let text = filled(name, &text, urls)
            + "\n[watch]\nevery = \"200ms\"\nslot_wait = \"2s\"\n[apply]\ndrain_timeout = \"1s\"\n";
        fs::write(&self.config, text).unwrap();
    }

    /// The old shop as it was at first, restored on another server.
    pub async fn restore_on(&mut self, cluster: &Cluster, name: &str) {
        let admin = connect(&cluster.url("postgres")).await;
        admin.batch_execute("CREATE DATABASE old").await.unwrap();
        self.shops.source_url = cluster.url("old");
        self.shops.source = connect(&self.shops.source_url).await;
        let restored = self.shops.source.batch_execute(&self.scenario.source).await;
        restored.unwrap();
        self.configure(name, &[]);
    }

    /// A daemon that has read all carts.
    pub async fn follow(&self) -> Daemon {
        let mut daemon = Daemon::start(&self.config);
        backfilled(&mut daemon, &self.shops.target).await;
        self.settle(&mut daemon).await;
        daemon
    }

    pub async fn settle(&self, daemon: &mut Daemon) {
        settled(daemon, &self.shops).await;
    }

    pub async fn in_old(&self, sql: &str) {
        let done = self.shops.source.batch_execute(sql).await;
        done.unwrap_or_else(|e| panic!("{sql}: {e:?}"));
    }

    pub async fn in_new(&self, sql: &str) {
        let done = self.shops.target.batch_execute(sql).await;
        done.unwrap_or_else(|e| panic!("{sql}: {e:?}"));
    }

    pub async fn count(&self, sql: &str) -> i64 {
        number(&self.shops.target, sql).await
    }

    /// Stops the daemon, and waits until its slot is free.
    pub async fn rest(&self, daemon: Daemon) {
        daemon.stop().await;
        let sql = format!(
            "SELECT count(*) FROM pg_replication_slots
             WHERE slot_name = '{}' AND active_pid IS NOT NULL",
            self.slot
        );
        let begun = Instant::now();
        while number(&self.shops.source, &sql).await > 0 {
            assert!(
                begun.elapsed() < DEADLINE,
                "waited {DEADLINE:?} for the slot to be free"
            );
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// A little of everything: changes, a line that moves, a birth, and a cart's end. `n` keeps the
    /// rows of several calls apart.
    pub async fn trade(&self, n: u32) {
        let (cart, line) = (1000 + n, 100_000 + 10 * n);
        let (a, b, gone) = (2 * n + 1, 2 * n + 2, 150 + n);
        self.in_old(&format!(
            "UPDATE order_lines SET qty = qty + 7, price = price + 0.25 WHERE order_id = {a};
             UPDATE order_lines SET order_id = {b} WHERE id = {a}1;
             UPDATE orders SET email = 'trade{n}@example.org' WHERE id = {b};
             INSERT INTO orders VALUES ({cart}, 'born{n}@example.org', 'USD');
             INSERT INTO order_lines VALUES ({line}, {cart}, 'new', 2, 3.5);
             DELETE FROM order_lines WHERE id = {b}2;
             DELETE FROM orders WHERE id = {gone}"
        ))
        .await;
    }

    /// The daemon ends with 4 and one message, which `status` shows too.
    #[track_caller]
    pub fn stopped<'a>(&'a self, daemon: &'a mut Daemon) -> impl Future<Output = String> + 'a {
        let caller = std::panic::Location::caller();
        async move {
            let code = daemon.ended().await.code();
            assert_eq!(code, Some(4), "at {caller}\n{}", daemon.log());
            let errors = errors(&daemon.log());
            let message = errors.last().expect("a message").clone();
            let (code, status) = self.status();
            assert_eq!(code, 3, "at {caller}: {status}");
            assert_eq!(status["phase"], "stopped", "at {caller}");
            assert_eq!(
                status["stopped_reason"].as_str(),
                Some(message.as_str()),
                "at {caller}"
            );
            message
        }
    }

    /// Starts the daemon, which must refuse with 4.
    pub async fn refused(&self) -> String {
        let _ = fs::remove_file(self.config.with_extension("log"));
        let mut daemon = Daemon::start(&self.config);
        let message = self.stopped(&mut daemon).await;
        assert_eq!(errors(&daemon.log()).len(), 1, "{}", daemon.log());
        message
    }

    pub fn status(&self) -> (i32, Value) {
        let (code, out, log) = self.run(&["status", "--json"]);
        let status = serde_json::from_str(&out).unwrap_or_else(|_| panic!("{out}{log}"));
        (code, status)
    }

    /// A command to its end: exit code, stdout, stderr.
    pub fn run(&self, arguments: &[&str]) -> (i32, String, String) {
        let output = Command::new(env!("CARGO_BIN_EXE_cartage"))
            .env("CARTAGE_CONFIG", &self.config)
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

    /// After the mend: the daemon starts, settles, and both shops hold the same; `status` is well.
    pub async fn recovers(&self) -> Daemon {
        let _ = fs::remove_file(self.config.with_extension("log"));
        let mut daemon = Daemon::start(&self.config);
        daemon.says("taken over").await;
        self.settle(&mut daemon).await;
        self.equal(&daemon).await;
        let (code, status) = self.status();
        assert_eq!(code, 0, "{status}");
        assert_eq!(status["stopped_reason"], Value::Null);
        daemon
    }

    pub async fn equal(&self, daemon: &Daemon) {
        let (source, target) = self.both().await;
        assert!(!source.is_empty(), "the old shop is empty");
        let only = |these: &[String], others: &[String]| -> Vec<String> {
            let missing = these.iter().filter(|row| !others.contains(row));
            missing.take(10).cloned().collect()
        };
        assert_eq!(
            only(&source, &target),
            only(&target, &source),
            "the shops differ (old, new)\n{}",
            daemon.log()
        );
        assert_eq!(source.len(), target.len(), "{}", daemon.log());
    }

    async fn both(&self) -> (Vec<String>, Vec<String>) {
        (
            rows(&self.shops.source, &self.scenario.oracle_source, "source").await,
            rows(&self.shops.target, &self.scenario.oracle_target, "target").await,
        )
    }

    /// Waits until a query on the target answers with this number.
    pub async fn reaches(&self, sql: &str, wanted: i64, daemon: &Daemon) {
        let begun = Instant::now();
        loop {
            let found = self.count(sql).await;
            if found == wanted {
                return;
            }
            assert!(
                begun.elapsed() < DEADLINE,
                "waited {DEADLINE:?} for {wanted} of {sql}, found {found}\n{}",
                daemon.log()
            );
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
    }
}

/// The messages at ERROR.
pub fn errors(log: &str) -> Vec<String> {
    said(log, "ERROR")
}

/// The messages at WARN.
pub fn warnings(log: &str) -> Vec<String> {
    said(log, "WARN")
}

fn said(log: &str, level: &str) -> Vec<String> {
    let lines = log.lines();
    let lines = lines.filter_map(|line| serde_json::from_str::<Value>(line).ok());
    lines
        .filter(|line| line["level"] == level)
        .filter_map(|line| Some(line["message"].as_str()?.to_owned()))
        .collect()
}

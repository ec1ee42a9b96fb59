//! An old shop with its storefront, a new one, and `cartage` between them as a process.

use std::time::{Duration, Instant};

use cartage::config::Kind;

use super::storefront::{Storefront, is_passing};
use crate::crash::process::{Cartage, Process};
use crate::scenario::play::filled;
use crate::scenario::session::Asked as _;
use crate::scenario::settled::awaited;
use crate::scenario::shop::Shop;

const DEADLINE: Duration = Duration::from_secs(120);
const LOOK: Duration = Duration::from_millis(10);

pub struct Stand {
    pub source: Shop,
    pub target: Shop,
    pub cartage: Cartage,
    pub storefront: Storefront,
}

impl Stand {
    /// `cartage setup` is done, and the storefront is open.
    pub async fn open(name: &str, source: Shop, target: Shop, seed: u64) -> Self {
        let old = match source.kind {
            Kind::Postgres => include_str!("old_shop.sql"),
            Kind::Mysql => include_str!("mysql/old_shop.sql"),
        };
        let new = match target.kind {
            Kind::Postgres => include_str!("new_shop.sql"),
            Kind::Mysql => include_str!("mysql/new_shop.sql"),
        };
        source.session.run(old).await.unwrap();
        target.session.run(new).await.unwrap();
        if target.kind == Kind::Mysql {
            let short = "SET SESSION innodb_lock_wait_timeout = 1";
            target.session.run(short).await.unwrap();
        }
        let cartage = Cartage::new();
        let urls = [&*source.url, &*target.url];
        cartage.configure(&filled(name, include_str!("cartage.toml"), urls));
        let storefront = Storefront::open(&source, seed).await;
        cartage.must(&["setup", "--yes"]).await;
        Self {
            source,
            target,
            cartage,
            storefront,
        }
    }

    /// A daemon that has read all carts.
    pub async fn follows(&self) -> Process {
        let mut daemon = self.cartage.start(&["run"], None);
        self.caught_up(&mut daemon).await;
        daemon
    }

    pub async fn in_old(&self, sql: &str) {
        let done = self.source.session.run(sql).await;
        done.unwrap_or_else(|e| panic!("{e}: {sql}"));
    }

    /// A statement that waits for a lock of a lane which waits for it is tried again: the server
    /// breaks no deadlock between the lock of a definition and that of a row.
    pub async fn in_new(&self, sql: &str) {
        while let Err(error) = self.target.session.run(sql).await {
            assert!(is_passing(&error), "{error}: {sql}");
        }
    }

    /// Everything that the source has committed by now is durable.
    pub async fn caught_up(&self, daemon: &mut Process) {
        let goal = self.source.end().await;
        self.until(daemon, async || awaited(&self.target.session, goal).await)
            .await;
    }

    /// Waits until `rest` finds nothing to wait for.
    pub async fn until(&self, daemon: &mut Process, rest: impl AsyncFn() -> Option<String>) {
        let deadline = Instant::now() + DEADLINE;
        while let Some(rest) = rest().await {
            daemon.assert_alive();
            let log = || self.cartage.log();
            assert!(Instant::now() < deadline, "waited for: {rest}\n{}", log());
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Waits until so many carts are held.
    pub async fn holds(&self, wanted: usize, daemon: &mut Process) {
        self.until(daemon, async || {
            let held = self.held().await;
            (held.len() != wanted).then(|| format!("{wanted} held carts, and not {held:#?}"))
        })
        .await;
    }

    pub async fn held(&self) -> Vec<String> {
        let sql = "SELECT cart, reason, message FROM cartage.held";
        self.target.rows(sql, "held").await
    }

    /// The daemon needs a human; what it says to him.
    pub async fn stopped(&self, daemon: Process) -> String {
        let status = daemon.ended().await;
        assert_eq!(status.code(), Some(4), "{}", self.cartage.log());
        let sql = "SELECT stopped_reason FROM cartage.pipeline";
        let said = self.target.rows(sql, "the reason").await.remove(0);
        let log = self.cartage.whole_log();
        assert!(log.contains(said.lines().next().unwrap()), "{said}\n{log}");
        said
    }

    /// Lets the shop pause, has the daemon catch up, and compares.
    pub async fn judge(&self, daemon: &mut Process, what: &str) {
        let alone = self.storefront.alone().await;
        self.caught_up(daemon).await;
        self.until(daemon, async || {
            // What was mended is tried at once, instead of after a pause that has grown.
            let sql = "UPDATE cartage.held SET retry_at = now()
                       WHERE retry_at > now() + INTERVAL '1' SECOND";
            self.target.session.ask(sql).await.unwrap();
            let held = self.held().await;
            (!held.is_empty()).then(|| format!("held carts: {held:#?}"))
        })
        .await;
        let source = include_str!("source_carts.sql");
        let source = self.source.rows(source, "the old shop").await;
        let target = include_str!("target_carts.sql");
        let target = self.target.rows(target, "the new shop").await;
        assert!(source.len() > 20, "the old shop has {} rows", source.len());
        let lacks: Vec<_> = source.iter().filter(|row| !target.contains(row)).collect();
        let has: Vec<_> = target.iter().filter(|row| !source.contains(row)).collect();
        assert!(
            source == target,
            "after {what}, of {} rows the new shop lacks {lacks:#?}\nand has {has:#?}\n{}",
            source.len(),
            self.cartage.log()
        );
        // Each committed patch moved the version by one, and nothing else did (protocol rule 26).
        let sql = "SELECT id, version, patches FROM cart
                   LEFT JOIN cartage.ledger AS ledger ON ledger.cart = concat(id, '')
                   WHERE version <> patches OR patches IS NULL";
        let wrong = self.target.rows(sql, "versions").await;
        assert!(
            wrong.is_empty(),
            "after {what}, cart, version, patches: {wrong:#?}\n{}",
            self.cartage.log()
        );
        drop(alone);
    }

    pub async fn close(self, mut daemon: Process) {
        daemon.kill();
        drop(daemon);
        self.storefront.close().await;
        self.cartage.must(&["teardown", "--yes"]).await;
    }
}

/// What the message tells to run on this end (`source` or `target`).
pub fn statements(message: &str, end: &str) -> Vec<String> {
    let begin = format!("{end}: ");
    let lines = message.lines().filter_map(|line| line.strip_prefix(&begin));
    let statement = |line: &str| {
        let starts = ["ALTER TABLE ", "RENAME TABLE ", "ALTER PUBLICATION "];
        let at = starts.iter().filter_map(|start| line.find(start)).min()?;
        let statement = &line[at..];
        let end = statement.find(", or give it a default");
        Some(statement[..end.unwrap_or(statement.len())].to_owned())
    };
    lines.filter_map(statement).collect()
}

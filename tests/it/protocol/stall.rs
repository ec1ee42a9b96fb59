//! A stall: a shop of a few carts, whose source has lost its synchronous standby. A commit that
//! waits for the standby is in the log and in no snapshot, for as long as a test likes; and the
//! walsender can be made to pause, so that a daemon lags for as long as a test likes.

use std::path::PathBuf;
use std::sync::OnceLock;

use cartage::demo::cluster::{Cluster, Options};
use rustix::process::Pid;
use tempfile::TempDir;

use super::standstill::{Paused, Unseen, wait};
use super::wares::{CONFIG, ORACLE_SOURCE, ORACLE_TARGET, SOURCE, TARGET};
use crate::scenario::daemon::{Daemon, command};
use crate::scenario::servers::{Shops, connect, number, rows, shared};
use crate::scenario::settled::{backfilled, settled};
use crate::scenario::statements::split;

/// The source of all stalls. What they hold back concerns their own databases alone, but a slot is
/// only made once nothing hangs anywhere, so it is not the server of the other tests.
fn source() -> &'static Cluster {
    static SOURCE: OnceLock<Cluster> = OnceLock::new();
    SOURCE.get_or_init(|| {
        std::thread::spawn(|| {
            let options = Options::default()
                .setting("max_replication_slots", "500")
                .setting("max_wal_senders", "60")
                .setting("track_commit_timestamp", "on")
                .setting("synchronous_standby_names", "a_standby_that_is_missing")
                .setting("synchronous_commit", "local");
            let runtime = tokio::runtime::Runtime::new().unwrap();
            runtime.block_on(Cluster::start(options)).unwrap()
        })
        .join()
        .unwrap()
    })
}

pub struct Stall {
    pub shops: Shops,
    pub config: PathBuf,
    slot: String,
    folder: TempDir,
}

impl Stall {
    /// Loads both shops and runs `cartage setup`.
    pub async fn open(name: &str) -> Self {
        Self::changed(name, &[]).await
    }

    /// The same with words of schemas and configuration replaced.
    pub async fn changed(name: &str, changes: &[(&str, &str)]) -> Self {
        let mut texts = [SOURCE, TARGET, CONFIG].map(str::to_owned);
        for (from, to) in changes {
            let hit = texts.iter().any(|text| text.contains(from));
            assert!(hit, "the stall has no {from:?}");
            texts = texts.map(|text| text.replace(from, to));
        }
        let [old, new, config] = texts;
        let name = &format!("stall_{name}");
        let shops = Shops::between(source(), shared().target(), name).await;
        shops.source.batch_execute(&old).await.unwrap();
        shops.target.batch_execute(&new).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let stall = Self {
            shops,
            config: folder.path().join("cartage.toml"),
            slot: format!("cartage_{name}"),
            folder,
        };
        let config = config
            .replace("{{name}}", &name.replace('_', "-"))
            .replace("{{source_url}}", &stall.shops.source_url)
            .replace("{{target_url}}", &stall.shops.target_url);
        std::fs::write(&stall.config, config).unwrap();
        command(&stall.config, &["setup", "--yes"]);
        stall
    }

    /// A daemon that has come to rest.
    pub async fn follow(&self) -> Daemon {
        self.follow_with(&[]).await
    }

    pub async fn follow_with(&self, environment: &[(&str, &str)]) -> Daemon {
        let mut daemon = Daemon::start_with(&self.config, environment);
        backfilled(&mut daemon, &self.shops.target).await;
        settled(&mut daemon, &self.shops).await;
        daemon
    }

    /// Another file with the configuration of this pipeline, for a daemon with a log of its own.
    pub fn another_config(&self, number: i32) -> PathBuf {
        let another = self.folder.path().join(format!("another{number}.toml"));
        std::fs::copy(&self.config, &another).unwrap();
        another
    }

    /// Runs these statements, each for itself.
    pub async fn old_shop(&self, sql: &str) {
        for statement in split(sql) {
            self.shops.source.batch_execute(&statement).await.unwrap();
        }
    }

    pub async fn new_shop(&self, sql: &str) {
        self.shops.target.batch_execute(sql).await.unwrap();
    }

    /// One number of the new shop.
    pub async fn count(&self, sql: &str) -> i64 {
        number(&self.shops.target, sql).await
    }

    /// Waits until the query on the new shop says true.
    pub async fn until(&self, daemon: &Daemon, sql: &str) {
        let sql = format!("SELECT coalesce(({sql}), false)::integer::bigint");
        wait(&sql, || daemon.log(), async || self.count(&sql).await == 1).await;
    }

    /// Waits until the query on the old shop says true.
    pub async fn until_old(&self, daemon: &Daemon, sql: &str) {
        let sql = format!("SELECT coalesce(({sql}), false)::integer::bigint");
        let source = &self.shops.source;
        wait(
            &sql,
            || daemon.log(),
            async || number(source, &sql).await == 1,
        )
        .await;
    }

    /// Waits until the daemon has logged this.
    pub async fn until_logged(&self, daemon: &Daemon, words: &str) {
        wait(
            words,
            || daemon.log(),
            async || daemon.log().contains(words),
        )
        .await;
    }

    pub async fn settled(&self, daemon: &mut Daemon) {
        settled(daemon, &self.shops).await;
    }

    /// All has arrived, and both shops are the same.
    pub async fn assert_equal(&self, daemon: &mut Daemon) {
        self.settled(daemon).await;
        let source = rows(&self.shops.source, ORACLE_SOURCE, "source").await;
        let target = rows(&self.shops.target, ORACLE_TARGET, "target").await;
        assert_eq!(source, target, "the shops differ\n{}", daemon.log());
        let held = self.count("SELECT count(*) FROM cartage.held").await;
        assert_eq!(held, 0, "held carts\n{}", daemon.log());
    }

    /// The same where the options stay behind.
    pub async fn assert_lines(&self, daemon: &mut Daemon) {
        self.settled(daemon).await;
        let old = "SELECT l.id, order_id, sku, qty, gift FROM lines l \
                   JOIN orders o ON o.id = order_id WHERE status = 'open'";
        let source = rows(&self.shops.source, old, "source").await;
        let new = "SELECT id, cart_id, sku, qty, gift FROM cart_line";
        let target = rows(&self.shops.target, new, "target").await;
        assert_eq!(source, target, "the shops differ\n{}", daemon.log());
    }

    /// Has this cart read again. Answers when that was, by the old shop's clock.
    pub async fn wish(&self, cart: i32) -> String {
        let row = self
            .shops
            .source
            .query_one("SELECT clock_timestamp()::text", &[]);
        let since = row.await.unwrap().get(0);
        self.new_shop(&format!(
            "INSERT INTO cartage.wish (pipeline, cart, reason) \
             SELECT id, '{cart}', 'asked' FROM cartage.pipeline"
        ))
        .await;
        since
    }

    /// Whether the daemon has read carts since then, though what was read may not be used yet.
    pub async fn has_read(&self, since: &str) -> bool {
        let sql = format!(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
             AND application_name = 'cartage refresh' AND query = 'COMMIT' AND state = 'idle' \
             AND state_change > '{since}'::timestamptz"
        );
        number(&self.shops.source, &sql).await > 0
    }

    /// Waits until a snapshot is taken to see what was delivered by now, or a part of it. There must
    /// be something that none has seen.
    pub async fn until_seen(&self, daemon: &Daemon) {
        let now = "SELECT clock_timestamp()::text";
        let row = self.shops.source.query_one(now, &[]).await.unwrap();
        let since: &str = row.get(0);
        let taken = format!(
            "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() \
             AND application_name = 'cartage refresh' AND state = 'idle' \
             AND query LIKE 'SELECT pg_current_snapshot%' AND query_start > '{since}'::timestamptz)"
        );
        self.until_old(daemon, &taken).await;
    }

    pub async fn until_read(&self, daemon: &Daemon, since: &str) {
        let done = async || self.has_read(since).await;
        wait("carts to be read", || daemon.log(), done).await;
    }

    /// Commits this in a session that then waits for the standby: it is in the log, and no snapshot
    /// sees it.
    pub async fn unseen(&self, sql: &str) -> Unseen {
        let session = connect(&self.shops.source_url).await;
        session
            .batch_execute("SET synchronous_commit = on")
            .await
            .unwrap();
        let pid = number(&session, "SELECT pg_backend_pid()::bigint").await;
        let sql = format!("BEGIN; {sql}; COMMIT");
        let commit = tokio::spawn(async move { session.batch_execute(&sql).await.unwrap() });
        let source = &self.shops.source;
        let waits = format!(
            "SELECT count(*) FROM pg_stat_activity WHERE pid = {pid} AND wait_event = 'SyncRep'"
        );
        wait(&waits, String::new, async || {
            number(source, &waits).await == 1
        })
        .await;
        Unseen {
            url: self.shops.source_url.clone(),
            pid,
            commit,
        }
    }

    /// Stops the process that sends the log. What was sent already still arrives.
    pub async fn pause_log(&self) -> Paused {
        let sql = format!(
            "SELECT active_pid::bigint FROM pg_replication_slots WHERE slot_name = '{}'",
            self.slot
        );
        let pid = number(&self.shops.source, &sql).await;
        Paused::stop(Pid::from_raw(i32::try_from(pid).unwrap()).unwrap())
    }

    pub fn slot(&self) -> &str {
        &self.slot
    }
}

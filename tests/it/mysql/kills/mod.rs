//! A daemon that follows MySQL or MariaDB is killed again and again while the shop sells and the
//! server rotates its log and dies once itself: nothing is lost, and nothing done twice.
//!
//! `CARTAGE_SEED` replays what was drawn; when it happens still depends on the machine.

mod storefront;

use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use cartage::demo::cluster::{Cluster, Shutdown};
use cartage::demo::mysql::{Options, Programs, Server};
use cartage::mysql::connect::connect;
use cartage::source::mysql::identity;
use cartage::switch::Place;
use fastrand::Rng;
use mysql_async::prelude::Queryable as _;
use tempfile::TempDir;
use tokio_postgres::Client;

use self::storefront::Storefront;
use crate::scenario::servers::{self, rows};
use crate::scenario::settled::awaited;

const DEADLINE: Duration = Duration::from_secs(90);
const LOOK: Duration = Duration::from_millis(10);
const SIGKILL: i32 = 9;

/// Places of the first walk, then of the log alone, with the visits among which one kills. What
/// has to do with windows comes again when all carts are read again.
const WALK: &[(Place, u64)] = &[
    (Place::WindowOpened, 4),
    (Place::SnapshotTaken, 4),
    (Place::ChunkRead, 4),
    (Place::CloseAsked, 4),
    (Place::WindowDealt, 4),
    (Place::ChunkDurable, 4),
    (Place::CursorAdvanced, 4),
];
const LOG: &[(Place, u64)] = &[
    (Place::Decoded, 40),
    (Place::LedgerRead, 30),
    (Place::BeforeCommit, 30),
    (Place::AfterCommit, 30),
    (Place::WishCommitted, 3),
    (Place::WishGranted, 3),
    (Place::MeetingBegun, 3),
    (Place::MeetingDone, 3),
    (Place::TakenOver, 1),
];

struct Stand {
    server: Server,
    target: Client,
    _cluster: Cluster,
    folder: TempDir,
    seed: u64,
}

struct Daemon<'a>(&'a Stand, Child);

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_or_done_twice_wherever_it_is_killed() {
    let seed = match std::env::var("CARTAGE_SEED") {
        Ok(seed) => seed.parse().expect("CARTAGE_SEED is a number"),
        Err(_) => fastrand::u64(..1_000_000),
    };
    for programs in Programs::all().unwrap() {
        println!("{:?}: CARTAGE_SEED={seed}", programs.flavor);
        play(programs, seed).await;
    }
}

async fn play(programs: Programs, seed: u64) {
    let mut rng = Rng::with_seed(seed);
    let mut stand = Stand::new(programs, seed).await;
    let storefront = Storefront::open(&stand.server.url("shop"), seed).await;
    stand.must(&["setup", "--yes"]).await;
    let mut kills = 0;
    let mut steps: Vec<_> = WALK.iter().map(|step| (true, *step)).collect();
    steps.extend(LOG.iter().map(|step| (false, *step)));
    rng.shuffle(&mut steps);
    let restart = rng.usize(3..steps.len());
    for (at, (walk, (place, visits))) in steps.into_iter().enumerate() {
        if walk && at > 0 {
            stand.must(&["refresh", "--all"]).await;
        }
        let mut daemon = stand.start(&["run"], Some((place, rng.u64(1..=visits))));
        if at == restart {
            // The daemon sees it too, wherever it is.
            drop(daemon);
            daemon = stand.start(&["run"], None);
            tokio::time::sleep(Duration::from_millis(rng.u64(200..800))).await;
            drop(daemon);
            stand.server.restart(Shutdown::Immediate).await.unwrap();
            daemon = stand.start(&["run"], Some((place, rng.u64(1..=visits))));
        }
        daemon.dies(&storefront).await;
        kills += 1;
        if at % 3 == 1 {
            stand.server.run("FLUSH BINARY LOGS").await.unwrap();
        }
        if rng.bool() {
            let mut daemon = stand.start(&["run"], None);
            tokio::time::sleep(Duration::from_millis(rng.u64(100..900))).await;
            daemon.kill();
            kills += 1;
        }
    }
    let sold = storefront.shared.committed.load(Ordering::Relaxed);
    let alone = storefront.shared.gate.write().await;
    let mut daemon = stand.start(&["run"], None);
    stand.settle(&mut daemon).await;
    stand.judge(&storefront).await;
    daemon.kill();
    drop(daemon);
    println!("{kills} kills, {sold} transactions of the shop");
    drop(alone);
    storefront.close().await;
}

impl Stand {
    async fn new(programs: Programs, seed: u64) -> Self {
        let server = Server::start_of(programs, Options::default())
            .await
            .unwrap();
        server
            .run("CREATE DATABASE shop CHARACTER SET utf8mb4")
            .await
            .unwrap();
        let old = include_str!("old_shop.sql");
        server.run(&format!("USE shop; {old}")).await.unwrap();
        let cluster = Cluster::start(Default::default()).await.unwrap();
        let admin = cluster.client("postgres").await.unwrap();
        admin.batch_execute("CREATE DATABASE new").await.unwrap();
        let target = servers::connect(&cluster.url("new")).await;
        target
            .batch_execute(include_str!("new_shop.sql"))
            .await
            .unwrap();
        let folder = tempfile::tempdir().unwrap();
        let config = include_str!("cartage.toml")
            .replace("{{source_url}}", &server.url("shop"))
            .replace("{{target_url}}", &cluster.url("new"));
        fs::write(folder.path().join("cartage.toml"), config).unwrap();
        Self {
            server,
            target,
            _cluster: cluster,
            folder,
            seed,
        }
    }

    fn log(&self) -> String {
        let log = fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        let last = lines[lines.len().saturating_sub(40)..].join("\n");
        format!("CARTAGE_SEED={}\n{last}", self.seed)
    }

    fn start(&self, arguments: &[&str], kill: Option<(Place, u64)>) -> Daemon<'_> {
        let log = self.folder.path().join("log");
        let log = fs::File::options().create(true).append(true).open(log);
        let log = log.unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_cartage"));
        command
            .arg("--config")
            .arg(self.folder.path().join("cartage.toml"))
            .args(arguments)
            .env_remove("CARTAGE_KILL")
            .env_remove("RUST_LOG")
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log);
        if let Some((place, nth)) = kill {
            command.env("CARTAGE_KILL", format!("{}@{nth}", place.name()));
        }
        Daemon(self, command.spawn().unwrap())
    }

    async fn must(&self, arguments: &[&str]) {
        let mut process = self.start(arguments, None);
        let status = process.end(&format!("{arguments:?}"), || {}).await;
        assert!(status.success(), "{arguments:?}: {status}\n{}", self.log());
    }

    /// Everything that the source has committed is durable, and no cart waits or is held.
    async fn settle(&self, daemon: &mut Daemon<'_>) {
        let endpoint = super::endpoint(self.server.url("shop"));
        let mut session = connect(&endpoint, "test").await.unwrap();
        let goal = identity::facts(&mut session).await.unwrap().end;
        let deadline = Instant::now() + DEADLINE;
        loop {
            let mut rest = awaited(&self.target, goal).await;
            if rest.is_none() {
                let sql = "SELECT cart, reason, message FROM cartage.held";
                let held = rows(&self.target, sql, "held").await;
                rest = (!held.is_empty()).then(|| format!("held carts: {held:#?}"));
            }
            let Some(rest) = rest else { return };
            daemon.assert_alive();
            assert!(
                Instant::now() < deadline,
                "waited for this: {rest}\n{}",
                self.log()
            );
            tokio::time::sleep(LOOK).await;
        }
    }

    async fn source(&self, sql: &str) -> Vec<String> {
        let mut conn = self.server.conn(Some("shop")).await.unwrap();
        let long = "SET NAMES utf8mb4, SESSION group_concat_max_len = 1000000";
        conn.query_drop(long).await.unwrap();
        let mut rows: Vec<String> = conn.query(sql).await.unwrap();
        rows.sort();
        rows
    }

    async fn judge(&self, storefront: &Storefront) {
        let source = self.source(include_str!("source_carts.sql")).await;
        let target = rows(&self.target, include_str!("target_carts.sql"), "target").await;
        assert!(source.len() > 50, "the old shop has {} carts", source.len());
        let missing: Vec<_> = source.iter().filter(|row| !target.contains(row)).collect();
        let false_ones: Vec<_> = target.iter().filter(|row| !source.contains(row)).collect();
        let first = missing.iter().chain(&false_ones).next();
        let first = first.and_then(|row| row.split(' ').next());
        let diary = first.map(|id| storefront.diary(id)).unwrap_or_default();
        assert!(
            source == target,
            "of {} carts the new shop lacks {missing:#?}\nand has {false_ones:#?}\n{diary}\n{}",
            source.len(),
            self.log()
        );
        // What was ended in the new shop was ended in the old one, and in no other way.
        let ended = self
            .source("SELECT CAST(id AS CHAR) FROM quote WHERE status = 'sold'")
            .await;
        let sql = "SELECT id FROM cart WHERE completed_at IS NOT NULL";
        let completed = rows(&self.target, sql, "completed").await;
        assert!(!completed.is_empty(), "no cart has ended");
        let alone: Vec<_> = completed.iter().filter(|id| !ended.contains(id)).collect();
        assert!(
            alone.is_empty(),
            "ended in the new shop alone: {alone:?}\n{}",
            self.log()
        );
        // Each committed patch moved the version by one, and nothing else did (protocol rule 26).
        let sql = "SELECT id, version, patches FROM cart
                   LEFT JOIN cartage.ledger ON ledger.cart = id::text
                   WHERE version IS DISTINCT FROM patches";
        let wrong = rows(&self.target, sql, "versions").await;
        assert!(
            wrong.is_empty(),
            "cart, version, patches: {wrong:#?}\n{}",
            self.log()
        );
    }
}

impl Daemon<'_> {
    async fn end(&mut self, what: &str, look: impl Fn()) -> std::process::ExitStatus {
        let deadline = Instant::now() + DEADLINE;
        loop {
            if let Some(status) = self.1.try_wait().unwrap() {
                return status;
            }
            let late = Instant::now() > deadline;
            assert!(
                !late,
                "waited {DEADLINE:?} for {what} to end\n{}",
                self.0.log()
            );
            look();
            tokio::time::sleep(LOOK).await;
        }
    }

    /// At the place that was named.
    async fn dies(mut self, storefront: &Storefront) {
        let status = self.end("the daemon", || storefront.assert_open()).await;
        let killed = status.signal() == Some(SIGKILL);
        assert!(killed, "it ended by itself: {status}\n{}", self.0.log());
    }

    fn kill(&mut self) {
        self.assert_alive();
        self.1.kill().unwrap();
        self.1.wait().unwrap();
    }

    fn assert_alive(&mut self) {
        let ended = self.1.try_wait().unwrap();
        assert!(
            ended.is_none(),
            "it ended by itself: {ended:?}\n{}",
            self.0.log()
        );
    }
}

impl Drop for Daemon<'_> {
    fn drop(&mut self) {
        let _ = self.1.kill();
        let _ = self.1.wait();
    }
}

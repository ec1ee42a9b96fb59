//! One scenario from the first table to the last trace.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use cartage::config::{Config, Kind};
use cartage::target::control::migrate;
use futures_util::future::join_all;
use tokio::sync::Mutex;

use super::daemon::{self, Daemon};
use super::folder::{Scenario, Side, Stage};
use super::pair::{Pair, word};
use super::servers;
use super::session::Session;
use super::settled::{arrived, backfilled};
use super::shop::{Shop, Shops};

/// Loads, sets up, runs, kills, compares, tears down.
pub fn play(name: &str, pair: &str) {
    let seed = match std::env::var("CARTAGE_SEED") {
        Ok(seed) => seed.parse().expect("CARTAGE_SEED is a number"),
        Err(_) => fastrand::u64(..1_000_000),
    };
    println!("scenario {name} {pair}: CARTAGE_SEED={seed}");
    let scenario = Scenario {
        name: format!("{name}_{pair}"),
        ..Scenario::between(Pair::named(pair), name)
    };
    block_on(carry_over(scenario, fastrand::Rng::with_seed(seed)));
}

/// Runs all SQL of a scenario without cartage: it must load, and the oracle must notice.
pub fn rehearse(name: &str, pair: &str) {
    block_on(async {
        let scenario = Scenario::between(Pair::named(pair), name);
        let shops = create(&scenario, &format!("rehearse_{name}_{pair}")).await;
        for session in scenario.stages.iter().flat_map(|stage| &stage.sessions) {
            if session.side == Side::Source {
                let visitor = shops.source.visitor().await;
                for statement in session.steps.iter().flatten() {
                    execute(&visitor, statement, &scenario.name, &session.file).await;
                }
            }
        }
        // An oracle may ask the control tables too: here they are there, and empty.
        let folder = tempfile::tempdir().unwrap();
        let config = write(&scenario, &scenario.config, &shops, folder.path());
        let config =
            Config::load(&config).unwrap_or_else(|p| panic!("{name}: {}", p.render(false)));
        migrate::migrate(&config.target).await.unwrap();
        let (source, target) = oracle(&scenario, &shops).await;
        assert!(
            !source.is_empty(),
            "{name}: oracle_source.sql finds nothing"
        );
        assert_ne!(source, target, "{name}: the oracle is content with nothing");
    });
}

async fn carry_over(scenario: Scenario, mut rng: fastrand::Rng) {
    let name = &scenario.name;
    let shops = create(&scenario, name).await;
    let folder = tempfile::tempdir().unwrap();
    let write = |text: &str| write(&scenario, text, &shops, folder.path());
    let config = write(&scenario.config);
    let target = &shops.target.session;

    daemon::command(&config, &["setup", "--yes"]);
    let mut daemon = Daemon::start(&config);
    if scenario.expect.backfill_first {
        backfilled(&mut daemon, target).await;
    }
    let mut kills = moments(&scenario, &mut rng);
    for stage in &scenario.stages {
        if let Some(text) = &stage.config {
            daemon.stop().await;
            write(text);
            daemon = Daemon::start(&config);
        }
        run_stage(stage, &scenario, &shops, &mut daemon, &mut kills, &mut rng).await;
        let goal = shops.source.end().await;
        arrived(&mut daemon, target, goal).await;
    }

    held(&scenario, &shops, &daemon).await;
    compare(&scenario, &shops, &daemon).await;
    counts(&scenario, &shops, &daemon).await;
    if scenario.expect.verify {
        verify(&config);
    }
    let log = daemon.log();
    daemon.stop().await;
    let unexpected = daemon::unexpected(&log, &scenario.expect.allow);
    assert!(unexpected.is_empty(), "{name} logged {unexpected:#?}");

    daemon::command(&config, &["teardown", "--yes"]);
    for side in [Side::Source, Side::Target] {
        no_trace(shops.of(side), &format!("cartage_{name}")).await;
    }
}

pub async fn create(scenario: &Scenario, database: &str) -> Shops {
    let shops = Shops::create(scenario.pair, database).await;
    for (side, sql, file) in [
        (Side::Source, &scenario.source, "source.sql"),
        (Side::Target, &scenario.target, "target.sql"),
    ] {
        execute(&shops.of(side).session, sql, &scenario.name, file).await;
    }
    shops
}

/// Writes the configuration of a scenario between its shops.
pub fn write(scenario: &Scenario, text: &str, shops: &Shops, folder: &Path) -> PathBuf {
    let urls = [&shops.source.url, &shops.target.url];
    fill(&scenario.name, text, urls.map(String::as_str), folder)
}

/// The shops of a scenario between two Postgres servers.
pub async fn load(scenario: &Scenario, database: &str) -> servers::Shops {
    let shops = servers::Shops::create(database).await;
    for (client, sql, file) in [
        (&shops.source, &scenario.source, "source.sql"),
        (&shops.target, &scenario.target, "target.sql"),
    ] {
        client
            .batch_execute(sql)
            .await
            .unwrap_or_else(|e| panic!("{}/{file}: {e:?}", scenario.name));
    }
    shops
}

pub fn configure(
    scenario: &Scenario,
    text: &str,
    shops: &servers::Shops,
    folder: &Path,
) -> PathBuf {
    let urls = [&shops.source_url, &shops.target_url];
    fill(&scenario.name, text, urls.map(String::as_str), folder)
}

/// Writes a configuration between the databases of these URLs.
fn fill(name: &str, text: &str, urls: [&str; 2], folder: &Path) -> PathBuf {
    let path = folder.join("cartage.toml");
    fs::write(&path, filled(name, text, urls)).unwrap();
    path
}

/// A configuration between the databases of these URLs.
pub fn filled(name: &str, text: &str, [source, target]: [&str; 2]) -> String {
    let kind = |url: &str| match url.starts_with("mysql:") {
        true => word(Kind::Mysql),
        false => word(Kind::Postgres),
    };
    text.replace("{{name}}", &name.replace('_', "-"))
        .replace("{{source_kind}}", kind(source))
        .replace("{{target_kind}}", kind(target))
        .replace("{{source_url}}", source)
        .replace("{{target_url}}", target)
}

/// Before which steps of the whole workload the daemon dies.
fn moments(scenario: &Scenario, rng: &mut fastrand::Rng) -> Moments {
    let steps = scenario
        .stages
        .iter()
        .flat_map(|stage| &stage.sessions)
        .map(|session| session.steps.len())
        .sum::<usize>();
    let kills = (0..scenario.expect.kills)
        .map(|_| rng.usize(0..=steps.saturating_sub(1)))
        .collect();
    Moments { done: 0, kills }
}

struct Moments {
    done: usize,
    kills: BTreeSet<usize>,
}

impl Moments {
    fn now(&mut self) -> bool {
        let now = self.kills.contains(&self.done);
        self.done += 1;
        now
    }
}

async fn run_stage(
    stage: &Stage,
    scenario: &Scenario,
    shops: &Shops,
    daemon: &mut Daemon,
    kills: &mut Moments,
    rng: &mut fastrand::Rng,
) {
    // What the sessions share; each has a generator of its own, so that it replays alone.
    let shared = Mutex::new((daemon, kills));
    join_all(stage.sessions.iter().map(|session| {
        let mut rng = rng.fork();
        let shared = &shared;
        async move {
            let visitor = shops.of(session.side).visitor().await;
            for step in &session.steps {
                {
                    let (daemon, kills) = &mut *shared.lock().await;
                    if kills.now() {
                        daemon.kill();
                    }
                }
                // Not a wait for something: it varies what the daemon finds in one batch.
                tokio::time::sleep(Duration::from_millis(rng.u64(0..30))).await;
                for statement in step {
                    execute(&visitor, statement, &scenario.name, &session.file).await;
                }
            }
        }
    }))
    .await;
}

async fn execute(session: &Session, statement: &str, name: &str, file: &str) {
    let done = session.run(statement).await;
    done.unwrap_or_else(|e| panic!("{name}/{file}: {e}\n{statement}"));
}

async fn held(scenario: &Scenario, shops: &Shops, daemon: &Daemon) {
    let sql = "SELECT message FROM cartage.held";
    // What waits for something that has come since is tried again at its time.
    let deadline = Instant::now() + Duration::from_secs(60);
    let messages = loop {
        let messages = shops.target.rows(sql, "held").await;
        if messages.len() as i64 <= scenario.expect.held || Instant::now() > deadline {
            break messages;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    assert_eq!(
        messages.len() as i64,
        scenario.expect.held,
        "held carts: {messages:#?}\n{}",
        daemon.log()
    );
    for message in messages {
        let said = &scenario.expect.held_message;
        assert!(
            message.contains(said.as_str()),
            "{message:?} does not say {said:?}"
        );
    }
}

async fn oracle(scenario: &Scenario, shops: &Shops) -> (Vec<String>, Vec<String>) {
    let file = |file: &str| format!("{}/{file}", scenario.name);
    let source = (&scenario.oracle_source, file("oracle_source.sql"));
    let target = (&scenario.oracle_target, file("oracle_target.sql"));
    (
        shops.source.rows(source.0, &source.1).await,
        shops.target.rows(target.0, &target.1).await,
    )
}

async fn compare(scenario: &Scenario, shops: &Shops, daemon: &Daemon) {
    let (source, target) = oracle(scenario, shops).await;
    if source == target {
        return;
    }
    let only = |these: &[String], others: &[String]| {
        let others: BTreeSet<&String> = others.iter().collect();
        let lines: Vec<&String> = these.iter().filter(|r| !others.contains(r)).collect();
        format!("{}: {:#?}", lines.len(), &lines[..lines.len().min(10)])
    };
    panic!(
        "{}: {} rows expected, {} found\nonly expected {}\nonly found {}\n{}",
        scenario.name,
        source.len(),
        target.len(),
        only(&source, &target),
        only(&target, &source),
        daemon.log()
    );
}

async fn counts(scenario: &Scenario, shops: &Shops, daemon: &Daemon) {
    let total = async |column: &str| {
        let sql = format!("SELECT sum({column}) FROM cartage.checkpoint");
        shops.target.number(&sql).await
    };
    assert_eq!(
        total("late").await,
        scenario.expect.late,
        "late changes\n{}",
        daemon.log()
    );
    for state in ["mirror", "merged", "handed_over", "held", "ended"] {
        let sql = format!("SELECT count(*) FROM cartage.ledger WHERE state = '{state}'");
        let carts = shops.target.number(&sql).await;
        assert_eq!(
            total(state).await,
            carts,
            "the lanes' count of {state}\n{}",
            daemon.log()
        );
    }
    let patches = total("patches").await;
    let expect = &scenario.expect;
    let range = expect.min_patches.unwrap_or(0)..=expect.max_patches.unwrap_or(i64::MAX);
    assert!(
        range.contains(&patches),
        "{patches} patches, expected {range:?}\n{}",
        daemon.log()
    );
}

fn verify(config: &Path) {
    let report = daemon::command(config, &["verify", "--json"]);
    let report: serde_json::Value = serde_json::from_str(&report).expect("one JSON document");
    for count in ["missing", "extra", "different", "held"] {
        assert_eq!(report[count].as_i64(), Some(0), "verify: {report}");
    }
    assert_ne!(
        report["carts_compared"].as_i64(),
        Some(0),
        "verify: {report}"
    );
}

/// After teardown neither side remembers that cartage was there.
pub async fn no_trace(shop: &Shop, slot: &str) {
    let slot = format!("SELECT count(*) FROM pg_replication_slots WHERE slot_name = '{slot}'");
    let traces: &[&str] = match shop.kind {
        Kind::Postgres => &[
            &slot,
            "SELECT count(*) FROM pg_publication",
            "SELECT count(*) FROM pg_namespace WHERE nspname = 'cartage'",
        ],
        Kind::Mysql => &["SELECT count(*) FROM information_schema.tables
             WHERE table_schema = database() AND table_name LIKE 'cartage%'"],
    };
    for sql in traces {
        assert_eq!(shop.number(sql).await, 0, "left behind: {sql}");
    }
}

fn block_on(future: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(future);
}

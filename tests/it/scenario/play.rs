//! One scenario from the first table to the last trace.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use futures_util::future::join_all;
use tokio::sync::Mutex;

use super::daemon::{self, Daemon};
use super::folder::{Scenario, Side, Stage};
use super::servers::{Shops, connect, number, rows};
use super::settled::{backfilled, settled};

/// Loads, sets up, runs, kills, compares, tears down.
pub fn play(name: &str) {
    let seed = match std::env::var("CARTAGE_SEED") {
        Ok(seed) => seed.parse().expect("CARTAGE_SEED is a number"),
        Err(_) => fastrand::u64(..1_000_000),
    };
    println!("scenario {name}: CARTAGE_SEED={seed}");
    block_on(migrate(
        Scenario::load(name),
        fastrand::Rng::with_seed(seed),
    ));
}

/// Runs all SQL of a scenario without cartage: it must load, and the oracle must notice.
pub fn rehearse(name: &str) {
    block_on(async {
        let scenario = Scenario::load(name);
        let shops = load(&scenario, &format!("rehearse_{name}")).await;
        for session in scenario.stages.iter().flat_map(|stage| &stage.sessions) {
            if session.side == Side::Source {
                let client = connect(&shops.source_url).await;
                for statement in &session.statements {
                    execute(&client, statement, &scenario.name, &session.file).await;
                }
            }
        }
        // An oracle may ask the control tables too: here they are there, and empty.
        let control = include_str!("../../../migrations/0001_control.sql");
        let control = format!("CREATE SCHEMA cartage; SET search_path = cartage; {control}");
        connect(&shops.target_url)
            .await
            .batch_execute(&control)
            .await
            .unwrap();
        let (source, target) = oracle(&scenario, &shops).await;
        assert!(
            !source.is_empty(),
            "{name}: oracle_source.sql finds nothing"
        );
        assert_ne!(source, target, "{name}: the oracle is content with nothing");
    });
}

async fn migrate(scenario: Scenario, mut rng: fastrand::Rng) {
    let name = &scenario.name;
    let shops = load(&scenario, name).await;
    let folder = tempfile::tempdir().unwrap();
    let config = configure(&scenario, &scenario.config, &shops, folder.path());

    daemon::command(&config, &["setup", "--yes"]);
    let mut daemon = Daemon::start(&config);
    if scenario.expect.backfill_first {
        backfilled(&mut daemon, &shops.target).await;
    }
    let mut kills = moments(&scenario, &mut rng);
    for stage in &scenario.stages {
        if let Some(text) = &stage.config {
            daemon.stop().await;
            configure(&scenario, text, &shops, folder.path());
            daemon = Daemon::start(&config);
        }
        run_stage(stage, &scenario, &shops, &mut daemon, &mut kills, &mut rng).await;
        settled(&mut daemon, &shops).await;
    }

    let held = number(&shops.target, "SELECT count(*) FROM cartage.held").await;
    assert_eq!(held, scenario.expect.held, "held carts\n{}", daemon.log());
    for row in shops
        .target
        .query("SELECT message FROM cartage.held", &[])
        .await
        .unwrap()
    {
        let message: &str = row.get(0);
        let said = &scenario.expect.held_message;
        assert!(
            message.contains(said.as_str()),
            "{message:?} does not say {said:?}"
        );
    }
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
    no_trace(&shops, name).await;
}

pub async fn load(scenario: &Scenario, database: &str) -> Shops {
    let shops = Shops::create(database).await;
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

pub fn configure(scenario: &Scenario, text: &str, shops: &Shops, folder: &Path) -> PathBuf {
    let path = folder.join("cartage.toml");
    let text = text
        .replace("{{name}}", &scenario.name.replace('_', "-"))
        .replace("{{source_url}}", &shops.source_url)
        .replace("{{target_url}}", &shops.target_url);
    fs::write(&path, text).unwrap();
    path
}

/// Before which statements of the whole workload the daemon dies.
fn moments(scenario: &Scenario, rng: &mut fastrand::Rng) -> Moments {
    let statements = scenario
        .stages
        .iter()
        .flat_map(|stage| &stage.sessions)
        .map(|session| session.statements.len())
        .sum::<usize>();
    let kills = (0..scenario.expect.kills)
        .map(|_| rng.usize(0..=statements.saturating_sub(1)))
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
            let url = match session.side {
                Side::Source => &shops.source_url,
                Side::Target => &shops.target_url,
            };
            let client = connect(url).await;
            for statement in &session.statements {
                {
                    let (daemon, kills) = &mut *shared.lock().await;
                    if kills.now() {
                        daemon.kill();
                    }
                }
                // Not a wait for something: it varies what the daemon finds in one batch.
                tokio::time::sleep(Duration::from_millis(rng.u64(0..30))).await;
                execute(&client, statement, &scenario.name, &session.file).await;
            }
        }
    }))
    .await;
}

async fn execute(client: &tokio_postgres::Client, statement: &str, name: &str, file: &str) {
    client
        .batch_execute(statement)
        .await
        .unwrap_or_else(|e| panic!("{name}/{file}: {e:?}\n{statement}"));
}

async fn oracle(scenario: &Scenario, shops: &Shops) -> (Vec<String>, Vec<String>) {
    let name = &scenario.name;
    (
        rows(
            &shops.source,
            &scenario.oracle_source,
            &format!("{name}/oracle_source.sql"),
        )
        .await,
        rows(
            &shops.target,
            &scenario.oracle_target,
            &format!("{name}/oracle_target.sql"),
        )
        .await,
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
        number(
            &shops.target,
            &format!("SELECT sum({column})::bigint FROM cartage.checkpoint"),
        )
        .await
    };
    assert_eq!(
        total("late").await,
        scenario.expect.late,
        "late changes\n{}",
        daemon.log()
    );
    for state in ["mirror", "merged", "handed_over", "held", "ended"] {
        let sql = format!("SELECT count(*) FROM cartage.ledger WHERE state = '{state}'");
        let carts = number(&shops.target, &sql).await;
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
async fn no_trace(shops: &Shops, name: &str) {
    for (client, sql) in [
        (
            &shops.source,
            format!("SELECT count(*) FROM pg_replication_slots WHERE slot_name = 'cartage_{name}'"),
        ),
        (
            &shops.source,
            "SELECT count(*) FROM pg_publication".to_string(),
        ),
        (
            &shops.target,
            "SELECT count(*) FROM pg_namespace WHERE nspname = 'cartage'".to_string(),
        ),
    ] {
        assert_eq!(number(client, &sql).await, 0, "left behind: {sql}");
    }
}

fn block_on(future: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(future);
}

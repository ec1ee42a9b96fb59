//! Ids are made under one key for as long as the pipeline lives.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::scenario::daemon::Daemon;
use crate::scenario::folder::Scenario;
use crate::scenario::play::{configure, load};
use crate::scenario::settled::{backfilled, settled};

#[tokio::test]
async fn another_secret_stops_the_daemon_before_it_writes() {
    let mut scenario = Scenario::load("keyed_ids_minor_units");
    scenario.name = "ids_secret".to_owned();
    let shops = load(&scenario, &scenario.name).await;
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("ids-secret");
    let with_ids = format!(
        "{}\n[ids]\nsecret = {{ file = 'ids-secret' }}\n",
        scenario.config
    );
    let config = configure(&scenario, &with_ids, &shops, folder.path());
    fs::write(&secret, "the first one").unwrap();
    crate::scenario::daemon::command(&config, &["setup", "--yes"]);
    let mut daemon = Daemon::start(&config);
    backfilled(&mut daemon, &shops.target).await;
    daemon.stop().await;
    let ids = "SELECT count(*)::bigint, min(xmin::text::bigint), max(xmin::text::bigint) \
               FROM cartage.ledger";
    let row = shops.target.query_one(ids, &[]).await.unwrap();
    let before: (i64, i64, i64) = (row.get(0), row.get(1), row.get(2));
    assert!(before.0 > 0);

    fs::write(&secret, "another one").unwrap();
    let (code, log) = run(&config, "run");
    assert_eq!(code, 4, "{log}");
    assert!(log.contains("all ids would change"), "{log}");
    assert!(log.contains("its former value"), "{log}");
    assert!(log.contains("cartage teardown"), "{log}");
    assert!(!log.contains("another one"), "{log}");
    let (code, log) = run(&config, "verify");
    assert_eq!(code, 1, "{log}");
    assert!(log.contains("all ids would change"), "{log}");
    let row = shops.target.query_one(ids, &[]).await.unwrap();
    assert_eq!(before, (row.get(0), row.get(1), row.get(2)));
    // Nor does it fall back to another key without a word.
    let without = configure(&scenario, &scenario.config, &shops, folder.path());
    let (code, log) = run(&without, "run");
    assert_eq!(code, 4, "{log}");
    configure(&scenario, &with_ids, &shops, folder.path());

    fs::write(&secret, "the first one").unwrap();
    let mut daemon = Daemon::start(&config);
    let something = "SELECT pg_logical_emit_message(true, 'a', 'b')";
    shops.source.batch_execute(something).await.unwrap();
    settled(&mut daemon, &shops).await;
    daemon.stop().await;
}

fn run(config: &Path, command: &str) -> (i32, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_cartage"))
        .env("CARTAGE_CONFIG", config)
        .env_remove("RUST_LOG")
        .arg(command)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let log = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.code().unwrap(), log)
}

//! `setup` and `teardown`: twice, without a terminal, and beside somebody who reads the slot.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use cartage::check::Verdict;
use cartage::cli::setup::{self, SetupArgs};
use cartage::cli::teardown::{self, TeardownArgs};
use cartage::demo::cluster::Options;
use cartage::source::change::Lsn;
use cartage::source::postgres::slot;
use cartage::target::control::pipeline;
use tokio_postgres::Client;

use super::{Ends, found};
/// Everything that the catalogs hold besides the system's own, by name.
async fn traces(client: &Client) -> Vec<String> {
    let sql = "
        SELECT 'schema ' || nspname FROM pg_namespace WHERE nspname !~ '^pg_(toast_)?temp'
        UNION ALL SELECT 'relation ' || c.oid::regclass::text || ' ' || c.relreplident::text
                  FROM pg_class c WHERE c.oid >= 16384
                  AND c.relnamespace <> 'pg_toast'::regnamespace
        UNION ALL SELECT 'function ' || oid::regprocedure::text FROM pg_proc WHERE oid >= 16384
        UNION ALL SELECT 'type ' || oid::regtype::text FROM pg_type WHERE oid >= 16384
        UNION ALL SELECT 'trigger ' || tgname FROM pg_trigger WHERE NOT tgisinternal
        UNION ALL SELECT 'event trigger ' || evtname FROM pg_event_trigger
        UNION ALL SELECT 'publication ' || pubname FROM pg_publication
        UNION ALL SELECT 'slot ' || slot_name FROM pg_replication_slots
        UNION ALL SELECT 'role ' || rolname FROM pg_roles
        UNION ALL SELECT 'origin ' || roname FROM pg_replication_origin
        ORDER BY 1";
    let rows = client.query(sql, &[]).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

#[tokio::test]
async fn setup_twice_is_setup_once_and_teardown_leaves_nothing() {
    let ends = Ends::start(Options::default()).await;
    let before = (traces(&ends.source).await, traces(&ends.target).await);

    let report = ends.check().await;
    assert!(report.is_well(), "{}", report.text());
    found(&report, "slot", Verdict::Todo);
    found(&report, "publication", Verdict::Todo);

    ends.setup().await;
    let first = pipeline::load(&ends.control(), "shop")
        .await
        .unwrap()
        .unwrap();
    let at = pipeline::checkpoint(&ends.control(), first.id)
        .await
        .unwrap();
    let found_slot = slot::find(&ends.source, "cartage_shop").await.unwrap();
    assert_eq!(at, found_slot.unwrap().confirmed);
    assert_eq!(first.ids_secret.as_ref().unwrap().0.len(), 32);
    assert_eq!(first.mapping, None);

    ends.setup().await;
    let second = pipeline::load(&ends.control(), "shop")
        .await
        .unwrap()
        .unwrap();
    assert_eq!(first.ids_secret, second.ids_secret);
    assert_eq!(
        at,
        pipeline::checkpoint(&ends.control(), first.id)
            .await
            .unwrap()
    );
    assert_eq!(ends.runs().await, 0);
    let verified = ends.verify().await.unwrap();
    assert_eq!(verified.changes, []);
    let report = ends.check().await;
    assert!(report.is_well(), "{}", report.text());
    assert_eq!(report.count(Verdict::Todo), 0, "{}", report.text());

    ends.teardown().await;
    assert_eq!(before.0, traces(&ends.source).await);
    assert_eq!(before.1, traces(&ends.target).await);
    ends.teardown().await;
}

#[tokio::test]
async fn every_control_column_has_a_comment() {
    let ends = Ends::start(Options::default()).await;
    ends.setup().await;
    let sql = "
        SELECT c.relname || coalesce('.' || a.attname, '')
        FROM pg_class c
        LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
        WHERE c.relnamespace = 'cartage'::regnamespace AND c.relkind = 'r'
          AND (obj_description(c.oid, 'pg_class') IS NULL
               OR col_description(c.oid, a.attnum) IS NULL)";
    let bare = ends.target.query(sql, &[]).await.unwrap();
    let bare: Vec<String> = bare.iter().map(|row| row.get(0)).collect();
    assert_eq!(bare, [""; 0]);
}

#[tokio::test]
async fn without_a_terminal_and_without_yes_nothing_is_done() {
    if std::io::IsTerminal::is_terminal(&std::io::stdin()) {
        return;
    }
    let ends = Ends::start(Options::default()).await;
    let error = setup::run(&ends.config, SetupArgs { yes: false })
        .await
        .unwrap_err();
    assert_eq!(error.exit, 2);
    assert!(!pipeline::installed(&ends.control()).await.unwrap());
    assert!(
        slot::find(&ends.source, "cartage_shop")
            .await
            .unwrap()
            .is_none()
    );
}

#[tokio::test]
async fn a_slot_in_use_names_its_process_and_is_not_torn_down() {
    let ends = Ends::start(Options::default()).await;
    ends.setup().await;
    let program = ends.cluster.programs().join("pg_recvlogical");
    if !program.exists() {
        return; // Some packages hold the server alone.
    }
    let mut receiver = Command::new(program)
        .args([
            "-d",
            &ends.cluster.url("old"),
            "-S",
            "cartage_shop",
            "--start",
            "-f",
            "-",
        ])
        .args([
            "-o",
            "proto_version=1",
            "-o",
            "publication_names=cartage_shop",
        ])
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let deadline = Instant::now() + Duration::from_secs(20);
    let pid = loop {
        let slot = slot::find(&ends.source, "cartage_shop")
            .await
            .unwrap()
            .unwrap();
        if let Some(pid) = slot.active_pid {
            break pid;
        }
        assert!(Instant::now() < deadline, "the receiver never started");
        tokio::task::yield_now().await;
    };
    let error = teardown::run(&ends.config, TeardownArgs { yes: true })
        .await
        .unwrap_err();
    assert_eq!(error.exit, 1);
    assert!(
        error.message.contains(&pid.to_string()),
        "{}",
        error.message
    );
    receiver.kill().unwrap();
    receiver.wait().unwrap();
}

#[test]
fn names_of_slots() {
    assert_eq!(slot::name_of("old-to-new"), "cartage_old_to_new");
    assert_eq!("0/0".parse::<Lsn>().unwrap(), Lsn(0));
}

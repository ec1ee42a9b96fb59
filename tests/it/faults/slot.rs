//! The replication slot: dropped, made anew, taken by something else.

use std::time::{Duration, Instant};

use cartage::config::Config;
use cartage::source::change::Lsn;
use cartage::source::postgres::{LogStream, LogTables, Origin};

use cartage::demo::cluster::{Cluster, Options};

use super::ground::Ground;
use crate::scenario::daemon::{Daemon, command};

/// `cartage setup` says what it will do, does it, and the target keeps its carts meanwhile.
async fn starts_over(ground: &Ground, carts: i64) -> Daemon {
    assert_eq!(ground.count("SELECT count(*) FROM cart").await, carts);
    let (code, said, log) = ground.run(&["setup", "--yes"]);
    assert_eq!(code, 0, "{said}{log}");
    assert!(
        said.contains("have every cart read again (refresh --all)"),
        "{said}"
    );
    assert_eq!(ground.count("SELECT count(*) FROM cart").await, carts);
    ground.recovers().await
}

#[tokio::test(flavor = "multi_thread")]
async fn dropped_while_stopped_loses_nothing_after_setup() {
    let ground = Ground::open("faults_slot_dropped").await;
    ground.rest(ground.follow().await).await;
    ground.trade(1).await;
    let slot = &ground.slot;
    ground
        .in_old(&format!("SELECT pg_drop_replication_slot('{slot}')"))
        .await;
    ground.trade(2).await;
    let message = format!(
        "the replication slot {slot} is not on the source; changes since the checkpoint are in no \
         log any more; run: cartage setup, which makes a new slot and reads every cart again \
         (refresh --all)"
    );
    assert_eq!(ground.refused().await, message);
    assert_eq!(
        ground.refused().await,
        message,
        "it stays so until it is mended"
    );
    let daemon = starts_over(&ground, 200).await;
    assert_eq!(
        ground
            .count("SELECT count(*) FROM cart WHERE cart_id IN (151, 152)")
            .await,
        0
    );
    ground.trade(3).await;
    let mut daemon = daemon;
    ground.settle(&mut daemon).await;
    ground.equal(&daemon).await;
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn made_anew_while_stopped_is_noticed_by_its_position() {
    let ground = Ground::open("faults_slot_anew").await;
    ground.rest(ground.follow().await).await;
    let slot = &ground.slot;
    ground
        .in_old(&format!("SELECT pg_drop_replication_slot('{slot}')"))
        .await;
    ground.trade(1).await;
    ground
        .in_old(&format!(
            "SELECT pg_create_logical_replication_slot('{slot}', 'pgoutput')"
        ))
        .await;
    ground.trade(2).await;
    let message = ground.refused().await;
    let begin = format!("the replication slot {slot} stands at ");
    assert!(message.starts_with(&begin), "{message}");
    let end = "it was made anew or read by something else, and the changes between are lost; run: \
               cartage setup, which goes on from the slot and reads every cart again \
               (refresh --all)";
    assert!(message.ends_with(end), "{message}");
    starts_over(&ground, 200).await.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn dropped_while_the_daemon_runs_stops_it() {
    let ground = Ground::open("faults_slot_running").await;
    let mut daemon = ground.follow().await;
    ground.trade(1).await;
    ground.settle(&mut daemon).await;
    let slot = &ground.slot;
    // A slot that is being read is not dropped: its reader has to go first, and comes back soon.
    let sql = format!(
        "DO $$ BEGIN
             FOR i IN 1..1000 LOOP
                 BEGIN
                     PERFORM pg_terminate_backend(active_pid) FROM pg_replication_slots
                         WHERE slot_name = '{slot}' AND active_pid IS NOT NULL;
                     PERFORM pg_drop_replication_slot('{slot}');
                     RETURN;
                 EXCEPTION WHEN object_in_use THEN PERFORM pg_sleep(0.005);
                 END;
             END LOOP;
             RAISE EXCEPTION 'the slot is always in use';
         END $$"
    );
    ground.in_old(&sql).await;
    ground.trade(2).await;
    let message = ground.stopped(&mut daemon).await;
    assert!(
        message.starts_with(&format!(
            "the replication slot {slot} is not on the source;"
        )),
        "{message}"
    );
    starts_over(&ground, 200).await.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn in_use_by_something_else_is_waited_for_and_named() {
    let ground = Ground::open("faults_slot_in_use").await;
    let config = Config::load(&ground.config).unwrap_or_else(|p| panic!("{}", p.render(false)));
    let slot = &ground.slot;
    let origin = Origin {
        slot,
        publication: slot,
        start: Lsn(0),
        layout: std::sync::Arc::new(cartage::cart::layout::Layout { tables: Vec::new() }),
        tables: LogTables::default(),
        compiled_at: Lsn(0),
        patience: Duration::ZERO,
    };
    let pulses = cartage::pulse::Pulses::default();
    let other = LogStream::open(&config.source, origin, pulses.of("other"), |_| ())
        .await
        .unwrap();
    let pid: i32 = ground
        .shops
        .source
        .query_one(
            "SELECT active_pid FROM pg_replication_slots WHERE slot_name = $1",
            &[slot],
        )
        .await
        .unwrap()
        .get(0);
    let begun = Instant::now();
    let message = ground.refused().await;
    assert_eq!(
        message,
        format!(
            "the replication slot {slot} is in use by PID {pid}; stop the other reader, or end its \
             session, on the source: SELECT pg_terminate_backend({pid})"
        )
    );
    assert!(
        begun.elapsed() >= Duration::from_secs(2),
        "it waits, as configured"
    );

    // One that goes in time is no reason to stop.
    let mut daemon = Daemon::start(&ground.config);
    daemon.says("the slot is in use; waiting for it").await;
    drop(other);
    ground.settle(&mut daemon).await;
    ground.equal(&daemon).await;
    daemon.stop().await;
    command(&ground.config, &["status"]);
}

/// Positions of two clusters are no positions of one log: here the new one is far behind.
#[tokio::test(flavor = "multi_thread")]
async fn another_cluster_is_refused_and_taken_over_by_setup() {
    let (name, options) = ("faults_slot_cluster", Options::default);
    let source = Cluster::start(options()).await.unwrap();
    let target = Cluster::start(options()).await.unwrap();
    let mut ground = Ground::between(&source, &target, name).await;
    for _ in 0..4 {
        ground
            .in_old("SELECT pg_logical_emit_message(false, 'x', 'x'); SELECT pg_switch_wal()")
            .await;
    }
    command(&ground.config, &["setup", "--yes"]);
    ground.rest(ground.follow().await).await;
    ground.trade(1).await;

    let other = Cluster::start(options().own_identity()).await.unwrap();
    ground.restore_on(&other, name).await;
    ground.trade(2).await;
    let message = ground.refused().await;
    let begin = "the source is another cluster than the one that this pipeline was set up with \
                 (system identifier ";
    assert!(message.starts_with(begin), "{message}");
    let mut daemon = starts_over(&ground, 200).await;
    ground.trade(3).await;
    ground.settle(&mut daemon).await;
    ground.equal(&daemon).await;
    daemon.stop().await;
}

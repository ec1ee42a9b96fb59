//! Rule 4, hazard 13: one writer, whatever became of the daemon before it.

use super::stall::{Paused, Stall};
use crate::scenario::daemon::Daemon;
use crate::scenario::servers::{connect, number};

/// The walsender that reads the slot.
async fn reader(stall: &Stall) -> i64 {
    let sql = format!(
        "SELECT coalesce(max(active_pid), 0)::bigint FROM pg_replication_slots \
         WHERE slot_name = '{}'",
        stall.slot()
    );
    number(&stall.shops.source, &sql).await
}

/// Waits until the walsender has sent all that is committed.
async fn sent(stall: &Stall, daemon: &Daemon) {
    let sql = "SELECT pg_current_wal_flush_lsn()::text";
    let row = stall.shops.source.query_one(sql, &[]).await.unwrap();
    let (goal, pid): (&str, i64) = (row.get(0), reader(stall).await);
    let sent =
        format!("SELECT sent_lsn >= '{goal}'::pg_lsn FROM pg_stat_replication WHERE pid = {pid}");
    stall.until_old(daemon, &sent).await;
}

/// The sleeper has a line in its socket that its successor has written and removed since. Awake, it
/// finds its session with the source gone too, and must not take the pipeline back.
#[tokio::test]
async fn a_daemon_that_wakes_beside_its_successor_writes_nothing_more() {
    let stall = Stall::open("wakes").await;
    let mut sleeper = stall.follow().await;
    let asleep = Paused::stop(sleeper.pid());
    stall
        .old("INSERT INTO lines VALUES (799, 7, 'passing', 1)")
        .await;
    sent(&stall, &sleeper).await;
    let pid = reader(&stall).await;
    stall
        .old(&format!("SELECT pg_terminate_backend({pid})"))
        .await;
    let mut successor = Daemon::start(&stall.second_config());
    stall
        .until(
            &successor,
            "SELECT EXISTS (SELECT FROM cart_line WHERE id = 799)",
        )
        .await;
    stall.old("DELETE FROM lines WHERE id = 799").await;
    stall.settled(&mut successor).await;
    drop(asleep);
    let status = sleeper.ended().await;
    let log = sleeper.log();
    assert_eq!(status.code(), Some(4), "{log}");
    assert!(log.contains("was taken over by another daemon"), "{log}");
    let back = stall
        .count("SELECT count(*) FROM cart_line WHERE id = 799")
        .await;
    assert_eq!(back, 0, "a removed line is back\n{log}");
    let stopped = "SELECT count(*) FROM cartage.pipeline WHERE phase = 'stopped'";
    assert_eq!(stall.count(stopped).await, 0, "the successor works on");
    stall.old("UPDATE lines SET qty = 5 WHERE id = 72").await;
    stall.assert_equal(&mut successor).await;
    successor.stop().await;
}

/// What the sleeper had open when its successor came is waited for, and counts once.
#[tokio::test]
async fn a_transaction_that_is_open_at_the_takeover_ends_first() {
    let stall = Stall::changed(
        "open_at_takeover",
        &[
            ("lock = \"row\"", "lock = \"version\""),
            (
                "note text);
CREATE TABLE cart_line",
                "note text, version integer NOT NULL);
CREATE TABLE cart_line",
            ),
        ],
    )
    .await;
    let mut sleeper = stall.follow().await;
    let backend = connect(&stall.shops.target_url).await;
    backend
        .batch_execute("BEGIN; SELECT FROM cart WHERE id = 7 FOR UPDATE")
        .await
        .unwrap();
    stall
        .old("UPDATE orders SET note = 'once' WHERE id = 7")
        .await;
    let waits = "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() \
                 AND application_name LIKE 'cartage lane%' AND wait_event_type = 'Lock')";
    stall.until(&sleeper, waits).await;
    let asleep = Paused::stop(sleeper.pid());
    let pid = reader(&stall).await;
    stall
        .old(&format!("SELECT pg_terminate_backend({pid})"))
        .await;
    let mut successor = Daemon::start(&stall.second_config());
    let queues = "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() \
                  AND application_name = 'cartage control' AND wait_event_type = 'Lock')";
    stall.until(&successor, queues).await;
    backend.batch_execute("ROLLBACK").await.unwrap();
    drop(asleep);
    stall
        .until(&successor, "SELECT note = 'once' FROM cart WHERE id = 7")
        .await;
    let status = sleeper.ended().await;
    assert_eq!(status.code(), Some(4), "{}", sleeper.log());
    stall.assert_equal(&mut successor).await;
    let written = stall
        .count("SELECT version::bigint FROM cart WHERE id = 7")
        .await;
    assert_eq!(written, 2, "inserted and changed once\n{}", sleeper.log());
    successor.stop().await;
}

/// The server ends the session of a dead reader after `wal_sender_timeout`; until then the slot is
/// not free.
#[tokio::test]
async fn a_slot_that_a_dead_reader_holds_is_waited_for_and_its_process_named() {
    let stall = Stall::open("dead_reader").await;
    stall
        .old("ALTER DATABASE stall_dead_reader SET wal_sender_timeout = '3s'")
        .await;
    let sleeper = stall.follow().await;
    let pid = reader(&stall).await;
    let _asleep = Paused::stop(sleeper.pid());
    let mut successor = Daemon::start(&stall.second_config());
    stall.until_logged(&successor, "waiting for it").await;
    let log = successor.log();
    assert!(
        log.contains(&format!("\"pid\":{pid}")),
        "{pid} is not named\n{log}"
    );
    stall
        .old("UPDATE orders SET note = 'later' WHERE id = 7")
        .await;
    stall.assert_equal(&mut successor).await;
    successor.stop().await;
}

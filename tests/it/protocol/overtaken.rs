//! Rule 4, hazard 13: one writer, whatever became of the daemon before it.

use std::time::Duration;

use super::stall::Stall;
use super::standstill::Paused;
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

/// The sleeper's lane has asked the ledger for a cart that its successor has written and removed
/// since. Awake, it finds its session with the source gone too, and must not take the pipeline back.
#[tokio::test]
async fn a_daemon_that_wakes_beside_its_successor_writes_nothing_more() {
    let stall = Stall::open("wakes").await;
    let mut sleeper = stall.follow().await;
    let backend = connect(&stall.shops.target_url).await;
    backend
        .batch_execute("BEGIN; LOCK TABLE cartage.held IN ACCESS EXCLUSIVE MODE")
        .await
        .unwrap();
    stall
        .old_shop("INSERT INTO orders VALUES (20, 'passing')")
        .await;
    let waits = "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() \
                 AND application_name LIKE 'cartage lane%' AND wait_event_type = 'Lock')";
    stall.until(&sleeper, waits).await;
    let asleep = Paused::stop(sleeper.pid());
    backend.batch_execute("ROLLBACK").await.unwrap();
    let pid = reader(&stall).await;
    stall
        .old_shop(&format!("SELECT pg_terminate_backend({pid})"))
        .await;
    let mut successor = Daemon::start(&stall.another_config(1));
    let there = "SELECT EXISTS (SELECT FROM cart WHERE id = 20)";
    stall.until(&successor, there).await;
    stall.old_shop("DELETE FROM orders WHERE id = 20").await;
    stall.settled(&mut successor).await;
    drop(asleep);
    let status = sleeper.ended().await;
    let log = sleeper.log();
    assert_eq!(status.code(), Some(4), "{log}");
    assert!(log.contains("was taken over by another daemon"), "{log}");
    let back = stall.count("SELECT count(*) FROM cart WHERE id = 20").await;
    assert_eq!(back, 0, "a cart that is gone is back\n{log}");
    let stopped = "SELECT count(*) FROM cartage.pipeline WHERE phase = 'stopped'";
    assert_eq!(stall.count(stopped).await, 0, "the successor works on");
    stall
        .old_shop("UPDATE lines SET qty = 5 WHERE id = 72")
        .await;
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
        .old_shop("UPDATE orders SET note = 'once' WHERE id = 7")
        .await;
    let waits = "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() \
                 AND application_name LIKE 'cartage lane%' AND wait_event_type = 'Lock')";
    stall.until(&sleeper, waits).await;
    let asleep = Paused::stop(sleeper.pid());
    let pid = reader(&stall).await;
    stall
        .old_shop(&format!("SELECT pg_terminate_backend({pid})"))
        .await;
    let mut successor = Daemon::start(&stall.another_config(1));
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
        .old_shop("ALTER DATABASE stall_dead_reader SET wal_sender_timeout = '3s'")
        .await;
    let sleeper = stall.follow().await;
    let pid = reader(&stall).await;
    let _asleep = Paused::stop(sleeper.pid());
    let mut successor = Daemon::start(&stall.another_config(1));
    stall.until_logged(&successor, "waiting for it").await;
    let log = successor.log();
    assert!(
        log.contains(&format!("\"pid\":{pid}")),
        "{pid} is not named\n{log}"
    );
    stall
        .old_shop("UPDATE orders SET note = 'later' WHERE id = 7")
        .await;
    stall.assert_equal(&mut successor).await;
    successor.stop().await;
}

/// Nobody pauses here: each daemon is at work when the next one comes, and the old shop sells.
#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_at_work_is_relieved_by_the_next() {
    let stall = Stall::open("relieved").await;
    let mut daemon = stall.follow().await;
    let seller = connect(&stall.shops.source_url).await;
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let sales = tokio::spawn(async move {
        let mut sold = 0;
        while !*stopped.borrow() {
            sold += 1;
            let sql = format!("UPDATE lines SET qty = {sold} WHERE id = {}1", sold % 9 + 1);
            seller.batch_execute(&sql).await.unwrap();
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        sold
    });
    for n in 1..=4 {
        let mut next = Daemon::start(&stall.another_config(n));
        let status = daemon.ended().await;
        assert_eq!(status.code(), Some(4), "{}{}", daemon.log(), next.log());
        let epoch = format!("SELECT epoch = {} FROM cartage.pipeline", n + 1);
        stall.until(&next, &epoch).await;
        assert!(next.alive(), "{}", next.log());
        daemon = next;
    }
    stop.send(true).unwrap();
    assert!(sales.await.unwrap() > 0);
    stall.assert_equal(&mut daemon).await;
    daemon.stop().await;
}

//! Rule 18, hazard 9: TRUNCATE, and what happens to partitions without a word in the log.

use super::stall::Stall;
use crate::scenario::daemon::Daemon;
use crate::scenario::servers::connect;

const LINES: &str = "SELECT count(*) FROM cart_line";

#[tokio::test]
async fn a_truncate_killed_halfway_goes_on() {
    let stall = Stall::open("truncate_halfway").await;
    stall.follow().await.stop().await;
    stall.old_shop("TRUNCATE lines, options").await;
    let switches = [
        ("CARTAGE_BOUND", "cleared=2"),
        ("CARTAGE_KILL", "lane.before-commit@5"),
    ];
    let mut killed = Daemon::start_with(&stall.config, &switches);
    assert!(killed.ended().await.code().is_none(), "{}", killed.log());
    let left = stall.count(LINES).await;
    assert!(
        (1..18).contains(&left),
        "halfway, not with {left} of 18 lines left"
    );
    let mut daemon = Daemon::start(&stall.config);
    stall.assert_equal(&mut daemon).await;
    assert_eq!(stall.count(LINES).await, 0);
    daemon.stop().await;
}

/// Cart 20 is not in the ledger yet when the TRUNCATE comes: its lane waits for a lock.
#[tokio::test]
async fn a_cart_that_is_on_its_way_is_cleared_too() {
    let stall = Stall::open("truncate_barrier").await;
    let mut daemon = stall.follow().await;
    let backend = connect(&stall.shops.target_url).await;
    backend
        .batch_execute("BEGIN; LOCK TABLE cart IN EXCLUSIVE MODE")
        .await
        .unwrap();
    stall
        .old_shop(
            "BEGIN; INSERT INTO orders VALUES (20, 'new'); INSERT INTO lines VALUES (201, 20, 'x', 1);
             COMMIT;
             TRUNCATE lines, options",
        )
        .await;
    let waits = "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() \
                 AND application_name LIKE 'cartage lane%' AND wait_event_type = 'Lock')";
    stall.until(&daemon, waits).await;
    // The reader waits for the lane. One that does not is through with the ledger by now: what it
    // asked is answered at once.
    let asked = "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() \
                 AND application_name = 'cartage control' AND query LIKE 'SELECT cart FROM cartage.ledger%')";
    for _ in 0..25 {
        let early = stall
            .count(&format!("SELECT ({asked})::integer::bigint"))
            .await;
        assert_eq!(early, 0, "the ledger is walked while a lane is busy");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    backend.batch_execute("ROLLBACK").await.unwrap();
    stall.assert_equal(&mut daemon).await;
    assert_eq!(stall.count(LINES).await, 0);
    daemon.stop().await;
}

/// The window over cart 7 waits for a transaction that no snapshot sees. A row moves into it, so
/// that all that it keeps is applied: the TRUNCATE must be among it.
#[tokio::test]
async fn a_truncate_inside_a_window_is_kept_in_its_place() {
    let stall = Stall::open("truncate_window").await;
    let mut daemon = stall.follow().await;
    let unseen = stall
        .unseen("UPDATE orders SET note = 'let go' WHERE id = 12")
        .await;
    stall.wish(7).await;
    stall.until_logged(&daemon, "are not visible yet").await;
    stall
        .old_shop(
            "UPDATE lines SET order_id = 7 WHERE id = 82;
             INSERT INTO lines VALUES (701, 7, 'before', 1);
             TRUNCATE lines, options;
             INSERT INTO lines VALUES (702, 7, 'after', 1)",
        )
        .await;
    stall
        .until(
            &daemon,
            "SELECT NOT EXISTS (SELECT FROM cart_line WHERE cart_id = 1)",
        )
        .await;
    unseen.seen().await;
    stall.assert_equal(&mut daemon).await;
    assert_eq!(stall.count(LINES).await, 1);
    daemon.stop().await;
}

/// Lines of carts below 6 are in one partition, the others in another.
async fn partitioned(name: &str) -> Stall {
    Stall::changed(
        name,
        &[
            (
                "id integer PRIMARY KEY, order_id integer REFERENCES orders ON DELETE CASCADE,\n    \
                 sku text NOT NULL, qty integer NOT NULL, gift text\n);\nCREATE TABLE options",
                "id integer, order_id integer NOT NULL REFERENCES orders ON DELETE CASCADE,\n    \
                 sku text NOT NULL, qty integer NOT NULL, gift text, PRIMARY KEY (order_id, id)\n\
                 ) PARTITION BY RANGE (order_id);\n\
                 CREATE TABLE lines_low PARTITION OF lines FOR VALUES FROM (0) TO (6);\n\
                 CREATE TABLE lines_high PARTITION OF lines FOR VALUES FROM (6) TO (100);\n\
                 CREATE TABLE options",
            ),
            ("line_id integer NOT NULL REFERENCES lines ON DELETE CASCADE", "line_id integer NOT NULL"),
            ("ALTER TABLE lines REPLICA IDENTITY FULL;", ""),
            ("lines = { cart = \"order_id\", key = \"id\" }", "lines = { cart = \"order_id\", key = [\"order_id\", \"id\"] }"),
            ("options = { parent = \"lines\", by = \"line_id\", key = \"id\" }", ""),
            (super::wares::OPTIONS, ""),
        ],
    )
    .await
}

#[tokio::test]
async fn a_leaf_that_is_truncated_is_noticed_while_the_daemon_runs() {
    let stall = partitioned("leaf_truncated").await;
    let mut daemon = stall.follow_with(&[("CARTAGE_BOUND", "watch=200")]).await;
    stall.old_shop("TRUNCATE lines_low").await;
    stall
        .until(
            &daemon,
            "SELECT NOT EXISTS (SELECT FROM cart_line WHERE cart_id < 6)",
        )
        .await;
    stall.assert_lines(&mut daemon).await;
    assert_eq!(stall.count(LINES).await, 8);
    daemon.stop().await;
}

#[tokio::test]
async fn a_leaf_that_is_detached_and_another_one_in_its_place_are_noticed_at_the_start() {
    let stall = partitioned("leaf_detached").await;
    stall.follow().await.stop().await;
    stall
        .old_shop(
            "ALTER TABLE lines DETACH PARTITION lines_low;
             CREATE TABLE lines_other (LIKE lines_low INCLUDING ALL);
             INSERT INTO lines_other VALUES (901, 1, 'attached', 3);
             ALTER TABLE lines ATTACH PARTITION lines_other FOR VALUES FROM (0) TO (6)",
        )
        .await;
    let mut daemon = Daemon::start(&stall.config);
    stall
        .until(
            &daemon,
            "SELECT EXISTS (SELECT FROM cart_line WHERE id = 901)",
        )
        .await;
    stall.assert_lines(&mut daemon).await;
    assert_eq!(stall.count(LINES).await, 9);
    daemon.stop().await;
}

/// What is no longer published falls silent, so the daemon does not go on as if nothing were.
#[tokio::test]
async fn a_table_that_leaves_the_publication_stops_the_daemon() {
    let stall = Stall::open("unpublished").await;
    let mut daemon = stall.follow_with(&[("CARTAGE_BOUND", "watch=200")]).await;
    stall
        .old_shop(&format!(
            "ALTER PUBLICATION {} DROP TABLE lines",
            stall.slot()
        ))
        .await;
    let status = daemon.ended().await;
    let log = daemon.log();
    assert_eq!(status.code(), Some(4), "{log}");
    assert!(
        log.contains("does not have the table public.lines"),
        "{log}"
    );
}

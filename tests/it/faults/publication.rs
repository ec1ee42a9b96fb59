//! The publication: narrowed in each way while the daemon runs, dropped, made anew, and altered and put
//! back while nobody looks.

use super::ground::{Change, Ground, warnings};
use crate::scenario::daemon::{Daemon, command};
use crate::scenario::servers::connect;

/// Alters the publication under a running daemon, which must say what is wrong; its own statement
/// mends it, and nothing that happened meanwhile is lost.
async fn narrowed(ground: &Ground, daemon: &mut Daemon, n: u32, alter: &str, what: &str) -> Daemon {
    let slot = &ground.slot;
    ground
        .in_old(&format!("ALTER PUBLICATION {slot} {alter}"))
        .await;
    ground.trade(n).await;
    let message = ground.stopped(daemon).await;
    let begin = format!("the publication {slot} {what}; run on the source: ");
    assert!(message.starts_with(&begin), "{alter}: {message}");
    let (sql, after) = message[begin.len()..]
        .split_once("; then start again")
        .unwrap();
    assert_eq!(
        after, ": every cart is read again, for changes may have passed meanwhile",
        "{alter}"
    );
    ground.in_old(sql).await;
    ground.trade(n + 1).await;
    ground.recovers().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_taken_out_and_operations_taken_out() {
    let ground = Ground::open("faults_pub_narrow").await;
    let mut daemon = ground.follow().await;
    let out = "DROP TABLE order_lines";
    let what = "does not have the table public.order_lines";
    let mut daemon = narrowed(&ground, &mut daemon, 1, out, what).await;
    let inserts = "SET (publish = 'insert')";
    let what = "leaves out update, delete, truncate";
    let mut daemon = narrowed(&ground, &mut daemon, 3, inserts, what).await;
    let leaves = "SET (publish_via_partition_root = false)";
    let what = "does not publish partitions under their root";
    narrowed(&ground, &mut daemon, 5, leaves, what)
        .await
        .stop()
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_filter_and_a_column_list() {
    let ground = Ground::open("faults_pub_filter").await;
    let version = "SELECT current_setting('server_version_num')::bigint";
    if crate::scenario::servers::number(&ground.shops.source, version).await < 150_000 {
        return; // Both are new in 15.
    }
    let mut daemon = ground.follow().await;
    let filter = "SET TABLE orders, order_lines WHERE (qty < 5)";
    let what = "filters the rows of public.order_lines";
    let mut daemon = narrowed(&ground, &mut daemon, 1, filter, what).await;
    // An UPDATE of a table with a column list needs its replica identity in it.
    ground
        .in_old("ALTER TABLE order_lines ADD noted text")
        .await;
    let columns = "SET TABLE orders (id, currency), order_lines";
    let what = "leaves out columns of public.orders: email, status";
    narrowed(&ground, &mut daemon, 3, columns, what)
        .await
        .stop()
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn dropped_under_a_running_daemon_takes_a_new_slot() {
    let ground = Ground::open("faults_pub_dropped").await;
    let mut daemon = ground.follow().await;
    let name = &ground.slot;
    ground.in_old(&format!("DROP PUBLICATION {name}")).await;
    ground.trade(1).await;
    let message = ground.stopped(&mut daemon).await;
    assert_eq!(
        message,
        format!(
            "the publication {name} is not on the source, or was not when the log was written; \
             run: cartage setup, which makes it and a new slot, and reads every cart again \
             (refresh --all)"
        )
    );
    assert_eq!(ground.refused().await, message);
    let (code, said, log) = ground.run(&["setup", "--yes"]);
    assert_eq!(code, 0, "{said}{log}");
    assert!(
        said.contains("its log has a time without the publication, which cannot be decoded"),
        "{said}"
    );
    ground.recovers().await.stop().await;
}

/// The server decodes each change with the publications of its time, and fails where ours was not.
/// From Postgres 18 on it passes over what it could not decode, so the daemon has to see that this is
/// another publication, and reads all carts again.
#[tokio::test(flavor = "multi_thread")]
async fn made_anew_by_hand_is_not_read_over() {
    let ground = Ground::open("faults_pub_anew").await;
    let version = "SELECT current_setting('server_version_num')::bigint";
    let version = crate::scenario::servers::number(&ground.shops.source, version).await;
    ground.follow().await.stop().await;
    let name = &ground.slot;
    ground.in_old(&format!("DROP PUBLICATION {name}")).await;
    ground.trade(1).await;
    ground
        .in_old(&format!(
            "CREATE PUBLICATION {name} FOR TABLE orders, order_lines
             WITH (publish_via_partition_root = true)"
        ))
        .await;
    ground.trade(2).await;
    if version >= 180_000 {
        let daemon = ground.recovers().await;
        let said = warnings(&daemon.log());
        assert!(
            said.iter().any(|w| w.contains("reading all carts again")),
            "{said:#?}"
        );
        daemon.stop().await;
        return;
    }
    let mut daemon = Daemon::start(&ground.config);
    let message = ground.stopped(&mut daemon).await;
    let begin = format!(
        "the publication {name} is not on the source, or was not when the log was written; "
    );
    assert!(message.starts_with(&begin), "{message}");
    command(&ground.config, &["setup", "--yes"]);
    ground.recovers().await.stop().await;
}

/// Whole again before anybody looks: only its history tells that changes are missing.
#[tokio::test(flavor = "multi_thread")]
async fn altered_and_put_back_while_nobody_looks() {
    let ground = Ground::open("faults_pub_put_back").await;
    let name = ground.slot.clone();
    for (n, out, back) in [
        (1, "DROP TABLE order_lines", "ADD TABLE order_lines"),
        (
            2,
            "SET (publish = 'insert')",
            "SET (publish = 'insert, update, delete, truncate')",
        ),
    ] {
        ground.follow().await.stop().await;
        ground
            .in_old(&format!("ALTER PUBLICATION {name} {out}"))
            .await;
        ground.trade(n).await;
        ground
            .in_old(&format!("ALTER PUBLICATION {name} {back}"))
            .await;
        let daemon = ground.recovers().await;
        let said = warnings(&daemon.log());
        assert!(
            said.iter().any(|w| w.contains("reading all carts again")),
            "{out}: {said:#?}"
        );
        daemon.stop().await;
    }
}

/// What a transaction changed while the table was out is not logged, even if it commits later.
#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_from_before_the_mend_that_commits_after_it() {
    let ground = Ground::open("faults_pub_straddle").await;
    let mut daemon = ground.follow().await;
    let name = &ground.slot;
    ground
        .in_old(&format!("ALTER PUBLICATION {name} DROP TABLE order_lines"))
        .await;
    let writer = connect(&ground.shops.source_url).await;
    writer
        .batch_execute("BEGIN; UPDATE order_lines SET qty = 77 WHERE order_id = 9")
        .await
        .unwrap();
    ground.stopped(&mut daemon).await;
    ground
        .in_old(&format!("ALTER PUBLICATION {name} ADD TABLE order_lines"))
        .await;
    let mut daemon = Daemon::start(&ground.config);
    // It reads all carts, or it waits for the writer first.
    let passed = "SELECT count(*) FROM cartage.refresh_run WHERE kind = 'all' AND (
                      finished_at IS NOT NULL
                      OR waiting = '1 open transactions of the source have to end first')";
    ground.reaches(passed, 1, &daemon).await;
    writer.batch_execute("COMMIT").await.unwrap();
    ground.settle(&mut daemon).await;
    ground.equal(&daemon).await;
    daemon.stop().await;
}

/// A replica identity that is too small hides moves and deletes.
#[tokio::test(flavor = "multi_thread")]
async fn a_replica_identity_that_is_narrowed() {
    let ground = Ground::open("faults_pub_identity").await;
    let mut daemon = ground.follow().await;
    let widen = "ALTER TABLE public.order_lines REPLICA IDENTITY FULL";
    let message = format!(
        "the log does not hold order_id of the old rows of public.order_lines, which a row that is \
         deleted or moves needs, to find its cart; run on the source: {widen}"
    );
    // With changes, it is noticed in the log; without, by looking.
    for n in [Some(1), None] {
        ground
            .in_old("ALTER TABLE order_lines REPLICA IDENTITY DEFAULT")
            .await;
        if let Some(n) = n {
            ground.trade(n).await;
        }
        assert_eq!(ground.stopped(&mut daemon).await, message);
        ground.trade(n.map_or(2, |n| n + 4)).await;
        assert_eq!(ground.refused().await, message);
        ground.in_old(widen).await;
        daemon = ground.recovers().await;
    }
    daemon.stop().await;
    // Narrow and wide again while it is stopped: what was logged meanwhile names no cart.
    ground
        .in_old("ALTER TABLE order_lines REPLICA IDENTITY DEFAULT")
        .await;
    ground
        .in_old("UPDATE order_lines SET order_id = 40 WHERE id = 381")
        .await;
    ground.in_old(widen).await;
    let daemon = ground.recovers().await;
    daemon.stop().await;
}

/// Published as themselves, partitions are logged under names that the mapping does not know
/// (hazard 8).
#[tokio::test(flavor = "multi_thread")]
async fn partitions_that_are_published_as_themselves() {
    let change = Change {
        source: &[
            ("    id bigint PRIMARY KEY,\n    order_id", "    id bigint,\n    order_id"),
            (
                "price numeric(10,2) NOT NULL\n);",
                "price numeric(10,2) NOT NULL, PRIMARY KEY (id, order_id))
                     PARTITION BY HASH (order_id);
                 CREATE TABLE lines_0 PARTITION OF order_lines FOR VALUES WITH (MODULUS 2, REMAINDER 0);
                 CREATE TABLE lines_1 PARTITION OF order_lines FOR VALUES WITH (MODULUS 2, REMAINDER 1);
                 ALTER TABLE lines_0 REPLICA IDENTITY FULL;
                 ALTER TABLE lines_1 REPLICA IDENTITY FULL;",
            ),
        ],
        ..Change::default()
    };
    let ground = Ground::changed("faults_pub_leaves", change).await;
    let mut daemon = ground.follow().await;
    ground.trade(1).await;
    ground.settle(&mut daemon).await;
    ground.equal(&daemon).await;
    let leaves = "SET (publish_via_partition_root = false)";
    let what = "does not publish partitions under their root; does not have the table \
                public.order_lines";
    let mut daemon = narrowed(&ground, &mut daemon, 2, leaves, what).await;

    // A partition that logs less than the others.
    ground
        .in_old("ALTER TABLE lines_1 REPLICA IDENTITY NOTHING")
        .await;
    let stopped = ground.stopped(&mut daemon).await;
    assert_eq!(
        stopped,
        "the log does not hold id, order_id of the old rows of public.lines_1, which a row that is \
         deleted or moves needs, to find its cart; run on the source: ALTER TABLE public.lines_1 \
         REPLICA IDENTITY FULL"
    );
    ground
        .in_old("ALTER TABLE lines_1 REPLICA IDENTITY FULL")
        .await;
    ground.recovers().await.stop().await;
}

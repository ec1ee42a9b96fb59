//! Rule 12: `commit_time()` is when the source committed what altered a row, however it came.

use super::stall::Stall;
use crate::scenario::daemon::{Daemon, command};
use crate::scenario::servers::rows;

const DATED: &[(&str, &str)] = &[
    (
        "note text);\nCREATE TABLE cart_line",
        "note text, dated timestamptz);\nCREATE TABLE cart_line",
    ),
    (
        "gift text\n);\nCREATE TABLE cart_option",
        "gift text, dated timestamptz\n);\nCREATE TABLE cart_option",
    ),
    (
        "  note  = \"note\"\n",
        "  note  = \"note\"\n  dated = \"commit_time()\"\n",
    ),
    (
        "  gift    = \"gift\"\n",
        "  gift    = \"gift\"\n  dated   = \"commit_time()\"\n",
    ),
];

/// When the source committed the row as it is now.
async fn committed(stall: &Stall, row: &str) -> String {
    let sql = format!("SELECT extract(epoch FROM pg_xact_commit_timestamp(xmin)) FROM {row}");
    rows(&stall.shops.source, &sql, "source").await.join(", ")
}

async fn dated(stall: &Stall, row: &str) -> String {
    let sql = format!("SELECT extract(epoch FROM dated) FROM {row}");
    rows(&stall.shops.target, &sql, "target").await.join(", ")
}

/// Several transactions become one patch; one of them changes nothing; and the patch is lost on the
/// way and made again.
#[tokio::test]
async fn folded_and_replayed_changes_keep_their_commit_times() {
    let stall = Stall::changed("stamps", DATED).await;
    stall.follow().await.stop().await;
    stall
        .old_shop("UPDATE orders SET email = 'new' WHERE id = 7")
        .await;
    let header = committed(&stall, "orders WHERE id = 7").await;
    stall
        .old_shop("UPDATE lines SET qty = 5 WHERE id = 71")
        .await;
    let line = committed(&stall, "lines WHERE id = 71").await;
    stall
        .old_shop(
            "UPDATE orders SET email = email WHERE id = 7; UPDATE lines SET qty = qty WHERE id = 71;
             UPDATE lines SET qty = 6 WHERE id = 72",
        )
        .await;
    let switches = [("CARTAGE_KILL", "lane.before-commit@1")];
    let mut killed = Daemon::start_with(&stall.config, &switches);
    assert!(killed.ended().await.code().is_none(), "{}", killed.log());
    let mut daemon = stall.follow().await;
    stall.assert_equal(&mut daemon).await;
    assert_ne!(header, line);
    assert_eq!(dated(&stall, "cart WHERE id = 7").await, header);
    assert_eq!(dated(&stall, "cart_line WHERE id = 71").await, line);
    let last = committed(&stall, "lines WHERE id = 72").await;
    assert_eq!(dated(&stall, "cart_line WHERE id = 72").await, last);

    // A read that finds nothing new dates nothing anew.
    let since = stall.wish(7).await;
    stall.until_read(&daemon, &since).await;
    stall.assert_equal(&mut daemon).await;
    assert_eq!(dated(&stall, "cart WHERE id = 7").await, header);
    assert_eq!(dated(&stall, "cart_line WHERE id = 71").await, line);
    daemon.stop().await;
}

/// The log was skipped: that the cart ended, and when, is only in its row.
#[tokio::test]
async fn an_end_that_a_read_finds_is_dated_by_the_cart_itself() {
    let stall = Stall::changed(
        "changed_at",
        &[
            (
                "status text NOT NULL DEFAULT 'open'\n",
                "status text NOT NULL DEFAULT 'open', changed timestamptz\n",
            ),
            (
                "note text);\nCREATE TABLE cart_line",
                "note text, dated timestamptz);\nCREATE TABLE cart_line",
            ),
            (
                "live = \"status = 'open'\"\n",
                "live = \"status = 'open'\"\nchanged_at = \"changed\"\n",
            ),
            (
                "lock = \"row\"\nended = \"delete\"\n",
                "lock = \"row\"\nended = { set = { dated = \"commit_time()\" } }\n",
            ),
        ],
    )
    .await;
    stall.follow().await.stop().await;
    stall
        .old_shop("UPDATE orders SET status = 'bought', changed = '2024-02-03 04:05:06.789+00' WHERE id = 7")
        .await;
    let sql = "SELECT pg_current_wal_flush_lsn()::text";
    let row = stall.shops.source.query_one(sql, &[]).await.unwrap();
    let end: &str = row.get(0);
    command(&stall.config, &["checkpoint", "set", end, "--yes"]);
    let mut daemon = stall.follow().await;
    let since = stall.wish(7).await;
    stall.until_read(&daemon, &since).await;
    stall.settled(&mut daemon).await;
    let sql = "SELECT dated AT TIME ZONE 'UTC' FROM cart WHERE id = 7";
    let found = rows(&stall.shops.target, sql, "target").await;
    assert_eq!(found, ["2024-02-03 04:05:06.789"], "{}", daemon.log());
    daemon.stop().await;
}

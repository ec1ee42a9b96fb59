//! What the log did not bring: the checkpoint was moved past it, or the source did not log it.

use cartage::config::Kind;

use super::stand::{Stand, says};
use super::{between_all, while_open};

async fn what_the_checkpoint_was_moved_past(pair: &str) {
    let mut stand = Stand::open(pair, "both_sides_write", "missed", while_open).await;
    stand.settles().await;
    stand.rest().await;
    for sql in [
        "UPDATE order_lines SET qty = qty + 3 WHERE id = 201",
        "UPDATE orders SET status = 'sold' WHERE id = 21",
        "INSERT INTO orders VALUES (902, 'new@example.org', 'EUR', 'open')",
        "INSERT INTO order_lines VALUES (9021, 902, 'sku-1', 2, 1.25)",
    ] {
        stand.old_shop(sql).await;
    }
    stand.passes_by();
    stand.start();
    stand.settles().await;

    let behind = stand.comes_to("20", "ledger_behind", 3).await;
    assert_eq!(behind["differences"][0]["column"], "quantity");
    assert_eq!(behind["positions"]["lane_past_what_was_read"], true);
    let missed = stand.concludes("21", "end_missed", 3);
    says(&missed, "(live = status = 'open' is false)");
    let never = stand.concludes("902", "never_came", 3);
    stand.tells(
        "20",
        3,
        &[
            "conclusion   ledger_behind: the log has passed",
            "next         cartage refresh 20",
        ],
    );
    for document in [&behind, &missed, &never] {
        stand.mends(document, "--wait");
    }
    stand.comes_to("20", "equal", 0).await;
    stand.comes_to("21", "over", 0).await;
    stand.comes_to("902", "equal", 0).await;
    if stand.shops.source.kind == Kind::Mysql {
        stand
            .old_shop(
                "SET sql_log_bin = 0; UPDATE orders SET email = 'unlogged' WHERE id = 22; \
                 SET sql_log_bin = 1",
            )
            .await;
        stand.settles().await;
        let behind = stand.comes_to("22", "ledger_behind", 3).await;
        stand.mends(&behind, "--wait");
        stand.comes_to("22", "equal", 0).await;
    }
    stand.rest().await;
}

/// The daemon has never run: nothing is on its way, whatever the log says.
async fn a_daemon_that_never_ran_brings_nothing(pair: &str) {
    let mut stand = Stand::laid(pair, "both_sides_write", "never", while_open, &[]).await;
    let document = stand.concludes("7", "not_read_yet", 3);
    says(&document, "its daemon has never run");
    let next = document["conclusion"]["next"].as_str().unwrap();
    assert!(
        next.starts_with("systemctl start cartage@explain-never-"),
        "{next}"
    );
    stand.concludes("4711", "unknown", 3);
    stand.start();
    stand.backfilled().await;
    stand.comes_to("7", "equal", 0).await;
    stand.rest().await;
}

/// Its lines are written all the time, so that no two readings are of one cart.
async fn a_cart_that_never_rests_is_moving(pair: &str) {
    let mut stand = Stand::open(pair, "both_sides_write", "moving", while_open).await;
    let visitor = stand.shops.source.visitor().await;
    let writer = tokio::spawn(async move {
        loop {
            let sql = "UPDATE order_lines SET qty = qty % 50 + 1 WHERE order_id = 30";
            visitor.run(sql).await.unwrap();
        }
    });
    let moving = stand.comes_to("30", "moving", 0).await;
    assert_eq!(moving["conclusion"]["next"], "cartage explain 30");
    writer.abort();
    let _ = writer.await;
    stand.settles().await;
    stand.comes_to("30", "equal", 0).await;
    stand.rest().await;
}

/// Somebody has locked its row in the new shop, and thinks.
async fn a_lane_that_waits_for_a_lock_is_said_to(pair: &str) {
    let mut stand = Stand::open(pair, "both_sides_write", "locked", while_open).await;
    stand.settles().await;
    let visitor = stand.shops.target.visitor().await;
    for sql in [
        "BEGIN",
        "UPDATE cart SET customer_email = customer_email WHERE cart_id = 16",
    ] {
        visitor.run(sql).await.unwrap();
    }
    stand
        .old_shop("UPDATE orders SET email = 'later@example.org' WHERE id = 16")
        .await;
    let waits = stand.comes_to("16", "on_its_way", 3).await;
    says(&waits, "a lane has waited");
    assert_eq!(waits["conclusion"]["next"], "cartage status");
    let (_, status) = stand.does_next(&waits, "");
    assert!(status.contains("a lane has waited"), "{status}");
    visitor.run("ROLLBACK").await.unwrap();
    stand.settles().await;
    stand.comes_to("16", "equal", 0).await;
    stand.rest().await;
}

between_all! {
    a_lane_that_waits_for_a_lock_is_said_to
    what_the_checkpoint_was_moved_past
    a_daemon_that_never_ran_brings_nothing
    a_cart_that_never_rests_is_moving
}

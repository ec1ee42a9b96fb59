//! The lane is the one that the server breaks off, and the server has then rolled back all of its
//! transaction, not a statement.

use cartage::demo::mysql::Programs;

use super::{Stand, WAITING};

const OF_HEADER: &str = "SELECT id FROM cart WHERE id = 5 FOR UPDATE";
/// No lock is too late here.
const PATIENCE: &str = "100";
const OF_LINE: &str = "SELECT id FROM line WHERE id = 50 FOR UPDATE";

#[tokio::test(flavor = "multi_thread")]
async fn a_deadlock_is_tried_again_without_a_word() {
    for programs in Programs::all().unwrap() {
        let mut stand = Stand::open(programs, PATIENCE, None).await;
        let mut buyer = stand.buyer().await;
        // The lane holds the lines by the time that it wants the header, after those of other carts.
        buyer.begin().await;
        buyer.run(OF_HEADER).await;
        stand.old("UPDATE order_lines SET qty = 2").await;
        stand.waiting(&[&buyer]).await;
        buyer.run(OF_LINE).await;
        assert_eq!(stand.versions().await, "1 1 1 1 1 1 1 1");
        buyer.run("COMMIT").await;
        stand.comes_to("2 2 2 2 2 2 2 2", "2 2 2 2 2 2 2 2").await;
        assert_eq!(stand.epoch().await, "1", "it began anew\n{}", stand.log());
    }
}

/// Two buyers take turns with the one cart: each stands in the row for its header before the other one
/// lets it go, so that the lane never comes between them.
#[tokio::test(flavor = "multi_thread")]
async fn a_cart_whose_write_deadlocks_each_time_is_held_alone() {
    for programs in Programs::all().unwrap() {
        let mut stand = Stand::open(programs, PATIENCE, None).await;
        let (mut one, mut other) = (stand.buyer().await, stand.buyer().await);
        one.begin().await;
        one.run(OF_HEADER).await;
        stand.old("UPDATE order_lines SET qty = 2").await;
        let held = "EXISTS (SELECT 1 FROM cartage_held)";
        let lane = format!("EXISTS (SELECT 1 FROM {WAITING})");
        let mut deadlocks = 0;
        loop {
            let either = format!("SELECT {held} OR {lane}");
            stand.until("the lane to wait or to give up", &either).await;
            if stand.text(&format!("SELECT {held}")).await == "1" {
                break;
            }
            // Rows of its own, for those of the other one are locked.
            let heavy = match deadlocks % 2 {
                0 => "BEGIN; UPDATE ballast SET n = n + 1 WHERE id >= 250",
                _ => "BEGIN; UPDATE ballast SET n = n + 1 WHERE id < 150",
            };
            other.run(heavy).await;
            let id = other.id;
            let next = tokio::spawn(async {
                other.run(OF_HEADER).await;
                other
            });
            let queued = format!("SELECT count(*) FROM {WAITING} AND trx_mysql_thread_id = {id}");
            stand.until("the next buyer to wait", &queued).await;
            one.run(OF_LINE).await;
            one.run("ROLLBACK").await;
            other = one;
            one = next.await.unwrap();
            deadlocks += 1;
            assert!(deadlocks < 100, "{}", stand.log());
        }
        // Alone in its transaction as well as with the others.
        assert!(deadlocks > 12, "{deadlocks}");
        let told = "SELECT concat(cart, ' ', reason, ': ', message) FROM cartage_held";
        let told = stand.text(told).await;
        let begins = "5 conflict: error 1213: the write ends in a deadlock each time";
        assert!(told.starts_with(begins), "{told}");
        stand
            .until(
                "the others to arrive",
                "SELECT group_concat(qty ORDER BY id SEPARATOR '') = '22221222' FROM line",
            )
            .await;
        // It is tried again by itself, and goes through once the buyers have gone.
        one.run("ROLLBACK").await;
        stand.comes_to("2 2 2 2 2 2 2 2", "2 2 2 2 2 2 2 2").await;
        assert_eq!(stand.epoch().await, "1", "it began anew\n{}", stand.log());
    }
}

//! Drift is found while customers buy; a cart that does not stand still is pending.

use std::sync::atomic::{AtomicBool, Ordering};

use super::stand::{CARTS, Stand};

/// Runs the statement again and again until `done`.
async fn sells(stand: &Stand, done: &AtomicBool, sql: impl Fn(i64) -> String) {
    let mut turn = 0;
    while !done.load(Ordering::Relaxed) {
        turn += 1;
        stand.in_old(&sql(turn)).await;
    }
    assert!(turn > 1, "nothing was sold meanwhile");
}

async fn drift_is_found(pair: &str) {
    let stand = Stand::open("drift", pair, "").await;
    stand
        .in_new("UPDATE cart_line SET unit_price = unit_price + 1 WHERE line_id = 1002")
        .await;
    stand
        .in_new("DELETE FROM cart_line WHERE line_id = 1011")
        .await;
    stand
        .in_new(
            "UPDATE cart_line SET product = 'x' WHERE line_id = 1021;
             UPDATE cart_line SET product = 'sku-1' WHERE line_id = 1022;
             UPDATE cart_line SET product = 'sku-2' WHERE line_id = 1021",
        )
        .await;
    stand
        .in_new("DELETE FROM cart_line WHERE cart_id = 103; DELETE FROM cart WHERE cart_id = 103")
        .await;
    let done = AtomicBool::new(false);
    let look = async {
        let mut said = Vec::new();
        for _ in 0..3 {
            said.push(
                stand
                    .verify(
                        &["--limit", "1000"],
                        &[("CARTAGE_BOUND", "verify-chunk=17")],
                    )
                    .await,
            );
        }
        done.store(true, Ordering::Relaxed);
        said
    };
    let sold = |turn: i64| {
        let line = (turn % 60 + 1) * 10 + turn % 3 + 1;
        format!(
            "UPDATE order_lines SET qty = {} WHERE id = {line}",
            turn % 9 + 1
        )
    };
    let (said, ()) = tokio::join!(look, sells(&stand, &done, sold));
    for said in said {
        assert_eq!(said.carts(), [100, 101, 102, 103], "{}", said.document);
        assert_eq!(said.code, Some(3), "{}", said.log);
        assert_eq!(said.count("missing"), 1);
        assert_eq!(said.count("different"), 3);
        assert_eq!(said.count("equal") + said.count("pending"), CARTS - 4);
        assert!(said.count("rows") >= 4 * CARTS);
        assert!(said.document["run"].is_i64() && said.document["resumed"] == false);
    }
    stand.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn drift_is_found_while_customers_buy() {
    drift_is_found("pp").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn drift_is_found_between_mysql_and_mariadb() {
    drift_is_found("mm").await;
}

async fn a_moving_cart_is_pending(pair: &str) {
    let stand = Stand::open("moving", pair, "").await;
    // The customer changes another line of the same cart.
    stand
        .in_new("UPDATE cart_line SET unit_price = unit_price + 1 WHERE line_id IN (51, 61)")
        .await;
    let done = AtomicBool::new(false);
    let look = async {
        let said = stand.verify(&[], &[]).await;
        done.store(true, Ordering::Relaxed);
        said
    };
    let sold = |turn: i64| format!("UPDATE order_lines SET qty = {turn} WHERE id = 52");
    let (said, ()) = tokio::join!(look, sells(&stand, &done, sold));
    assert_eq!(said.carts(), [6], "{}", said.document);
    assert_eq!(said.count("pending"), 1, "{}", said.document);
    assert_eq!(said.count("equal"), CARTS - 2);
    let verdict = "SELECT verdict FROM cartage.verify_cart WHERE cart = '5'";
    assert_eq!(stand.texts(verdict).await, ["pending"]);
    let mut stand = stand;
    stand.settle().await;
    assert_eq!(stand.verify(&[], &[]).await.carts(), [5, 6]);
    stand.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cart_that_keeps_changing_is_pending_and_never_equal() {
    for pair in ["pp", "mm"] {
        a_moving_cart_is_pending(pair).await;
    }
}

/// What is doubtful never gathers beyond its bound, and all of it counts.
#[tokio::test(flavor = "multi_thread")]
async fn all_carts_can_differ_at_once() {
    let stand = Stand::open("all", "pp", "").await;
    stand
        .in_new("UPDATE cart_line SET unit_price = unit_price + 1")
        .await;
    let bound = [("CARTAGE_BOUND", "verify-chunk=30,verify-parked=40")];
    let said = stand.verify(&["--limit", "10"], &bound).await;
    assert_eq!(said.count("different"), CARTS, "{}", said.log);
    assert_eq!(said.count("differences_left_out"), 3 * CARTS - 10);
    let kept = "SELECT count(*) FROM cartage.verify_cart WHERE verdict = 'different'";
    assert_eq!(stand.number(kept).await, CARTS);
    stand
        .in_new("UPDATE cart_line SET unit_price = unit_price - 1")
        .await;
    let said = stand.verify(&[], &bound).await;
    assert_eq!((said.code, said.count("equal")), (Some(0), CARTS));
    let kept = "SELECT count(*) FROM cartage.verify_cart";
    assert_eq!(stand.number(kept).await, 0);
    stand.close().await;
}

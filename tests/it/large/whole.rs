//! Protocol rule 5: whatever lies between a cart's changes in its transaction, they become visible
//! together; and where that is too much, nothing is lost.

use super::shop::Shop;
use crate::scenario::daemon::Daemon;
use crate::scenario::settled::settled;

/// Headers first, lines thousands of changes later, some lines to other carts.
const CHANGE: &str = "
    BEGIN;
    UPDATE orders SET rev = rev + 1;
    UPDATE order_lines SET rev = rev + 1;
    UPDATE order_lines SET order_id = 3001 - order_id WHERE id % 10 = 0;
    COMMIT";

#[tokio::test]
async fn each_cart_of_a_large_transaction_is_whole_and_kills_on_the_way_change_nothing() {
    let shop = Shop::open("large_whole", 3_000, 3, "").await;
    let daemon = shop.follow().await;
    shop.insist_on_whole_carts().await;
    daemon.stop().await;
    shop.source(CHANGE).await;
    for place in [
        "reader.grouped",
        "reader.piece-dealt@1",
        "reader.piece-dealt@2",
    ] {
        Daemon::start_with(&shop.config, &[("CARTAGE_KILL", place)])
            .killed()
            .await;
    }
    let mut daemon = Daemon::start(&shop.config);
    settled(&mut daemon, &shop.shops).await;
    shop.assert_equal(&daemon).await;
    assert_eq!(shop.waived().await, 0);
    daemon.stop().await;
}

#[tokio::test]
async fn above_the_configured_size_it_comes_in_parts_and_is_counted() {
    let shop = Shop::open("large_parts", 3_000, 3, "transaction_rows = 7000").await;
    let mut daemon = shop.follow().await;
    shop.source(CHANGE).await;
    shop.source(CHANGE).await;
    settled(&mut daemon, &shop.shops).await;
    shop.assert_equal(&daemon).await;
    assert_eq!(shop.waived().await, 2);
    daemon.stop().await;
}

#[tokio::test]
async fn a_full_scratch_folder_costs_wholeness_and_nothing_else() {
    // No file can be made there.
    let apply = "scratch = \"/proc/self\"";
    let shop = Shop::open("large_no_scratch", 3_000, 3, apply).await;
    let mut daemon = shop.follow().await;
    shop.source(CHANGE).await;
    settled(&mut daemon, &shop.shops).await;
    shop.assert_equal(&daemon).await;
    assert_eq!(shop.waived().await, 1);
    assert!(
        daemon.log().contains("see [apply] scratch"),
        "{}",
        daemon.log()
    );
    daemon.stop().await;
}

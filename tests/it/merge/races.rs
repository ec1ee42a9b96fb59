//! The new backend writes while cartage merges; kills in between.

use tokio_postgres::error::SqlState;

use super::kinds::{BOTH, BOTH_BY_ROW};
use crate::guards::shop::Shop;

/// Merged: two more there, one more here.
async fn merged(shop: &Shop, cart: i64) {
    shop.born(cart, &[(cart * 10, "tea", 1)]).await;
    let two_more = format!("UPDATE cart_line SET quantity = 3 WHERE cart_id = {cart}");
    shop.edit(cart, &two_more).await;
    let one_more = format!("UPDATE order_lines SET qty = 2 WHERE order_id = {cart}");
    shop.change(cart, &one_more).await;
    assert_eq!(shop.lines(cart).await, "tea 4");
}

#[tokio::test]
async fn a_write_between_our_read_and_our_write_is_merged_too() {
    for (kind, cart) in [(BOTH, 2100), (BOTH_BY_ROW, 2101)] {
        let shop = Shop::shared(kind).await;
        merged(&shop, cart).await;
        let other = shop.new_backend().await;
        other
            .batch_execute(&format!(
                "BEGIN; UPDATE cart_line SET quantity = quantity + 10 WHERE cart_id = {cart}"
            ))
            .await
            .unwrap();
        let before = shop.end_of_log().await;
        shop.old_shop(&format!(
            "UPDATE order_lines SET qty = 5 WHERE order_id = {cart}"
        ))
        .await;
        // It has read four, and waits for the row.
        shop.blocked_by(&other).await;
        other.batch_execute("COMMIT").await.unwrap();
        shop.passed(cart, &before).await;
        assert_eq!(shop.lines(cart).await, "tea 17");
        assert_eq!(shop.state(cart).await, "merged");
        assert_eq!(shop.conflicts(cart).await, "merged, merged");
    }
}

#[tokio::test]
async fn kills_neither_lose_nor_repeat_what_is_merged() {
    let shop = Shop::own(BOTH).await;
    merged(&shop, 1).await;
    let mut expected = 4;
    for round in 0..6 {
        let before = shop.end_of_log().await;
        shop.old_shop("UPDATE order_lines SET qty = qty + 2 WHERE order_id = 1")
            .await;
        if round % 2 == 0 {
            shop.edit(
                1,
                "UPDATE cart_line SET quantity = quantity + 3 WHERE cart_id = 1",
            )
            .await;
            expected += 3;
        }
        shop.kill();
        expected += 2;
        shop.passed(1, &before).await;
        assert_eq!(
            shop.lines(1).await,
            format!("tea {expected}"),
            "round {round}"
        );
    }
    shop.command(&["refresh", "1"]);
    shop.settled().await;
    assert_eq!(shop.lines(1).await, format!("tea {expected}"), "read again");
    assert_eq!(shop.state(1).await, "merged");
}

#[tokio::test]
async fn one_merged_cart_does_not_keep_the_others_waiting() {
    let shop = Shop::own(BOTH).await;
    merged(&shop, 1).await;
    for cart in 2..=40 {
        shop.born(cart, &[(cart * 10, "tea", 1)]).await;
    }
    let patches = "SELECT sum(patches)::bigint FROM cartage.checkpoint";
    let before = shop.number(patches).await;
    let end = shop.end_of_log().await;
    shop.old_shop("UPDATE order_lines SET qty = qty + 1").await;
    shop.passed(1, &end).await;
    shop.settled().await;
    assert_eq!(shop.lines(1).await, "tea 5");
    let wrong = "SELECT count(*) FROM cart_line WHERE cart_id > 1 AND quantity <> 2";
    assert_eq!(shop.number(wrong).await, 0);
    assert_eq!(shop.number(patches).await, before + 40, "each cart once");
}

/// Writes lines before headers, so that it can end in a deadlock with cartage: then once more, as shops do.
async fn written_at_last(backend: &tokio_postgres::Client, sql: &str) {
    while let Err(error) = backend.batch_execute(sql).await {
        let deadlock = &SqlState::T_R_DEADLOCK_DETECTED;
        assert_eq!(error.code(), Some(deadlock), "{error:?}");
        backend.batch_execute("ROLLBACK").await.unwrap();
    }
}

/// More of them than are read at a time, of which some move while the others are written.
#[tokio::test]
async fn many_merged_carts_of_one_transaction_count_what_both_do() {
    let shop = Shop::own(BOTH).await;
    shop.old_shop(
        "BEGIN; INSERT INTO orders SELECT n, 'c' FROM generate_series(1, 200) n;
         INSERT INTO order_lines SELECT n, n, 'tea', 1 FROM generate_series(1, 200) n; COMMIT",
    )
    .await;
    shop.settled().await;
    let there = |sql: &str| {
        format!(
            "BEGIN; UPDATE cart_line SET quantity = quantity + 1 WHERE cart_id {sql};
                 UPDATE cart SET version = version + 1 WHERE cart_id {sql}; COMMIT"
        )
    };
    shop.new_shop(&there("<= 200")).await;
    shop.old_shop("UPDATE order_lines SET qty = qty + 1").await;
    shop.settled().await;
    let merged = "SELECT count(*) FROM cartage.ledger WHERE state = 'merged'";
    assert_eq!(shop.number(merged).await, 200);
    let other = shop.new_backend().await;
    for round in 0..10 {
        let end = shop.end_of_log().await;
        let all = "UPDATE order_lines SET qty = qty + 2";
        let some = there(&format!("% 10 = {round}"));
        tokio::join!(shop.old_shop(all), written_at_last(&other, &some));
        shop.passed(1 + round, &end).await;
    }
    shop.settled().await;
    // One to begin with, one more on each side, ten times two here, and one more there.
    let wrong = "SELECT count(*) FROM cart_line WHERE quantity <> 24";
    assert_eq!(shop.number(wrong).await, 0);
    assert_eq!(shop.number("SELECT count(*) FROM cart_line").await, 200);
    assert_eq!(shop.number("SELECT count(*) FROM cartage.held").await, 0);
}

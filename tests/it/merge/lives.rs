//! Merged carts that end, are finished with, are held, and are looked at.

use super::kinds::BOTH;
use crate::guards::shop::Shop;

/// Merged: tea that both put in is the new backend's row.
async fn merged(shop: &Shop, cart: i64) {
    shop.born(cart, &[(cart * 10, "milk", 1)]).await;
    let theirs = format!(
        "INSERT INTO cart_line VALUES ({}, {cart}, 'tea', 2)",
        cart + 900_000
    );
    shop.edit(cart, &theirs).await;
    let ours = format!(
        "INSERT INTO order_lines VALUES ({}, {cart}, 'tea', 1)",
        cart * 10 + 1
    );
    shop.change(cart, &ours).await;
    assert_eq!(shop.lines(cart).await, "milk 1, tea 3");
}

#[tokio::test]
async fn a_merged_cart_that_the_new_backend_finishes_is_not_written_again() {
    let shop = Shop::shared(BOTH).await;
    merged(&shop, 3100).await;
    shop.edit(
        3100,
        "UPDATE cart SET completed_at = now() WHERE cart_id = 3100",
    )
    .await;
    shop.change(3100, "UPDATE order_lines SET qty = 9 WHERE order_id = 3100")
        .await;
    assert_eq!(shop.lines(3100).await, "milk 1, tea 3");
    assert_eq!(shop.state(3100).await, "handed_over");
    assert_eq!(shop.conflicts(3100).await, "merged, late");
}

#[tokio::test]
async fn a_merged_cart_ends_in_the_source() {
    let shop = Shop::shared(BOTH).await;
    merged(&shop, 3110).await;
    shop.change(3110, "UPDATE orders SET status = 'sold' WHERE id = 3110")
        .await;
    assert_eq!(shop.state(3110).await, "ended");
    let sold = "SELECT completed_at IS NOT NULL FROM cart WHERE cart_id = 3110";
    assert!(shop.is(sold).await, "it could be bought again");
}

#[tokio::test]
async fn a_merged_cart_is_deleted_in_the_source_with_the_lines_that_were_folded() {
    let shop = Shop::shared(BOTH).await;
    merged(&shop, 3120).await;
    shop.change(3120, "DELETE FROM orders WHERE id = 3120")
        .await;
    assert_eq!(shop.state(3120).await, "ended", "{}", shop.held(3120).await);
    assert_eq!(shop.lines(3120).await, "");
    let header = "SELECT count(*) FROM cart WHERE cart_id = 3120";
    assert_eq!(shop.number(header).await, 0);
}

#[tokio::test]
async fn a_merge_that_does_not_fit_is_held_and_merged_later() {
    let shop = Shop::shared(BOTH).await;
    shop.born(3130, &[(31300, "tea", 2)]).await;
    shop.new_shop(
        "ALTER TABLE cart_line ADD CONSTRAINT few CHECK (cart_id <> 3130 OR quantity < 60)",
    )
    .await;
    let theirs = |n| format!("UPDATE cart_line SET quantity = {n} WHERE line_id = 31300");
    let ours = |n| format!("UPDATE order_lines SET qty = {n} WHERE id = 31300");
    // The second time it is held as a merged cart.
    for (too_many, source, fewer, fits) in [(55, 52, 4, "tea 54"), (57, 58, 6, "tea 12")] {
        shop.edit(3130, &theirs(too_many)).await;
        shop.change(3130, &ours(source)).await;
        assert_eq!(shop.state(3130).await, "held");
        assert!(shop.held(3130).await.starts_with("constraint: "));
        shop.edit(3130, &theirs(fewer)).await;
        shop.command(&["held", "retry", "3130"]);
        shop.released(3130).await;
        assert_eq!(shop.lines(3130).await, fits);
        assert_eq!(shop.state(3130).await, "merged");
    }
}

#[tokio::test]
async fn a_header_that_cartage_never_wrote_is_nobodys_to_merge() {
    let shop = Shop::shared(BOTH).await;
    shop.new_shop(
        "INSERT INTO cart (cart_id, customer_email, currency_code)
         VALUES (3140, 'other@example.org', 'eur')",
    )
    .await;
    shop.change(3140, "INSERT INTO orders VALUES (3140, 'c@example.org')")
        .await;
    assert_eq!(
        shop.held(3140).await,
        "conflict: public.cart: the row exists already"
    );
    assert_eq!(shop.email(3140).await, "other@example.org");
}

#[tokio::test]
async fn a_closed_header_that_cartage_never_wrote_is_not_written_over_by_hand_either() {
    let shop = Shop::shared(BOTH).await;
    shop.new_shop(
        "INSERT INTO cart (cart_id, customer_email, currency_code, completed_at)
         VALUES (3150, 'sold@example.org', 'eur', now())",
    )
    .await;
    shop.change(3150, "INSERT INTO orders VALUES (3150, 'c@example.org')")
        .await;
    assert_eq!(shop.state(3150).await, "held");
    let said = shop.refused(&["held", "resolve", "3150", "--take", "source", "--wait"]);
    assert!(said.contains("closed: it is not written over"), "{said}");
    assert_eq!(shop.email(3150).await, "sold@example.org");
    // It is the new backend's for good.
    shop.command(&["held", "resolve", "3150", "--take", "target", "--wait"]);
    shop.change(
        3150,
        "UPDATE orders SET email = 'd@example.org' WHERE id = 3150",
    )
    .await;
    assert_eq!(shop.email(3150).await, "sold@example.org");
    assert_eq!(shop.state(3150).await, "handed_over");
}

#[tokio::test]
async fn what_looks_at_carts_tells_merged_ones() {
    let shop = Shop::own(BOTH).await;
    merged(&shop, 1).await;
    shop.born(2, &[(20, "tea", 1)]).await;
    let found: serde_json::Value =
        serde_json::from_str(&shop.command(&["verify", "--json"])).unwrap();
    let counts = ["merged", "equal", "different", "pending", "missing"].map(|c| found[c].as_i64());
    assert_eq!(counts, [1, 1, 0, 0, 0].map(Some), "{found}");
    let status: serde_json::Value =
        serde_json::from_str(&shop.command(&["status", "--json"])).unwrap();
    assert_eq!(status["carts"]["merged"], 1);
    assert_eq!(status["merge_conflicts"], 1);
    assert_eq!(status["merged_items"], 1);
    assert_eq!(status["conflicts"], 1);
    // It follows the source all the same.
    shop.change(1, "UPDATE order_lines SET qty = 4 WHERE id = 11")
        .await;
    assert_eq!(shop.lines(1).await, "milk 1, tea 6");
}

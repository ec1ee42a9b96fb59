//! What becomes of a quantity and of a single value under each rule.

use super::kinds::{BOTH, LATEST, MAX, SOFT, SOURCE, SUM, TARGET};
use crate::guards::kinds::Kind;
use crate::guards::shop::Shop;

/// Two of tea at first; the new backend makes it five, then the source four; then the source six.
async fn five_there_four_here(kind: Kind, cart: i64) -> (Shop, [String; 2]) {
    let shop = Shop::shared(kind).await;
    shop.born(cart, &[(cart * 10, "tea", 2), (cart * 10 + 1, "milk", 1)])
        .await;
    shop.edit(
        cart,
        &format!(
            "UPDATE cart_line SET quantity = 5 WHERE line_id = {}",
            cart * 10
        ),
    )
    .await;
    let qty = |n: i64| format!("UPDATE order_lines SET qty = {n} WHERE id = {}", cart * 10);
    shop.change(cart, &qty(4)).await;
    let first = shop.lines(cart).await;
    assert_eq!(shop.conflicts(cart).await, "merged");
    shop.change(cart, &qty(6)).await;
    let second = shop.lines(cart).await;
    assert_eq!(
        shop.conflicts(cart).await,
        "merged",
        "nobody wrote in between"
    );
    (shop, [first, second])
}

#[tokio::test]
async fn both_counts_what_either_side_changed() {
    let shop = Shop::shared(BOTH).await;
    let count = "SELECT sum(merged_items)::bigint FROM cartage.checkpoint";
    let conflicts = "SELECT sum(merge_conflicts)::bigint FROM cartage.checkpoint";
    let before = (shop.number(count).await, shop.number(conflicts).await);
    let (shop, lines) = five_there_four_here(BOTH, 100).await;
    assert_eq!(lines, ["tea 7, milk 1", "tea 9, milk 1"]);
    assert_eq!(shop.state(100).await, "merged");
    let after = (shop.number(count).await, shop.number(conflicts).await);
    assert!(
        after.0 >= before.0 + 2 && after.1 > before.1,
        "{before:?} {after:?}"
    );
    let record = "SELECT decisions @> '[{\"rule\": \"both\", \"base\": \"2\", \"ours\": \"4\",
            \"theirs\": \"5\", \"result\": \"7\", \"column\": \"quantity\"}]'
            AND base <> theirs AND base <> ours AND times = 1
        FROM cartage.conflict WHERE cart = '100'";
    assert!(shop.is(record).await);
    let log = shop.log();
    let line = log
        .lines()
        .find(|line| line.contains("merged") && line.contains(r#""cart":"100""#));
    let line = line.unwrap_or_else(|| panic!("no line of the merge in\n{log}"));
    assert!(!line.contains("tea"), "{line}");
}

#[tokio::test]
async fn the_same_change_on_both_sides_counts_twice() {
    for (kind, cart, lines) in [
        (BOTH, 110, "tea 4"),
        (MAX, 210, "tea 3"),
        (SUM, 310, "tea 6"),
    ] {
        let shop = Shop::shared(kind).await;
        shop.born(cart, &[(cart * 10, "tea", 2)]).await;
        let there = format!("UPDATE cart_line SET quantity = 3 WHERE cart_id = {cart}");
        shop.edit(cart, &there).await;
        let here = format!("UPDATE order_lines SET qty = 3 WHERE order_id = {cart}");
        shop.change(cart, &here).await;
        assert_eq!(shop.lines(cart).await, lines, "{}", kind.name);
    }
}

#[tokio::test]
async fn max_takes_the_greater() {
    let (_, lines) = five_there_four_here(MAX, 200).await;
    assert_eq!(lines, ["tea 5, milk 1", "tea 6, milk 1"]);
}

#[tokio::test]
async fn sum_adds_both_up_once() {
    let (shop, lines) = five_there_four_here(SUM, 300).await;
    assert_eq!(lines, ["tea 9, milk 1", "tea 11, milk 1"]);
    shop.kill();
    shop.change(300, "UPDATE order_lines SET qty = 7 WHERE id = 3000")
        .await;
    assert_eq!(
        shop.lines(300).await,
        "tea 12, milk 1",
        "also after a restart"
    );
}

#[tokio::test]
async fn source_takes_the_source() {
    let (shop, lines) = five_there_four_here(SOURCE, 400).await;
    assert_eq!(lines, ["tea 4, milk 1", "tea 6, milk 1"]);
    assert_eq!(
        shop.state(400).await,
        "mirror",
        "it is as the source has it"
    );
}

#[tokio::test]
async fn target_takes_the_target() {
    let (shop, lines) = five_there_four_here(TARGET, 500).await;
    assert_eq!(lines, ["tea 5, milk 1", "tea 5, milk 1"]);
    let email = "UPDATE cart SET customer_email = 'new@example.org' WHERE cart_id = 500";
    shop.edit(500, email).await;
    for n in 0..2 {
        let email = format!("UPDATE orders SET email = 'old{n}@example.org' WHERE id = 500");
        shop.change(500, &email).await;
        assert_eq!(shop.email(500).await, "new@example.org");
    }
}

#[tokio::test]
async fn latest_takes_the_later() {
    let shop = Shop::shared(LATEST).await;
    for (cart, here, there, lines, email) in [
        (600, "02:00", "01:00", "tea 4", "old@example.org"),
        (601, "01:00", "02:00", "tea 5", "new@example.org"),
    ] {
        shop.born(cart, &[(cart * 10, "tea", 2)]).await;
        shop.edit(
            cart,
            &format!(
                "UPDATE cart SET customer_email = 'new@example.org', currency_code = 'chf',
                        updated_at = '2026-02-02 {there}+00' WHERE cart_id = {cart};
                 UPDATE cart_line SET quantity = 5 WHERE cart_id = {cart}"
            ),
        )
        .await;
        shop.change(
            cart,
            &format!(
                "BEGIN;
                 UPDATE orders SET email = 'old@example.org', currency = 'USD',
                        changed = '2026-02-02 {here}+00' WHERE id = {cart};
                 UPDATE order_lines SET qty = 4 WHERE order_id = {cart};
                 COMMIT"
            ),
        )
        .await;
        assert_eq!(shop.lines(cart).await, lines);
        assert_eq!(shop.email(cart).await, email);
        let currency = format!("SELECT currency_code FROM cart WHERE cart_id = {cart}");
        assert_eq!(
            shop.text(&currency).await,
            "usd",
            "a column of its own mind"
        );
    }
}

#[tokio::test]
async fn a_merge_ends_at_nothing_and_at_the_most() {
    let shop = Shop::shared(SOFT).await;
    shop.born(700, &[(7000, "tea", 2), (7001, "milk", 5)]).await;
    let edit = "UPDATE cart_line SET quantity = CASE product WHEN 'tea' THEN 1 ELSE 8 END
                WHERE cart_id = 700";
    shop.edit(700, edit).await;
    let change = "UPDATE order_lines SET qty = CASE sku WHEN 'tea' THEN 1 ELSE 9 END
                  WHERE order_id = 700";
    shop.change(700, change).await;
    assert_eq!(shop.lines(700).await, "tea 1, milk 9");
    let removed = "SELECT string_agg(product, '') FROM cart_line
                   WHERE cart_id = 700 AND removed_at IS NOT NULL";
    assert_eq!(shop.text(removed).await, "tea", "marked, as `deleted` says");
    shop.change(700, "UPDATE order_lines SET qty = 3 WHERE id = 7000")
        .await;
    assert_eq!(shop.text(removed).await, "");
    assert_eq!(shop.lines(700).await, "tea 2, milk 9");
}

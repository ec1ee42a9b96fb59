//! Ends: one in the source wins, one in the new backend stays.

use super::kinds::{COUNTER, ROW};
use super::shop::Shop;

#[tokio::test]
async fn bought_in_the_old_shop_wins_over_edits_of_an_open_cart() {
    let shop = Shop::shared(COUNTER).await;
    shop.born(5100, &[(51001, "tea", 1)]).await;
    shop.new_shop(
        "UPDATE cart SET customer_email = 'new@example.org', version = version + 1 WHERE cart_id = 5100;
         UPDATE cart_line SET quantity = 5 WHERE line_id = 51001",
    )
    .await;
    shop.change(5100, "UPDATE orders SET status = 'bought' WHERE id = 5100")
        .await;
    assert_eq!(shop.state(5100).await, "ended");
    assert_eq!(shop.conflicts(5100).await, "source_end");
    let sold = "SELECT completed_at IS NOT NULL FROM cart WHERE cart_id = 5100";
    assert!(shop.is(sold).await, "it could be bought again");
    let theirs =
        "SELECT theirs::text LIKE '%new@example.org%' FROM cartage.conflict WHERE cart = '5100'";
    assert!(shop.is(theirs).await, "what was overwritten is not kept");
}

#[tokio::test]
async fn bought_in_the_old_shop_wins_although_the_new_backend_put_the_same_product_in() {
    let shop = Shop::shared(ROW).await;
    shop.born(5110, &[(51101, "tea", 1)]).await;
    shop.new_shop("INSERT INTO cart_line VALUES (992, 5110, 'milk', 1)")
        .await;
    shop.change(
        5110,
        "BEGIN; INSERT INTO order_lines VALUES (51102, 5110, 'milk', 1);
         UPDATE orders SET status = 'bought' WHERE id = 5110; COMMIT",
    )
    .await;
    assert_eq!(shop.state(5110).await, "ended");
    assert_eq!(shop.conflicts(5110).await, "source_end");
    assert_eq!(shop.lines(5110).await, "milk 1, tea 1");
}

/// All that could bring a cart back that the new backend has finished with.
async fn nothing_resurrects(shop: &Shop, cart: i64, there: &str) {
    let line = cart * 10;
    let found = format!(
        "SELECT coalesce((SELECT jsonb_agg(c ORDER BY cart_id)::text FROM cart c WHERE cart_id = {cart}), '')
             || coalesce((SELECT jsonb_agg(l ORDER BY line_id)::text FROM cart_line l WHERE cart_id = {cart}), '')"
    );
    let left = shop.text(&found).await;
    let late = "SELECT sum(late)::bigint FROM cartage.checkpoint";
    for sql in [
        format!("UPDATE order_lines SET qty = qty + 1 WHERE order_id = {cart}"),
        format!("UPDATE orders SET email = 'late@example.org' WHERE id = {cart}"),
        format!(
            "INSERT INTO order_lines VALUES ({}, {cart}, 'late', 1)",
            line + 5
        ),
        format!("UPDATE orders SET status = 'bought' WHERE id = {cart}"),
        format!("UPDATE orders SET status = 'open' WHERE id = {cart}"),
        format!("DELETE FROM orders WHERE id = {cart}"),
        format!("INSERT INTO orders VALUES ({cart}, 'again@example.org')"),
        format!("INSERT INTO order_lines VALUES ({line}, {cart}, 'again', 1)"),
        format!(
            "UPDATE orders SET id = {cart} + 1 WHERE id = {cart}; UPDATE orders SET id = {cart} WHERE id = {cart} + 1"
        ),
    ] {
        let before = shop.number(late).await;
        shop.change(cart, &sql).await;
        assert_eq!(shop.state(cart).await, "handed_over", "{sql}");
        assert!(shop.number(late).await > before, "not counted: {sql}");
        assert_eq!(shop.text(&found).await, left, "{sql}");
    }
    let cart = cart.to_string();
    shop.command(&["refresh", &cart, "--wait"]);
    assert_eq!(shop.text(&found).await, left, "after a refresh");
    assert_eq!(left.is_empty(), there.is_empty());
    assert!(left.contains(there));
}

#[tokio::test]
async fn a_cart_that_the_new_backend_sold_is_never_written_again() {
    let shop = Shop::shared(COUNTER).await;
    shop.born(5200, &[(52000, "tea", 1)]).await;
    shop.new_shop(
        "UPDATE cart SET completed_at = now(), version = version + 1 WHERE cart_id = 5200",
    )
    .await;
    nothing_resurrects(&shop, 5200, "tea").await;
    // Each change is counted; of equal records one is kept.
    assert_eq!(shop.conflicts(5200).await, "late, late");
}

#[tokio::test]
async fn a_cart_that_the_new_backend_deleted_is_never_written_again() {
    let shop = Shop::shared(COUNTER).await;
    shop.born(5300, &[(53000, "tea", 1)]).await;
    shop.new_shop(
        "DELETE FROM cart_line WHERE cart_id = 5300; DELETE FROM cart WHERE cart_id = 5300",
    )
    .await;
    nothing_resurrects(&shop, 5300, "").await;
}

#[tokio::test]
async fn a_finished_cart_does_not_come_back_under_another_key() {
    let shop = Shop::shared(COUNTER).await;
    let sold = |cart: i64| {
        format!(
            "UPDATE cart SET completed_at = now(), version = version + 1 WHERE cart_id = {cart}"
        )
    };
    let deleted = |cart: i64| {
        format!(
            "DELETE FROM cart_line WHERE cart_id = {cart}; DELETE FROM cart WHERE cart_id = {cart}"
        )
    };
    for (cart, end, known) in [
        (5410, sold(5410), true),
        (5420, deleted(5420), true),
        (5430, sold(5430), false),
        (5440, deleted(5440), false),
    ] {
        let (line, heir) = (cart * 10, cart + 1);
        shop.born(cart, &[(line, "tea", 1)]).await;
        shop.new_shop(&end).await;
        if known {
            let sql = format!("UPDATE orders SET email = 'late@example.org' WHERE id = {cart}");
            shop.change(cart, &sql).await;
            assert_eq!(shop.state(cart).await, "handed_over");
        }
        let found = format!(
            "SELECT (SELECT count(*) FROM cart WHERE cart_id = {heir})
                  + (SELECT count(*) FROM cart_line WHERE cart_id = {heir})"
        );
        for sql in [
            format!("UPDATE orders SET id = {heir} WHERE id = {cart}"),
            format!("UPDATE orders SET email = 'later@example.org' WHERE id = {heir}"),
            format!(
                "INSERT INTO order_lines VALUES ({}, {heir}, 'milk', 1)",
                line + 1
            ),
        ] {
            shop.change(heir, &sql).await;
            assert_eq!(shop.state(cart).await, "handed_over", "{sql}");
            assert_eq!(shop.state(heir).await, "handed_over", "{sql}");
            assert_eq!(shop.number(&found).await, 0, "{sql}");
        }
        shop.command(&["refresh", &heir.to_string(), "--wait"]);
        assert_eq!(shop.number(&found).await, 0, "after a refresh");
    }
}

/// Nobody was there to give it to when it left.
#[tokio::test]
async fn a_line_that_left_an_ended_cart_arrives_where_it_is_now() {
    let shop = Shop::shared(COUNTER).await;
    shop.born(5500, &[(55001, "tea", 1), (55002, "milk", 1)])
        .await;
    shop.change(5500, "UPDATE orders SET status = 'bought' WHERE id = 5500")
        .await;
    assert_eq!(shop.lines(5500).await, "tea 1, milk 1");
    shop.old_shop(
        "INSERT INTO orders VALUES (5501, 'heir@example.org', 'EUR', 'draft');
         UPDATE order_lines SET order_id = 5501 WHERE id = 55001;
         UPDATE orders SET status = 'open' WHERE id = 5501",
    )
    .await;
    let arrived = "SELECT count(*) = 1 FROM cart_line WHERE cart_id = 5501 AND line_id = 55001";
    shop.until("the line to arrive", arrived).await;
    assert_eq!(shop.lines(5500).await, "milk 1");
    let released = "SELECT NOT EXISTS (SELECT FROM cartage.held WHERE cart IN ('5500', '5501'))";
    shop.until("nothing to be held", released).await;
    assert_eq!(shop.state(5500).await, "ended");
    assert_eq!(shop.state(5501).await, "mirror");
}

#[tokio::test]
async fn neither_a_refresh_of_all_nor_a_truncate_nor_another_mapping_resurrects_a_cart() {
    let shop = Shop::own(ROW).await;
    for cart in [1, 2, 3] {
        shop.born(cart, &[(cart * 10, "tea", 1)]).await;
    }
    shop.new_shop(
        "UPDATE cart SET completed_at = now() WHERE cart_id = 1;
         DELETE FROM cart_line WHERE cart_id = 2; DELETE FROM cart WHERE cart_id = 2",
    )
    .await;
    for cart in [1, 2] {
        let sql = format!("UPDATE order_lines SET qty = 2 WHERE order_id = {cart}");
        shop.change(cart, &sql).await;
    }
    let carts =
        "SELECT string_agg(cart_id || ' ' || currency_code, ', ' ORDER BY cart_id) FROM cart";
    shop.command(&["refresh", "--all", "--wait"]);
    assert_eq!(shop.text(carts).await, "1 eur, 3 eur");

    shop.stopped(async || shop.reconfigure(r#""lower(currency)""#, r#""upper(currency)""#))
        .await;
    shop.until(
        "the new mapping to have come to all carts",
        "SELECT count(*) = 1 AND bool_and(finished_at IS NOT NULL)
         FROM cartage.refresh_run WHERE kind = 'mapping'",
    )
    .await;
    assert_eq!(shop.text(carts).await, "1 eur, 3 EUR");

    shop.old_shop(
        "TRUNCATE orders, order_lines;
         INSERT INTO orders VALUES (1, 'again'), (2, 'again'), (4, 'new')",
    )
    .await;
    shop.settled().await;
    shop.until(
        "the new cart",
        "SELECT EXISTS (SELECT FROM cart WHERE cart_id = 4)",
    )
    .await;
    assert_eq!(shop.text(carts).await, "1 eur, 4 EUR");
    assert_eq!(shop.lines(1).await, "tea 1");
}

#[tokio::test]
async fn the_checkpoint_is_not_moved_back_below_the_purge_horizon() {
    let shop = Shop::own(ROW).await;
    shop.born(1, &[(11, "tea", 1)]).await;
    let least = "SELECT min(lsn)::text FROM cartage.checkpoint";
    shop.stopped(async || {
        let at = shop.text(least).await;
        let set = format!("UPDATE cartage.pipeline SET purge_horizon = '{at}'::pg_lsn + 1");
        shop.new_shop(&set).await;
        let said = shop.refused(&["checkpoint", "set", &at, "--yes"]);
        assert!(said.contains("below the purge horizon"), "{said}");
        shop.new_shop("UPDATE cartage.pipeline SET purge_horizon = NULL")
            .await;
        shop.command(&["checkpoint", "set", &at, "--yes"]);
    })
    .await;
}

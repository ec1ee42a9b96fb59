//! A held cart: the applied image stays, the pending one follows the source, and a retry is the
//! difference of the two.

use super::kinds::COUNTER;
use super::shop::Shop;

/// Held, because the new backend refuses all writes of its lines.
async fn held(shop: &Shop, cart: i64, lines: &[(i64, &str, i64)]) {
    shop.born(cart, lines).await;
    let refuses = format!(
        "ALTER TABLE cart_line ADD CONSTRAINT refused_{cart} CHECK (cart_id <> {cart}) NOT VALID"
    );
    shop.new_shop(&refuses).await;
    let sql = format!(
        "UPDATE order_lines SET qty = qty + 1 WHERE id = {}",
        lines[0].0
    );
    shop.change(cart, &sql).await;
    assert_eq!(shop.state(cart).await, "held");
}

/// What stood in the way is gone.
async fn undo(shop: &Shop, cart: i64) {
    let accepts = format!("ALTER TABLE cart_line DROP CONSTRAINT refused_{cart}");
    shop.new_shop(&accepts).await;
}

/// A retry that the new backend has left nothing in the way of.
async fn release(shop: &Shop, cart: i64) {
    undo(shop, cart).await;
    shop.command(&["held", "retry", &cart.to_string()]);
    shop.released(cart).await;
}

#[tokio::test]
async fn changes_to_a_held_cart_arrive_as_one_difference_and_do_not_make_it_grow() {
    let shop = Shop::shared(COUNTER).await;
    let cart = 4100;
    held(&shop, cart, &[(41001, "tea", 1), (41002, "milk", 1)]).await;
    let size = "SELECT pg_column_size(pending)::bigint FROM cartage.held WHERE cart = '4100'";
    let patches = "SELECT patches FROM cartage.ledger WHERE cart = '4100'";
    let (small, patched) = (shop.number(size).await, shop.number(patches).await);
    let before = shop.end_of_log().await;
    shop.old_shop(
        "DO $$ BEGIN FOR i IN 1..2000 LOOP
             UPDATE order_lines SET qty = i % 100 WHERE id = 41001;
             UPDATE orders SET currency = CASE i % 2 WHEN 0 THEN 'USD' ELSE 'GBP' END WHERE id = 4100;
             COMMIT;
         END LOOP; END $$",
    )
    .await;
    shop.old_shop(
        "DELETE FROM order_lines WHERE id = 41002;
         INSERT INTO order_lines VALUES (41003, 4100, 'cocoa', 3)",
    )
    .await;
    shop.passed(cart, &before).await;
    shop.settled().await;
    assert_eq!(shop.lines(cart).await, "tea 1, milk 1", "it is held");
    assert!(shop.number(size).await < small + 32, "{small} bytes before");
    assert_eq!(shop.number(patches).await, patched);

    release(&shop, cart).await;
    assert_eq!(shop.lines(cart).await, "tea 0, cocoa 3");
    let currency = "SELECT currency_code FROM cart WHERE cart_id = 4100";
    assert_eq!(shop.text(currency).await, "usd");
    assert_eq!(shop.number(patches).await, patched + 1);
}

#[tokio::test]
async fn attempts_at_a_held_cart_do_not_pile_up_records() {
    let shop = Shop::shared(COUNTER).await;
    held(&shop, 4110, &[(41101, "tea", 1)]).await;
    let attempts = "SELECT attempts >= 4 FROM cartage.held WHERE cart = '4110'";
    for _ in 0..8 {
        if shop.is(attempts).await {
            break;
        }
        let sql = "SELECT attempts::bigint FROM cartage.held WHERE cart = '4110'";
        let so_far = shop.number(sql).await;
        shop.command(&["held", "retry", "4110"]);
        let more = format!("SELECT attempts > {so_far} FROM cartage.held WHERE cart = '4110'");
        shop.until("another attempt", &more).await;
    }
    assert!(shop.is(attempts).await);
    assert_eq!(shop.conflicts(4110).await, "held");
    let times = "SELECT times >= 4 FROM cartage.conflict WHERE cart = '4110'";
    assert!(shop.is(times).await, "how often is counted");
    // What the source wants by now is another record.
    shop.change(4110, "UPDATE order_lines SET qty = 9 WHERE id = 41101")
        .await;
    shop.command(&["held", "retry", "4110"]);
    shop.until(
        "a second record",
        "SELECT count(*) = 2 FROM cartage.conflict WHERE cart = '4110'",
    )
    .await;
}

#[tokio::test]
async fn a_hold_survives_a_kill() {
    let shop = Shop::own(COUNTER).await;
    held(&shop, 1, &[(11, "tea", 1)]).await;
    shop.kill();
    shop.change(1, "UPDATE order_lines SET qty = 7 WHERE id = 11")
        .await;
    assert_eq!(shop.state(1).await, "held");
    assert_eq!(shop.lines(1).await, "tea 1");
    shop.kill();
    release(&shop, 1).await;
    assert_eq!(shop.lines(1).await, "tea 7");
}

#[tokio::test]
async fn a_held_cart_that_ends_in_the_source_ends_at_once() {
    let shop = Shop::shared(COUNTER).await;
    held(&shop, 4130, &[(41301, "tea", 1)]).await;
    shop.new_shop(
        "UPDATE cartage.held SET retry_at = now() + interval '1 hour' WHERE cart = '4130'",
    )
    .await;
    undo(&shop, 4130).await;
    shop.change(4130, "UPDATE orders SET status = 'bought' WHERE id = 4130")
        .await;
    shop.released(4130).await;
    assert_eq!(shop.state(4130).await, "ended");
    assert_eq!(shop.conflicts(4130).await, "held");
    let sold = "SELECT completed_at IS NOT NULL FROM cart WHERE cart_id = 4130";
    assert!(shop.is(sold).await, "it could be bought again");
}

#[tokio::test]
async fn a_held_cart_that_is_deleted_in_the_source_goes_at_once() {
    let shop = Shop::shared(COUNTER).await;
    held(&shop, 4140, &[(41401, "tea", 1)]).await;
    shop.new_shop(
        "UPDATE cartage.held SET retry_at = now() + interval '1 hour' WHERE cart = '4140'",
    )
    .await;
    shop.change(4140, "DELETE FROM orders WHERE id = 4140")
        .await;
    shop.released(4140).await;
    assert_eq!(
        shop.number("SELECT count(*) FROM cart WHERE cart_id = 4140")
            .await,
        0
    );
    assert_eq!(shop.conflicts(4140).await, "held");
}

#[tokio::test]
async fn a_row_that_moves_out_of_a_held_cart_holds_both_until_both_are_released() {
    let shop = Shop::shared(COUNTER).await;
    held(&shop, 4150, &[(41501, "tea", 1), (41502, "milk", 1)]).await;
    shop.new_shop(
        "UPDATE cartage.held SET retry_at = now() + interval '1 hour' WHERE cart = '4150'",
    )
    .await;
    shop.born(4151, &[(41511, "cocoa", 1)]).await;
    shop.change(
        4151,
        "UPDATE order_lines SET order_id = 4151 WHERE id = 41502",
    )
    .await;
    let units = "SELECT count(*) = 2 AND count(DISTINCT unit) = 1 FROM cartage.held
                 WHERE cart IN ('4150', '4151') AND unit IS NOT NULL";
    assert!(shop.is(units).await, "they are not held as one");
    assert_eq!(shop.lines(4150).await, "tea 1, milk 1");
    assert_eq!(shop.lines(4151).await, "cocoa 1");
    shop.change(4151, "UPDATE order_lines SET qty = 9 WHERE id = 41511")
        .await;
    assert_eq!(shop.lines(4151).await, "cocoa 1");

    release(&shop, 4150).await;
    shop.released(4151).await;
    assert_eq!(shop.lines(4150).await, "tea 2");
    assert_eq!(shop.lines(4151).await, "milk 1, cocoa 9");
}

//! Lines that a unique index of the new backend guards in a batch of many carts.

use super::kinds::Kind;
use super::shop::Shop;

const LINES_ONCE: Kind = Kind {
    name: "lines_once",
    old: "",
    new: "ALTER TABLE cart_line ADD CONSTRAINT one_line_each UNIQUE (cart_id, product)",
    config: &[],
};

/// Carts with tea, all of them in the target.
async fn carts(shop: &Shop, from: i64, to: i64) {
    shop.old_shop(&format!(
        "BEGIN; INSERT INTO orders SELECT n, 'c' || n FROM generate_series({from}, {to}) n;
         INSERT INTO order_lines SELECT n * 10, n, 'tea', 1 FROM generate_series({from}, {to}) n;
         COMMIT"
    ))
    .await;
    let there = format!(
        "SELECT count(*) = {to} - {from} + 1 FROM cart_line WHERE cart_id BETWEEN {from} AND {to}"
    );
    shop.until("the carts", &there).await;
}

/// Milk for all of them, in one transaction and so in one batch for each lane.
async fn milk(shop: &Shop, from: i64, to: i64) {
    shop.old_shop(&format!(
        "INSERT INTO order_lines SELECT n * 10 + 1, n, 'milk', 2 FROM generate_series({from}, {to}) n"
    ))
    .await;
}

/// All have milk once; that of cart `rival` is the new backend's, and has both's.
async fn only_the_rival_is_merged(shop: &Shop, from: i64, to: i64, rival: i64) {
    let range = format!("BETWEEN {from} AND {to}");
    let there = format!(
        "SELECT count(*) = {to} - {from} + 1 FROM cart_line
         WHERE product = 'milk' AND cart_id {range}"
    );
    shop.until("milk", &there).await;
    let merged = format!("SELECT count(*) = 1 FROM cartage.conflict WHERE cart::bigint {range}");
    shop.until("one cart to be merged", &merged).await;
    assert_eq!(shop.state(rival).await, "merged");
    assert_eq!(shop.lines(rival).await, "milk 9, tea 1");
    let twos = format!(
        "SELECT count(*) FROM cart_line WHERE product = 'milk' AND quantity = 2 AND cart_id {range}"
    );
    assert_eq!(shop.number(&twos).await, to - from);
    let epoch = "SELECT epoch FROM cartage.pipeline";
    assert_eq!(shop.number(epoch).await, 1, "the daemon began anew");
}

#[tokio::test]
async fn of_many_carts_the_one_with_the_same_product_is_merged() {
    let shop = Shop::shared(LINES_ONCE).await;
    carts(&shop, 8100, 8139).await;
    shop.new_shop("INSERT INTO cart_line VALUES (81, 8117, 'milk', 7)")
        .await;
    milk(&shop, 8100, 8139).await;
    only_the_rival_is_merged(&shop, 8100, 8139, 8117).await;
}

#[tokio::test]
async fn of_many_carts_the_one_that_is_just_being_given_the_product_is_waited_for() {
    let shop = Shop::shared(LINES_ONCE).await;
    carts(&shop, 8200, 8239).await;
    let buyer = shop.new_backend().await;
    buyer
        .batch_execute("BEGIN; INSERT INTO cart_line VALUES (82, 8217, 'milk', 7)")
        .await
        .unwrap();
    milk(&shop, 8200, 8239).await;
    shop.blocked_by(&buyer).await;
    buyer.batch_execute("COMMIT").await.unwrap();
    only_the_rival_is_merged(&shop, 8200, 8239, 8217).await;
}

#[tokio::test]
async fn lines_under_our_own_keys_that_the_new_backend_took_are_found() {
    let shop = Shop::shared(LINES_ONCE).await;
    carts(&shop, 8300, 8339).await;
    // Another product, under the key that the line of the old shop will have.
    shop.new_shop("INSERT INTO cart_line VALUES (83171, 8317, 'cocoa', 7)")
        .await;
    milk(&shop, 8300, 8339).await;
    let there = "SELECT count(*) = 39 FROM cart_line
                 WHERE product = 'milk' AND cart_id BETWEEN 8300 AND 8339";
    shop.until("milk", there).await;
    let held = "SELECT count(*) = 1 FROM cartage.held WHERE cart = '8317'";
    shop.until("the cart to be held", held).await;
    assert_eq!(shop.lines(8317).await, "tea 1, cocoa 7");
}

#[tokio::test]
async fn without_the_index_lines_are_guarded_all_the_same() {
    let shop = Shop::own(LINES_ONCE).await;
    carts(&shop, 1, 40).await;
    milk(&shop, 1, 10).await;
    let there = "SELECT count(*) = 10 FROM cart_line WHERE product = 'milk'";
    shop.until("milk", there).await;
    shop.new_shop(
        "ALTER TABLE cart_line DROP CONSTRAINT one_line_each;
         INSERT INTO cart_line VALUES (84, 17, 'milk', 7)",
    )
    .await;
    milk(&shop, 11, 40).await;
    only_the_rival_is_merged(&shop, 11, 40, 17).await;
}

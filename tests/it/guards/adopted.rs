//! False alarms: the token moved, but nothing that is cartage's was changed.

use super::kinds::{CLOCK, Kind, ROW, XMIN};
use super::shop::Shop;

async fn is_written_without_a_word(shop: &Shop, cart: i64) {
    let sql = format!("UPDATE order_lines SET qty = 2 WHERE order_id = {cart}");
    shop.change(cart, &sql).await;
    assert_eq!(shop.state(cart).await, "mirror");
    assert_eq!(shop.lines(cart).await, "tea 2");
    assert_eq!(shop.conflicts(cart).await, "");
    // A merge would come to the same, by a longer way.
    let (what, which) = (r#""message":"merged""#, format!(r#""cart":"{cart}""#));
    let log = shop.log();
    let merged = |line: &str| line.contains(what) && line.contains(&which);
    assert!(!log.lines().any(merged), "{log}");
}

#[tokio::test]
async fn a_row_version_moved_by_a_rewrite_is_adopted() {
    let shop = Shop::own(XMIN).await;
    shop.born(1, &[(11, "tea", 1)]).await;
    let before = shop.text("SELECT xmin FROM cart").await;
    shop.new_shop("ALTER TABLE cart ALTER version TYPE bigint")
        .await;
    assert_ne!(shop.text("SELECT xmin FROM cart").await, before);
    is_written_without_a_word(&shop, 1).await;
}

#[tokio::test]
async fn a_row_version_moved_by_an_update_to_equal_values_is_adopted() {
    let shop = Shop::shared(XMIN).await;
    shop.born(3110, &[(31101, "tea", 1)]).await;
    shop.new_shop("UPDATE cart SET customer_email = customer_email WHERE cart_id = 3110")
        .await;
    shop.new_shop("UPDATE cart_line SET quantity = quantity WHERE cart_id = 3110")
        .await;
    is_written_without_a_word(&shop, 3110).await;
}

#[tokio::test]
async fn a_frozen_row_is_adopted() {
    let shop = Shop::shared(XMIN).await;
    shop.born(3120, &[(31201, "tea", 1)]).await;
    shop.new_shop("VACUUM (FREEZE) cart, cart_line").await;
    is_written_without_a_word(&shop, 3120).await;
    shop.new_shop("VACUUM (FULL, FREEZE) cart").await;
    let sql = "DELETE FROM order_lines WHERE id = 31201";
    shop.change(3120, sql).await;
    assert_eq!(
        (
            shop.state(3120).await.as_str(),
            shop.lines(3120).await.as_str()
        ),
        ("mirror", "")
    );
}

#[tokio::test]
async fn a_moment_that_the_new_backend_touches_when_it_reads_is_adopted() {
    let shop = Shop::shared(CLOCK).await;
    shop.born(3130, &[(31301, "tea", 1)]).await;
    shop.new_shop("UPDATE cart SET updated_at = clock_timestamp() WHERE cart_id = 3130")
        .await;
    is_written_without_a_word(&shop, 3130).await;
    shop.new_shop("UPDATE cart SET updated_at = NULL WHERE cart_id = 3130")
        .await;
    shop.change(
        3130,
        "UPDATE orders SET email = 'x@example.org' WHERE id = 3130",
    )
    .await;
    assert_eq!(shop.email(3130).await, "x@example.org");
}

#[tokio::test]
async fn a_cart_that_cartage_ended_is_not_closed_by_the_new_backend() {
    let shop = Shop::shared(ROW).await;
    comes_back(&shop, 3140).await;
}

/// `closed` names a column that cartage writes and one that it does not.
const PAID: Kind = Kind {
    name: "paid",
    old: "",
    new: "",
    config: &[(
        r#"closed = "completed_at is not null""#,
        r#"closed = "completed_at is not null or paid""#,
    )],
};

#[tokio::test]
async fn a_cart_that_cartage_ended_is_not_closed_where_another_column_could_close_it_too() {
    let shop = Shop::shared(PAID).await;
    comes_back(&shop, 3150).await;
    // That column alone closes a cart, one that cartage ended included.
    for (cart, ended) in [(3151, false), (3152, true)] {
        shop.born(cart, &[(cart * 10, "tea", 1)]).await;
        if ended {
            let sql = format!("UPDATE orders SET status = 'bought' WHERE id = {cart}");
            shop.change(cart, &sql).await;
        }
        shop.new_shop(&format!(
            "UPDATE cart SET paid = true WHERE cart_id = {cart}"
        ))
        .await;
        let sql = format!("UPDATE orders SET status = 'open', email = 'late' WHERE id = {cart}");
        shop.change(cart, &sql).await;
        assert_eq!(shop.state(cart).await, "handed_over", "{cart}");
    }
}

async fn comes_back(shop: &Shop, cart: i64) {
    shop.born(cart, &[(cart * 10, "tea", 1)]).await;
    let sql = format!("UPDATE orders SET status = 'bought' WHERE id = {cart}");
    shop.change(cart, &sql).await;
    let completed = format!("SELECT completed_at IS NOT NULL FROM cart WHERE cart_id = {cart}");
    assert!(shop.is(&completed).await);
    assert_eq!(shop.state(cart).await, "ended");
    let sql = format!("UPDATE orders SET status = 'open' WHERE id = {cart}");
    shop.old_shop(&sql).await;
    let open = format!("SELECT completed_at IS NULL FROM cart WHERE cart_id = {cart}");
    shop.until("the cart to be open again", &open).await;
    assert_eq!(shop.state(cart).await, "mirror");
    assert_eq!(shop.conflicts(cart).await, "");
}

//! The same product here and there; lines that one side removes and the other changes.

use super::kinds::{BOTH, BOTH_BY_ROW};
use crate::guards::shop::Shop;

#[tokio::test]
async fn the_same_product_put_in_here_and_there_is_one_line() {
    let shop = Shop::shared(BOTH).await;
    shop.born(1100, &[(11000, "milk", 1)]).await;
    shop.edit(
        1100,
        "INSERT INTO cart_line VALUES (991100, 1100, 'tea', 2)",
    )
    .await;
    shop.change(
        1100,
        "INSERT INTO order_lines VALUES (11001, 1100, 'tea', 3)",
    )
    .await;
    assert_eq!(shop.lines(1100).await, "milk 1, tea 5");
    let row = "SELECT line_id::text FROM cart_line WHERE cart_id = 1100 AND product = 'tea'";
    assert_eq!(shop.text(row).await, "991100", "the row that was there");
    shop.change(1100, "UPDATE order_lines SET qty = 4 WHERE id = 11001")
        .await;
    assert_eq!(shop.lines(1100).await, "milk 1, tea 6");
    shop.change(1100, "DELETE FROM order_lines WHERE id = 11001")
        .await;
    assert_eq!(
        shop.lines(1100).await,
        "milk 1, tea 2",
        "the new backend's own"
    );
    assert_eq!(shop.conflicts(1100).await, "merged");
}

#[tokio::test]
async fn a_line_of_the_new_backend_beside_ours_is_folded_into_the_lesser_key() {
    let shop = Shop::shared(BOTH).await;
    shop.born(1110, &[(11100, "tea", 1)]).await;
    shop.edit(
        1110,
        "INSERT INTO cart_line VALUES (5, 1110, 'tea', 2);
         UPDATE cart SET customer_email = 'new@example.org' WHERE cart_id = 1110",
    )
    .await;
    shop.change(
        1110,
        "BEGIN; UPDATE order_lines SET qty = 2 WHERE id = 11100;
         UPDATE orders SET email = 'old@example.org' WHERE id = 1110; COMMIT",
    )
    .await;
    let rows = "SELECT string_agg(line_id || ' ' || quantity, ', ') FROM cart_line
                WHERE cart_id = 1110";
    assert_eq!(shop.text(rows).await, "11100 4");
}

#[tokio::test]
async fn removed_there_and_changed_here() {
    let shop = Shop::shared(BOTH).await;
    shop.born(1120, &[(11200, "tea", 2), (11201, "milk", 2)])
        .await;
    shop.edit(1120, "DELETE FROM cart_line WHERE cart_id = 1120")
        .await;
    shop.change(1120, "UPDATE order_lines SET qty = 3 WHERE id = 11200")
        .await;
    assert_eq!(shop.lines(1120).await, "tea 1", "the one that came since");
    shop.change(1120, "UPDATE order_lines SET qty = 1 WHERE id = 11201")
        .await;
    assert_eq!(
        shop.lines(1120).await,
        "tea 1",
        "there is none to take away"
    );
    assert_eq!(shop.state(1120).await, "merged");
}

#[tokio::test]
async fn removed_here_and_changed_there() {
    for (kind, cart) in [(BOTH, 1130), (BOTH_BY_ROW, 1131)] {
        let shop = Shop::shared(kind).await;
        shop.born(cart, &[(cart * 10, "tea", 2)]).await;
        let more = format!("UPDATE cart_line SET quantity = 5 WHERE cart_id = {cart}");
        shop.edit(cart, &more).await;
        shop.change(
            cart,
            &format!("DELETE FROM order_lines WHERE order_id = {cart}"),
        )
        .await;
        assert_eq!(shop.lines(cart).await, "tea 3", "what was put in there");
        let again = format!(
            "INSERT INTO order_lines VALUES ({}, {cart}, 'tea', 1)",
            cart * 10 + 1
        );
        shop.change(cart, &again).await;
        assert_eq!(shop.lines(cart).await, "tea 4");
    }
}

#[tokio::test]
async fn a_row_that_moves_between_merged_carts_takes_along_what_was_added_to_it() {
    let shop = Shop::shared(BOTH).await;
    shop.born(1140, &[(11400, "tea", 2)]).await;
    shop.born(1141, &[(11410, "milk", 1)]).await;
    shop.edit(
        1140,
        "UPDATE cart_line SET quantity = 3 WHERE line_id = 11400",
    )
    .await;
    shop.edit(
        1141,
        "UPDATE cart_line SET quantity = 4 WHERE line_id = 11410",
    )
    .await;
    shop.change(
        1141,
        "BEGIN; UPDATE order_lines SET order_id = 1141 WHERE id = 11400;
         UPDATE order_lines SET qty = 2 WHERE id = 11410; COMMIT",
    )
    .await;
    assert_eq!(shop.lines(1140).await, "");
    assert_eq!(shop.lines(1141).await, "tea 3, milk 5");
}

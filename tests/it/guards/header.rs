//! The header is part of every patch: lines are not written on their own authority.

use super::kinds::{COUNTER, Kind, ROW, ROW_LOCK};
use super::shop::Shop;

#[tokio::test]
async fn lines_go_only_by_a_merge_into_a_cart_whose_header_the_new_backend_edited() {
    let shop = Shop::shared(COUNTER).await;
    shop.born(1100, &[(11001, "tea", 1)]).await;
    shop.new_shop("UPDATE cart SET customer_email = 'new@example.org', version = version + 1 WHERE cart_id = 1100")
        .await;
    shop.change(1100, "UPDATE order_lines SET qty = 2 WHERE id = 11001")
        .await;
    assert_eq!(shop.state(1100).await, "merged");
    assert_eq!(shop.conflicts(1100).await, "merged");
    assert_eq!(shop.lines(1100).await, "tea 2");
    assert_eq!(shop.email(1100).await, "new@example.org");
}

#[tokio::test]
async fn lines_are_not_written_to_a_cart_that_the_new_backend_sold() {
    // The counter stands still: it is `closed` that tells.
    let shop = Shop::shared(COUNTER).await;
    shop.born(1110, &[(11101, "tea", 1)]).await;
    shop.new_shop("UPDATE cart SET completed_at = now() WHERE cart_id = 1110")
        .await;
    shop.change(1110, "UPDATE order_lines SET qty = 2 WHERE id = 11101")
        .await;
    assert_eq!(shop.state(1110).await, "handed_over");
    assert_eq!(shop.lines(1110).await, "tea 1");
}

#[tokio::test]
async fn a_sale_that_commits_while_the_lane_waits_for_its_row_is_seen() {
    let shop = Shop::shared(ROW).await;
    shop.born(1120, &[(11201, "tea", 1)]).await;
    let seller = shop.new_backend().await;
    seller
        .batch_execute("BEGIN; UPDATE cart SET completed_at = now() WHERE cart_id = 1120")
        .await
        .unwrap();
    let before = shop.end_of_log().await;
    shop.old_shop("UPDATE order_lines SET qty = 2 WHERE id = 11201")
        .await;
    shop.blocked_by(&seller).await;
    seller.batch_execute("COMMIT").await.unwrap();
    shop.passed(1120, &before).await;
    assert_eq!(shop.state(1120).await, "handed_over");
    assert_eq!(shop.lines(1120).await, "tea 1");
}

#[tokio::test]
async fn what_the_new_backend_sells_while_the_old_shop_changes_it_stays_as_it_was_sold() {
    let shop = Shop::own(ROW).await;
    shop.old_shop(
        "INSERT INTO orders SELECT n, 'c' || n FROM generate_series(1, 40) n;
         INSERT INTO order_lines SELECT n * 10 + k, n, 'p' || k, 1
         FROM generate_series(1, 40) n, generate_series(1, 3) k",
    )
    .await;
    let there = "SELECT count(*) = 120 FROM cart_line";
    shop.until("the lines", there).await;
    shop.new_shop("CREATE TABLE sold (cart_id bigint, lines text)")
        .await;
    // A sale is one transaction: it closes the cart, and writes down what it holds.
    let lines = "SELECT string_agg(l::text, ' ' ORDER BY line_id) FROM cart_line l WHERE cart_id =";
    let seller = async {
        for cart in (1..=40).rev() {
            shop.new_shop(&format!(
                "BEGIN; UPDATE cart SET completed_at = now() WHERE cart_id = {cart};
                 INSERT INTO sold SELECT {cart}, ({lines} {cart}); COMMIT"
            ))
            .await;
            tokio::time::sleep(std::time::Duration::from_millis(15)).await;
        }
    };
    let changes = async {
        for round in 0..60 {
            shop.old_shop(&format!(
                "BEGIN; UPDATE order_lines SET qty = qty + 1;
                 DELETE FROM order_lines WHERE id % 10 = 4;
                 INSERT INTO order_lines SELECT n * 10 + 4, n, 'q{round}', 1
                 FROM generate_series(1, 40) n; COMMIT"
            ))
            .await;
        }
    };
    tokio::join!(seller, changes);
    shop.old_shop("UPDATE order_lines SET qty = 0").await;
    shop.settled().await;
    let changed = format!(
        "SELECT string_agg(cart_id::text, ', ') FROM sold
         WHERE lines IS DISTINCT FROM ({lines} sold.cart_id)"
    );
    assert_eq!(
        shop.text(&changed).await,
        "",
        "changed after they were sold"
    );
    let states = "SELECT string_agg(DISTINCT state, ', ') FROM cartage.ledger";
    assert_eq!(shop.text(states).await, "handed_over");
    let moments = "SELECT count(DISTINCT length(lines)) > 1 FROM sold";
    assert!(shop.is(moments).await, "nothing changed between the sales");
}

#[tokio::test]
async fn a_product_that_the_new_backend_put_into_the_cart_is_not_put_in_again() {
    let shop = Shop::shared(ROW).await;
    shop.born(1130, &[(11301, "tea", 1)]).await;
    shop.new_shop("INSERT INTO cart_line VALUES (990, 1130, 'milk', 1)")
        .await;
    shop.change(
        1130,
        "INSERT INTO order_lines VALUES (11302, 1130, 'milk', 1)",
    )
    .await;
    assert_eq!(shop.state(1130).await, "merged");
    assert_eq!(shop.lines(1130).await, "milk 2, tea 1");
    let theirs =
        "SELECT theirs::text LIKE '%\"line_id\": 990%' FROM cartage.conflict WHERE cart = '1130'";
    assert!(shop.is(theirs).await, "the line in the way is not shown");
    // Another product leaves the row that it was part of.
    shop.change(
        1130,
        "UPDATE order_lines SET sku = 'cocoa' WHERE id = 11302",
    )
    .await;
    assert_eq!(shop.lines(1130).await, "milk 1, tea 1, cocoa 1");
}

#[tokio::test]
async fn a_product_that_the_new_backend_is_just_putting_in_is_waited_for() {
    let shop = Shop::shared(ROW).await;
    shop.born(1140, &[(11401, "tea", 1)]).await;
    let buyer = shop.new_backend().await;
    buyer
        .batch_execute("BEGIN; INSERT INTO cart_line VALUES (991, 1140, 'milk', 1)")
        .await
        .unwrap();
    let before = shop.end_of_log().await;
    shop.old_shop("INSERT INTO order_lines VALUES (11402, 1140, 'milk', 1)")
        .await;
    shop.blocked_by(&buyer).await;
    buyer.batch_execute("COMMIT").await.unwrap();
    shop.passed(1140, &before).await;
    assert_eq!(shop.state(1140).await, "merged");
    assert_eq!(shop.lines(1140).await, "milk 2, tea 1");
}

#[tokio::test]
async fn a_line_that_the_new_backend_changed_is_not_deleted() {
    let shop = Shop::shared(ROW).await;
    shop.born(1150, &[(11501, "tea", 1), (11502, "milk", 1)])
        .await;
    shop.new_shop("UPDATE cart_line SET quantity = 7 WHERE line_id = 11501")
        .await;
    shop.change(1150, "DELETE FROM order_lines WHERE id = 11501")
        .await;
    assert_eq!(shop.conflicts(1150).await, "merged");
    assert_eq!(shop.lines(1150).await, "tea 6, milk 1");
}

#[tokio::test]
async fn an_update_of_a_line_that_is_gone_is_a_counted_conflict() {
    let shop = Shop::shared(ROW).await;
    shop.born(1160, &[(11601, "tea", 1), (11602, "milk", 1)])
        .await;
    let conflicts = "SELECT sum(conflicts)::bigint FROM cartage.checkpoint";
    let before = shop.number(conflicts).await;
    shop.new_shop("DELETE FROM cart_line WHERE line_id = 11601")
        .await;
    shop.change(1160, "UPDATE order_lines SET qty = 3 WHERE order_id = 1160")
        .await;
    assert_eq!(shop.conflicts(1160).await, "merged");
    assert_eq!(shop.lines(1160).await, "tea 2, milk 3", "what came since");
    assert!(shop.number(conflicts).await > before);
}

const WITH_NOTES: Kind = Kind {
    name: "notes",
    old: "",
    new: "CREATE TABLE cart_note (note_id bigint PRIMARY KEY, cart_id bigint NOT NULL, note text)",
    config: &[
        (ROW_LOCK, r#"lock = "version""#),
        ("[[into]]\ntable = \"cart_line\"", NOTES),
    ],
};

const NOTES: &str = r#"[[into]]
table = "cart_note"
per = "orders"

  [into.columns]
  note_id = { key = "id" }
  cart_id = "id"
  note    = "email"

[[into]]
table = "cart_line""#;

#[tokio::test]
async fn rows_of_a_table_that_the_mapping_dropped_go_only_where_the_header_is_ours() {
    let shop = Shop::own(WITH_NOTES).await;
    for cart in [1, 2, 3] {
        shop.born(cart, &[(cart * 10, "tea", 1)]).await;
    }
    // Sold and known to be so, or sold since, a cart is not cartage's to write. Edited, it is both's.
    shop.new_shop("UPDATE cart SET completed_at = now() WHERE cart_id = 1")
        .await;
    shop.change(1, "UPDATE order_lines SET qty = 2 WHERE id = 10")
        .await;
    assert_eq!(shop.state(1).await, "handed_over");
    shop.born(4, &[(40, "tea", 1)]).await;
    shop.new_shop(
        "UPDATE cart SET completed_at = now() WHERE cart_id = 2;
         UPDATE cart SET customer_email = 'new@example.org', version = version + 1 WHERE cart_id = 3",
    )
    .await;
    shop.stopped(async || shop.reconfigure(NOTES, "[[into]]\ntable = \"cart_line\""))
        .await;
    shop.until(
        "the new mapping to have come to all carts",
        "SELECT count(*) = 1 AND bool_and(finished_at IS NOT NULL)
         FROM cartage.refresh_run WHERE kind = 'mapping'",
    )
    .await;
    let states = "SELECT string_agg(state, ', ' ORDER BY cart) FROM cartage.ledger";
    assert_eq!(
        shop.text(states).await,
        "handed_over, handed_over, merged, mirror"
    );
    let left = "SELECT string_agg(note_id::text, ', ' ORDER BY note_id) FROM cart_note";
    assert_eq!(shop.text(left).await, "1, 2");
}

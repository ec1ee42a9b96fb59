//! Rule 9: rows that move between carts, and headers that take all with them.

use cartage::cart::key::CartKey;
use cartage::lanes::item::lane_of;

use super::stall::Stall;
use crate::scenario::servers::rows;

/// The window over cart 11, which has just opened, waits for a transaction that no snapshot sees.
#[tokio::test]
async fn a_move_into_an_open_window_takes_the_other_cart_along() {
    let stall = Stall::open("move_into_window").await;
    let mut daemon = stall.follow().await;
    let unseen = stall
        .unseen("UPDATE orders SET note = 'let go' WHERE id = 12")
        .await;
    stall.wish(8).await;
    stall.until_logged(&daemon, "are not visible yet").await;
    stall
        .old_shop(
            "UPDATE lines SET order_id = 8 WHERE id = 72;
             UPDATE lines SET qty = 50 WHERE id = 71;
             UPDATE orders SET note = 'passed' WHERE id = 1",
        )
        .await;
    stall
        .until(&daemon, "SELECT note = 'passed' FROM cart WHERE id = 1")
        .await;
    unseen.seen().await;
    stall.assert_equal(&mut daemon).await;
    daemon.stop().await;
}

/// The lane of the cart that was moved to must not go on with what it remembers.
#[tokio::test]
async fn a_move_between_lanes_is_known_to_both() {
    let stall = Stall::changed("move_lanes", &[("lanes = 1", "lanes = 2")]).await;
    let lane = |cart: &str| lane_of(&CartKey::of([cart]), 2);
    let others = ["1", "2", "3", "4", "5", "6", "8", "9"];
    let other = others.iter().find(|cart| lane(cart) != lane("7")).unwrap();
    let mut daemon = stall.follow().await;
    // Both lanes have their carts in mind.
    stall
        .old_shop(&format!(
            "UPDATE orders SET note = 'known' WHERE id IN (7, {other})"
        ))
        .await;
    stall.settled(&mut daemon).await;
    stall
        .old_shop(&format!(
            "UPDATE lines SET order_id = {other} WHERE id = 72"
        ))
        .await;
    stall.settled(&mut daemon).await;
    stall
        .old_shop("UPDATE lines SET qty = 50 WHERE id = 72")
        .await;
    stall.assert_equal(&mut daemon).await;
    daemon.stop().await;
}

/// The new backend refuses writes of cart 7, which is then held; its line moves to cart 8.
#[tokio::test]
async fn a_move_out_of_a_held_cart_is_held_and_released_with_it() {
    let stall = Stall::open("move_held").await;
    let mut daemon = stall.follow().await;
    stall
        .new_shop("ALTER TABLE cart ADD CONSTRAINT refused CHECK (id <> 7) NOT VALID")
        .await;
    stall
        .old_shop("UPDATE orders SET email = 'ours' WHERE id = 7")
        .await;
    stall
        .until(&daemon, "SELECT count(*) = 1 FROM cartage.held")
        .await;
    stall
        .old_shop("UPDATE lines SET order_id = 8 WHERE id = 72")
        .await;
    stall
        .until(&daemon, "SELECT count(*) = 2 FROM cartage.held")
        .await;
    let units = stall
        .count("SELECT count(DISTINCT unit) FROM cartage.held")
        .await;
    assert_eq!(units, 1, "they are one unit");
    let there = stall
        .count("SELECT cart_id::bigint FROM cart_line WHERE id = 72")
        .await;
    assert_eq!(there, 7, "it has left a cart that is held");
    stall
        .new_shop("ALTER TABLE cart DROP CONSTRAINT refused")
        .await;
    stall
        .until(&daemon, "SELECT NOT EXISTS (SELECT FROM cartage.held)")
        .await;
    stall.assert_equal(&mut daemon).await;
    daemon.stop().await;
}

#[tokio::test]
async fn a_line_that_moves_leaves_its_former_cart() {
    let stall = Stall::open("move_plain").await;
    let mut daemon = stall.follow().await;
    stall
        .old_shop(
            "UPDATE lines SET order_id = 8 WHERE id = 71; UPDATE lines SET qty = 7 WHERE id = 72",
        )
        .await;
    stall.assert_equal(&mut daemon).await;
    daemon.stop().await;
}

/// Without a foreign key nothing in the log tells of the lines.
#[tokio::test]
async fn a_header_that_is_deleted_takes_lines_along_of_which_the_log_is_silent() {
    let no_key = (
        "order_id integer REFERENCES orders ON DELETE CASCADE",
        "order_id integer",
    );
    let stall = Stall::changed("silent_lines", &[no_key]).await;
    let mut daemon = stall.follow().await;
    stall
        .old_shop("DELETE FROM orders WHERE id = 7; DELETE FROM lines WHERE id = 71")
        .await;
    stall.assert_equal(&mut daemon).await;
    daemon.stop().await;
}

/// Lines deleted before their header, after it by the cascade, and not at all: one action for all.
#[tokio::test]
async fn the_order_of_a_carts_deletes_does_not_matter() {
    let stall = Stall::changed(
        "delete_order",
        &[
            (
                "note text);\nCREATE TABLE cart_line",
                "note text, gone_at timestamptz);\nCREATE TABLE cart_line",
            ),
            (
                "gift text\n);\nCREATE TABLE cart_option",
                "gift text, gone_at timestamptz\n);\nCREATE TABLE cart_option",
            ),
            (
                "role = \"header\"\n",
                "role = \"header\"\ndeleted = { set = { gone_at = \"commit_time()\" } }\n",
            ),
            (
                "role = \"line\"\n",
                "role = \"line\"\ndeleted = { set = { gone_at = \"commit_time()\" } }\n",
            ),
        ],
    )
    .await;
    let mut daemon = stall.follow().await;
    stall
        .old_shop(
            "BEGIN; DELETE FROM options WHERE line_id = 71; DELETE FROM lines WHERE order_id = 7;
             DELETE FROM orders WHERE id = 7; COMMIT;
             DELETE FROM orders WHERE id = 8;
             BEGIN; DELETE FROM lines WHERE id = 92; DELETE FROM orders WHERE id = 9; COMMIT",
        )
        .await;
    stall.settled(&mut daemon).await;
    let sql = "SELECT c.id, count(DISTINCT l.gone_at), bool_and(l.gone_at = c.gone_at), count(*)
               FROM cart c JOIN cart_line l ON cart_id = c.id WHERE c.gone_at IS NOT NULL GROUP BY c.id";
    let found = rows(&stall.shops.target, sql, "target").await;
    let wanted = ["7 | 1 | t | 2", "8 | 1 | t | 2", "9 | 1 | t | 2"];
    assert_eq!(found, wanted, "{}", daemon.log());
    daemon.stop().await;
}

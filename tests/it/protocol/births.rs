//! Rules 6 to 8: what the log tells of a cart is not always all of it.

use super::stall::Stall;

/// The lines may name any order, or one that comes later.
const NO_FOREIGN_KEY: (&str, &str) = (
    "order_id integer REFERENCES orders ON DELETE CASCADE",
    "order_id integer",
);

#[tokio::test]
async fn a_child_committed_before_its_header_is_not_lost() {
    let stall = Stall::changed("child_first", &[NO_FOREIGN_KEY]).await;
    let mut daemon = stall.follow().await;
    stall
        .old_shop("INSERT INTO lines VALUES (201, 20, 'early', 1); INSERT INTO orders VALUES (20, 'late')")
        .await;
    stall
        .until(
            &daemon,
            "SELECT EXISTS (SELECT FROM cart_line WHERE id = 201)",
        )
        .await;
    stall.assert_equal(&mut daemon).await;
    daemon.stop().await;
}

/// With a foreign key too: it is checked at the end of the statement, and this one writes the line
/// first.
#[tokio::test]
async fn a_child_logged_before_its_header_by_one_statement_is_not_lost() {
    let stall = Stall::open("child_first_in_statement").await;
    let mut daemon = stall.follow().await;
    stall
        .old_shop(
            "WITH header AS (INSERT INTO orders VALUES (20, 'with')) \
             INSERT INTO lines VALUES (201, 20, 'early', 1)",
        )
        .await;
    stall
        .until(
            &daemon,
            "SELECT EXISTS (SELECT FROM cart_line WHERE id = 201)",
        )
        .await;
    stall.assert_equal(&mut daemon).await;
    daemon.stop().await;
}

#[tokio::test]
async fn a_header_made_again_under_its_key_finds_the_lines_that_stayed() {
    let stall = Stall::changed("made_again", &[NO_FOREIGN_KEY]).await;
    let mut daemon = stall.follow().await;
    stall.old_shop("DELETE FROM orders WHERE id = 7").await;
    stall
        .until(
            &daemon,
            "SELECT NOT EXISTS (SELECT FROM cart_line WHERE cart_id = 7)",
        )
        .await;
    stall
        .old_shop("INSERT INTO orders VALUES (7, 'again')")
        .await;
    stall
        .until(
            &daemon,
            "SELECT count(*) = 2 FROM cart_line WHERE cart_id = 7",
        )
        .await;
    stall.assert_equal(&mut daemon).await;
    daemon.stop().await;
}

/// As REPLACE INTO does it, and with the foreign key's cascade in between.
#[tokio::test]
async fn a_header_replaced_in_one_transaction_is_the_new_one() {
    for (name, changes) in [
        ("replaced_cascade", [].as_slice()),
        ("replaced", [NO_FOREIGN_KEY].as_slice()),
    ] {
        let stall = Stall::changed(name, changes).await;
        let mut daemon = stall.follow().await;
        stall
            .old_shop(
                "BEGIN; DELETE FROM orders WHERE id = 7; INSERT INTO orders VALUES (7, 'replaced');
                 INSERT INTO lines VALUES (701, 7, 'new', 1); COMMIT;
                 BEGIN; DELETE FROM lines WHERE id = 81; DELETE FROM orders WHERE id = 8;
                 INSERT INTO orders VALUES (8, 'closed', 'x', 'bought'); COMMIT",
            )
            .await;
        stall.assert_equal(&mut daemon).await;
        let lines = stall
            .count("SELECT count(*) FROM cart_line WHERE cart_id = 8")
            .await;
        assert_eq!(lines, 0);
        daemon.stop().await;
    }
}

#[tokio::test]
async fn a_cart_that_becomes_live_is_read_whole() {
    let stall = Stall::open("becomes_live").await;
    let mut daemon = stall.follow().await;
    stall
        .old_shop("UPDATE orders SET status = 'open' WHERE id = 11")
        .await;
    stall.assert_equal(&mut daemon).await;
    let lines = stall
        .count("SELECT count(*) FROM cart_line WHERE cart_id = 11")
        .await;
    assert_eq!(lines, 2);
    daemon.stop().await;
}

/// Cart 11 is not live, so nothing is known of its line's option.
#[tokio::test]
async fn a_line_from_a_cart_that_is_not_live_brings_its_options() {
    let stall = Stall::open("arrival").await;
    let mut daemon = stall.follow().await;
    stall
        .old_shop(
            "UPDATE lines SET order_id = 7 WHERE id = 111;
             UPDATE lines SET order_id = 7 WHERE id = 112",
        )
        .await;
    stall.assert_equal(&mut daemon).await;
    let option = stall
        .count("SELECT count(*) FROM cart_option WHERE id = 1111")
        .await;
    assert_eq!(option, 1);
    daemon.stop().await;
}

#[tokio::test]
async fn a_line_that_belonged_to_nobody_brings_its_options() {
    let stall = Stall::open("nobody").await;
    let mut daemon = stall.follow().await;
    stall
        .old_shop(
            "INSERT INTO lines VALUES (999, NULL, 'loose', 1);
             INSERT INTO options VALUES (9991, 999, 'loose');
             UPDATE orders SET note = 'passed' WHERE id = 1",
        )
        .await;
    stall
        .until(&daemon, "SELECT note = 'passed' FROM cart WHERE id = 1")
        .await;
    stall
        .old_shop("UPDATE lines SET order_id = 7 WHERE id = 999")
        .await;
    stall.assert_equal(&mut daemon).await;
    let option = stall
        .count("SELECT count(*) FROM cart_option WHERE id = 9991")
        .await;
    assert_eq!(option, 1);
    daemon.stop().await;
}

/// Yesterday the option was deleted from cart 7; today its line is in cart 8, and that is what the
/// source answers. A daemon that has just started knows no owners.
#[tokio::test]
async fn an_answer_about_today_does_not_route_yesterday() {
    let stall = Stall::open("yesterday").await;
    stall.follow().await.stop().await;
    stall
        .old_shop(
            "DELETE FROM options WHERE id = 711;
             UPDATE lines SET order_id = 8 WHERE id = 71;
             UPDATE options SET label = 'changed' WHERE id = 611;
             UPDATE lines SET order_id = 11 WHERE id = 61;
             UPDATE options SET label = 'again' WHERE id = 611;
             UPDATE lines SET order_id = 6 WHERE id = 61",
        )
        .await;
    let mut daemon = stall.follow().await;
    stall.assert_equal(&mut daemon).await;
    let option = stall
        .count("SELECT count(*) FROM cart_option WHERE id = 711")
        .await;
    assert_eq!(option, 0, "the option that was deleted is back");
    daemon.stop().await;
}

//! Rules 10 and 11, hazard 16: what the log does not carry is not NULL, and what was removed is
//! remembered as far as it must be.

use super::stall::Stall;

/// A large value that is stored beside its row, and so not logged unless it changes.
const LARGE: &str = "(SELECT string_agg(md5(n::text), '') FROM generate_series(1, 400) n)";

#[tokio::test]
async fn a_large_value_that_did_not_change_stays() {
    let stall = Stall::changed(
        "toast",
        &[(
            "CREATE INDEX ON lines",
            "ALTER TABLE orders ALTER note SET STORAGE EXTERNAL;\nCREATE INDEX ON lines",
        )],
    )
    .await;
    stall
        .old_shop(&format!(
            "UPDATE orders SET note = {LARGE} WHERE id IN (7, 11)"
        ))
        .await;
    let mut daemon = stall.follow().await;
    // Known from the image; then of a cart of which nothing is known.
    stall
        .old_shop(
            "UPDATE orders SET email = 'changed' WHERE id = 7;
             UPDATE orders SET status = 'open' WHERE id = 11",
        )
        .await;
    stall.assert_equal(&mut daemon).await;
    let kept = stall
        .count("SELECT sum(length(note))::bigint FROM cart WHERE id IN (7, 11)")
        .await;
    assert_eq!(kept, 2 * 12_800);
    daemon.stop().await;
}

/// The log holds the key of the row before, and writes NULL for the rest of it. The large value did
/// not change, and nothing is known of the cart that the line comes from.
#[tokio::test]
async fn a_null_in_the_tuple_of_an_old_key_is_no_value() {
    let stall = Stall::changed(
        "old_key",
        &[
            (
                "id integer PRIMARY KEY, order_id integer REFERENCES orders ON DELETE CASCADE,\n    \
                 sku text NOT NULL, qty integer NOT NULL, gift text",
                "id integer, order_id integer REFERENCES orders ON DELETE CASCADE,\n    \
                 sku text NOT NULL, qty integer NOT NULL, gift text, PRIMARY KEY (order_id, id)",
            ),
            ("line_id integer NOT NULL REFERENCES lines ON DELETE CASCADE", "line_id integer NOT NULL"),
            ("ALTER TABLE lines REPLICA IDENTITY FULL;", "ALTER TABLE lines ALTER gift SET STORAGE EXTERNAL;"),
            ("lines = { cart = \"order_id\", key = \"id\" }", "lines = { cart = \"order_id\", key = [\"order_id\", \"id\"] }"),
            ("options = { parent = \"lines\", by = \"line_id\", key = \"id\" }", ""),
            (super::wares::OPTIONS, ""),
        ],
    )
    .await;
    stall
        .old_shop(&format!("UPDATE lines SET gift = {LARGE} WHERE id = 112"))
        .await;
    let mut daemon = stall.follow().await;
    stall
        .old_shop("UPDATE lines SET order_id = 7 WHERE id = 112")
        .await;
    stall.assert_lines(&mut daemon).await;
    let kept = stall
        .count("SELECT length(gift)::bigint FROM cart_line WHERE id = 112")
        .await;
    assert_eq!(kept, 12_800);
    daemon.stop().await;
}

/// Removed lines stay in the new shop, marked.
async fn marking(name: &str, more: &[(&str, &str)]) -> Stall {
    let mut changes = vec![
        (
            "gift text\n);\nCREATE TABLE cart_option",
            "gift text, gone boolean\n);\nCREATE TABLE cart_option",
        ),
        (
            "role = \"line\"\nended = \"delete\"\n",
            "role = \"line\"\nended = \"keep\"\ndeleted = { set = { gone = \"true\" } }\n",
        ),
        (
            "role = \"header\"\nlock = \"row\"\nended = \"delete\"\n",
            "role = \"header\"\nlock = \"row\"\nended = \"keep\"\ndeleted = \"keep\"\n",
        ),
    ];
    changes.extend(more);
    Stall::changed(name, &changes).await
}

#[tokio::test]
async fn a_removed_line_that_returns_takes_its_row_over() {
    let stall = marking("returns", &[]).await;
    let mut daemon = stall.follow().await;
    stall.old_shop("DELETE FROM lines WHERE id = 72").await;
    stall
        .until(&daemon, "SELECT gone FROM cart_line WHERE id = 72")
        .await;
    stall
        .old_shop("INSERT INTO lines VALUES (72, 7, 'back', 3)")
        .await;
    stall.assert_equal(&mut daemon).await;
    let back = "SELECT count(*) FROM cart_line WHERE id = 72 AND gone IS NULL AND sku = 'back'";
    assert_eq!(stall.count(back).await, 1);
    daemon.stop().await;
}

#[tokio::test]
async fn an_ended_cart_that_was_kept_comes_back_as_the_difference() {
    let stall = marking("ended_kept", &[]).await;
    let mut daemon = stall.follow().await;
    stall
        .old_shop("UPDATE orders SET status = 'bought' WHERE id = 7")
        .await;
    stall
        .until(
            &daemon,
            "SELECT state = 'ended' FROM cartage.ledger WHERE cart = '7'",
        )
        .await;
    assert_eq!(
        stall
            .count("SELECT count(*) FROM cart_line WHERE cart_id = 7")
            .await,
        2
    );
    stall
        .old_shop("DELETE FROM lines WHERE id = 72; UPDATE orders SET status = 'open', email = 'back' WHERE id = 7")
        .await;
    stall.settled(&mut daemon).await;
    let back = "SELECT count(*) FROM cart WHERE id = 7 AND email = 'back'";
    assert_eq!(stall.count(back).await, 1, "{}", daemon.log());
    assert_eq!(
        stall.count("SELECT count(*) FROM cartage.held").await,
        0,
        "{}",
        daemon.log()
    );
    daemon.stop().await;
}

/// Of a cart's removed lines only some are remembered; the rows of the others are left alone.
#[tokio::test]
async fn what_is_remembered_of_removed_lines_is_bounded() {
    let stall = marking("ghosts", &[]).await;
    let mut daemon = stall.follow_with(&[("CARTAGE_BOUND", "ghosts=3")]).await;
    stall
        .old_shop("INSERT INTO lines SELECT 7000 + n, 7, repeat('x', 500), n FROM generate_series(1, 20) n")
        .await;
    stall.settled(&mut daemon).await;
    for n in 1..=20 {
        stall
            .old_shop(&format!("DELETE FROM lines WHERE id = 7000 + {n}"))
            .await;
    }
    stall.settled(&mut daemon).await;
    // They are forgotten when the cart changes next, though the daemon has it in mind all the time.
    stall
        .old_shop("UPDATE orders SET email = 'x' WHERE id = 7")
        .await;
    stall.settled(&mut daemon).await;
    let marked = stall
        .count("SELECT count(*) FROM cart_line WHERE gone")
        .await;
    assert_eq!(marked, 20, "{}", daemon.log());
    let size = "SELECT octet_length(image)::bigint FROM cartage.ledger WHERE cart = '7'";
    let size = stall.count(size).await;
    assert!(size < 4 * 600, "{size} bytes for three ghosts of 500");
    // A start reads the same from the ledger.
    daemon.kill();
    stall
        .old_shop("UPDATE orders SET email = 'y' WHERE id = 7")
        .await;
    stall.settled(&mut daemon).await;
    let marked = stall
        .count("SELECT count(*) FROM cart_line WHERE gone")
        .await;
    assert_eq!(marked, 20, "{}", daemon.log());
    daemon.stop().await;
}

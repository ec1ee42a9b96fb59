//! What is counted, and what is not worth a write: lines of one product stay apart, rows that are
//! saved again stay as they are, and each effect happens once.

use super::kinds::{COUNTER, Kind, ROW, ROW_LOCK};
use super::shop::Shop;

#[tokio::test]
async fn two_lines_of_one_product_in_the_source_stay_two_lines() {
    let shop = Shop::shared(ROW).await;
    shop.born(8100, &[(81001, "tea", 1), (81002, "tea", 2)])
        .await;
    shop.change(
        8100,
        "INSERT INTO order_lines VALUES (81003, 8100, 'tea', 3)",
    )
    .await;
    assert_eq!(shop.state(8100).await, "mirror");
    assert_eq!(shop.lines(8100).await, "tea 1, tea 2, tea 3");
    // One that moves in is one of ours as well, and so is what stands there already.
    shop.born(8101, &[(81011, "tea", 4), (81012, "milk", 1)])
        .await;
    shop.change(
        8101,
        "UPDATE order_lines SET order_id = 8100 WHERE id = 81011",
    )
    .await;
    shop.change(
        8100,
        "INSERT INTO order_lines VALUES (81004, 8100, 'tea', 5)",
    )
    .await;
    assert_eq!(shop.lines(8100).await, "tea 1, tea 2, tea 3, tea 5, tea 4");
    assert_eq!(shop.lines(8101).await, "milk 1");
}

#[tokio::test]
async fn rows_that_are_saved_again_cause_no_write_at_all() {
    let shop = Shop::own(ROW).await;
    shop.old_shop(
        "ALTER TABLE orders REPLICA IDENTITY FULL;
         BEGIN; INSERT INTO orders SELECT n, 'c' || n FROM generate_series(1, 200) n;
         INSERT INTO order_lines SELECT n * 10, n, 'tea', 1 FROM generate_series(1, 200) n; COMMIT",
    )
    .await;
    shop.settled().await;
    // Each row's version, in the new backend's tables and in the ledger.
    let versions =
        |tables: &str| format!("SELECT md5(string_agg(v, ',' ORDER BY v)) FROM ({tables}) AS r");
    let shop_rows = "SELECT 'cart ' || cart_id || ' ' || xmin || ctid AS v FROM cart
        UNION ALL SELECT 'line ' || line_id || ' ' || xmin || ctid FROM cart_line";
    let all =
        format!("{shop_rows} UNION ALL SELECT cart || ' ' || xmin || ctid FROM cartage.ledger");
    let (shop_rows, all) = (versions(shop_rows), versions(&all));
    let counts = "SELECT sum(patches) || ' ' || sum(rows_applied) FROM cartage.checkpoint";
    let before = shop.text(&all).await;
    let before_rows = shop.text(&shop_rows).await;
    assert_eq!(shop.text(counts).await, "200 400");
    for sql in [
        "UPDATE orders SET hits = hits + 1",
        "UPDATE orders SET email = email, changed = now()",
        "UPDATE order_lines SET qty = qty",
    ] {
        shop.old_shop(sql).await;
    }
    shop.settled().await;
    assert_eq!(shop.text(&all).await, before);
    // A change and its opposite are two changes to the ledger, and none to the new backend.
    shop.old_shop(
        "BEGIN; UPDATE order_lines SET qty = qty + 1; UPDATE order_lines SET qty = qty - 1; COMMIT",
    )
    .await;
    shop.settled().await;
    assert_eq!(shop.text(&shop_rows).await, before_rows);
    assert_eq!(shop.text(counts).await, "200 400");
}

/// Each committed patch moves the counter of its cart by one, and nothing else of cartage's does.
#[tokio::test]
async fn counters_agree_with_the_ledger_through_conflicts_holds_and_retries() {
    let shop = Shop::own(LIMITED).await;
    for cart in 1..=6 {
        shop.born(cart, &[(cart * 10, "tea", 1)]).await;
    }
    // What the new backend adds to a version itself.
    shop.new_shop(
        "CREATE TABLE theirs (cart_id bigint PRIMARY KEY, times integer NOT NULL);
         INSERT INTO theirs SELECT n, 0 FROM generate_series(1, 6) n",
    )
    .await;
    let touch = async |cart: i64, sets: &str| {
        shop.new_shop(&format!(
            "UPDATE cart SET version = version + 1{sets} WHERE cart_id = {cart};
             UPDATE theirs SET times = times + 1 WHERE cart_id = {cart}"
        ))
        .await;
    };
    // 1: a conflict, merged. 2: a false alarm. 3: a row that does not fit.
    touch(1, ", customer_email = 'new'").await;
    shop.change(1, "UPDATE order_lines SET qty = 2 WHERE id = 10")
        .await;
    assert_eq!(shop.state(1).await, "merged");
    touch(2, "").await;
    shop.change(2, "UPDATE order_lines SET qty = 2 WHERE id = 20")
        .await;
    shop.change(3, "UPDATE order_lines SET qty = 5000 WHERE id = 30")
        .await;
    assert_eq!(shop.state(3).await, "held");
    // 4 and 5: a move, while a neighbour of the batch does not fit; 6: an end over an edit.
    touch(6, ", customer_email = 'new'").await;
    let before = shop.end_of_log().await;
    shop.old_shop(
        "BEGIN; UPDATE order_lines SET order_id = 5 WHERE id = 40;
         UPDATE order_lines SET qty = 6000 WHERE id = 30;
         UPDATE orders SET status = 'bought' WHERE id = 6; COMMIT",
    )
    .await;
    shop.passed(5, &before).await;
    shop.passed(6, &before).await;
    for kill in 0..2 {
        shop.kill();
        for cart in 1..=5 {
            let sql = format!("UPDATE orders SET email = 'round {kill}' WHERE id = {cart}");
            shop.change(cart, &sql).await;
        }
    }
    touch(1, ", customer_email = 'c1@example.org'").await;
    shop.change(3, "UPDATE order_lines SET qty = 9 WHERE id = 30")
        .await;
    shop.command(&["held", "retry", "--all"]);
    shop.released(1).await;
    shop.released(3).await;
    shop.settled().await;
    let counts = "
        SELECT string_agg(c.cart_id || ': ' || (c.version - t.times) || ' ' || l.patches, ', ' ORDER BY c.cart_id)
        FROM cart c JOIN theirs t USING (cart_id)
        JOIN cartage.ledger l ON l.cart = c.cart_id::text";
    let equal = "
        SELECT bool_and(c.version - t.times = l.patches) AND count(*) = 6
        FROM cart c JOIN theirs t USING (cart_id) JOIN cartage.ledger l ON l.cart = c.cart_id::text";
    let found = shop.text(counts).await;
    assert!(shop.is(equal).await, "version and patches: {found}");
    // 1: born, merged, two rounds. 2: born, changed, two rounds. 6: born, ended.
    assert!(found.starts_with("1: 4 4, 2: 4 4, "), "{found}");
    assert!(found.ends_with("6: 2 2"), "{found}");
}

const LIMITED: Kind = Kind {
    name: "limited",
    ..COUNTER
};

const ONE_BY_ONE: Kind = Kind {
    name: "one_by_one",
    config: &[
        (ROW_LOCK, r#"lock = "version""#),
        ("lanes = 2", "lanes = 1\nbatch_rows = 1"),
    ],
    ..COUNTER
};

#[tokio::test]
async fn each_change_is_one_effect_where_nothing_is_folded() {
    let shop = Shop::own(ONE_BY_ONE).await;
    shop.born(1, &[(11, "tea", 1)]).await;
    let mut before = String::new();
    for change in 1..=60 {
        if change % 20 == 0 {
            shop.kill();
        }
        before = shop.end_of_log().await;
        shop.old_shop(match change % 3 {
            0 => "UPDATE orders SET email = email || 'x' WHERE id = 1",
            1 => "UPDATE order_lines SET qty = qty + 1 WHERE id = 11",
            _ => {
                "BEGIN; UPDATE orders SET email = email || 'y' WHERE id = 1;
                  UPDATE order_lines SET qty = qty + 1 WHERE id = 11; COMMIT"
            }
        })
        .await;
    }
    shop.passed(1, &before).await;
    let counts = "SELECT version || ' ' || patches FROM cart JOIN cartage.ledger ON cart = '1'";
    assert_eq!(shop.text(counts).await, "61 61");
}

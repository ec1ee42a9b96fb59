//! `cartage held resolve`: one side's rows by the word of a human.

use super::Stand;
use super::records::on_both;

/// Both shops have made cart 500 apart from each other, with tea in both and milk in the new one.
async fn made_twice(stand: &mut Stand) {
    let theirs = "INSERT INTO cart (cart_id, customer_email, currency_code, version)
                  VALUES (500, 'new', 'usd', 1);
                  INSERT INTO cart_line VALUES (90001, 500, 'tea', 5, 1.50);
                  INSERT INTO cart_line VALUES (90002, 500, 'milk', 1, 1.50)";
    stand.new_shop(500, theirs).await;
    let ours = "INSERT INTO orders (id, email, currency) VALUES (500, 'old', 'EUR');
                INSERT INTO order_lines VALUES (5001, 500, 'tea', 2, 2.50);
                INSERT INTO order_lines VALUES (5002, 500, 'rice', 3, 2.50)";
    stand.old_shop(&format!("BEGIN; {ours}; COMMIT")).await;
    assert_eq!(stand.state(500).await, "held");
    let status = stand.json(0, &["status", "--json"]);
    assert_eq!(status["holds"]["conflict"], 1, "{status}");
    assert_eq!(status["holds"]["constraint"], 0);
    let text = stand.prints(0, &["status"]);
    assert!(text.contains("held       1 conflict"), "{text}");
}

async fn kinds(stand: &Stand) -> Vec<String> {
    let shown = stand.json(0, &["conflicts", "show", "500", "--json"]);
    let conflicts = shown["conflicts"].as_array().unwrap().iter();
    conflicts
        .map(|c| c["kind"].as_str().unwrap().to_owned())
        .collect()
}

async fn the_sources_rows_are_taken(pair: &str) {
    let mut stand = Stand::open(pair, &format!("conflicts_source_{pair}"), "").await;
    made_twice(&mut stand).await;
    let done = [
        "held", "resolve", "500", "--take", "source", "--wait", "--json",
    ];
    let done = stand.json(0, &done);
    assert_eq!(
        (&done["carts"][0], &done["done"]),
        (&"500".into(), &true.into())
    );
    assert_eq!(stand.email(500).await, "old");
    assert_eq!(stand.lines(500).await, ["milk 1", "rice 3", "tea 2"]);
    assert_eq!(kinds(&stand).await, ["taken", "held"]);
    let shown = stand.json(0, &["conflicts", "show", "500", "--json"]);
    let taken = &shown["conflicts"][0];
    assert!(
        taken["theirs"].to_string().contains("90002")
            || taken["theirs"].to_string().contains("90001")
    );
    assert!(
        taken["decisions"].to_string().contains("taken: source"),
        "{taken}"
    );
    assert_eq!(stand.json(0, &["status", "--json"])["carts"]["held"], 0);
    // It goes on as any other cart.
    stand
        .old_shop("UPDATE order_lines SET qty = 4 WHERE id = 5001")
        .await;
    assert_eq!(stand.lines(500).await, ["milk 1", "rice 3", "tea 4"]);
    let log = stand.prints(1, &["held", "resolve", "500", "--take", "source"]);
    assert!(log.contains("not held: 500"), "{log}");
}

async fn what_is_found_is_taken_by_the_next_daemon(pair: &str) {
    let mut stand = Stand::open(pair, &format!("conflicts_target_{pair}"), "").await;
    made_twice(&mut stand).await;
    stand.stop().await;
    let resolve = ["held", "resolve", "500", "--take", "target", "--json"];
    // A lane that commits seconds before its end passes for a daemon for a while.
    stand.json(0, &resolve);
    assert_eq!(stand.state(500).await, "held", "nobody is there to do it");
    let version = "SELECT version FROM cart WHERE cart_id = 500";
    let before = stand.number(version).await;
    stand.start(&[]);
    stand.until_none("SELECT count(*) FROM cartage.held").await;
    assert_eq!(stand.email(500).await, "new");
    assert_eq!(stand.lines(500).await, ["milk 1", "tea 5"]);
    assert_eq!(stand.number(version).await, before, "nothing is written");
    assert_eq!(stand.state(500).await, "merged");
    assert_eq!(kinds(&stand).await, ["taken", "held"]);
    // What comes later is put into it, once.
    stand
        .old_shop("UPDATE order_lines SET qty = qty + 1 WHERE order_id = 500")
        .await;
    assert_eq!(stand.lines(500).await, ["milk 1", "rice 1", "tea 6"]);
    assert_eq!(stand.email(500).await, "new");
}

async fn kills_neither_lose_nor_repeat_what_is_taken(pair: &str) {
    let mut stand = Stand::open(pair, &format!("conflicts_kills_{pair}"), "").await;
    made_twice(&mut stand).await;
    stand.stop().await;
    stand.json(0, &["held", "resolve", "500", "--take", "source", "--json"]);
    stand.start(&[("CARTAGE_KILL", "lane.take-read@1")]);
    stand.killed().await;
    assert_eq!(stand.state(500).await, "held", "nothing is written");
    assert_eq!(stand.email(500).await, "new");
    let version = "SELECT version FROM cart WHERE cart_id = 500";
    let before = stand.number(version).await;
    stand.start(&[("CARTAGE_KILL", "lane.taken@1")]);
    stand.killed().await;
    let taken = ["milk 1", "rice 3", "tea 2"];
    assert_eq!(stand.email(500).await, "old", "it was committed");
    assert_eq!(stand.lines(500).await, taken);
    stand.start(&[]);
    stand
        .old_shop("UPDATE orders SET email = 'other' WHERE id = 1")
        .await;
    assert_eq!(stand.lines(500).await, taken);
    assert_eq!(stand.number(version).await, before + 1, "once");
    assert_eq!(kinds(&stand).await, ["taken", "held"]);
}

/// A line moves from the held cart to another one: both are held, and both are resolved.
async fn carts_that_are_held_together_are_resolved_together(pair: &str) {
    let mut stand = Stand::open(pair, &format!("conflicts_unit_{pair}"), "").await;
    made_twice(&mut stand).await;
    let moves = "BEGIN; UPDATE order_lines SET order_id = 7 WHERE id = 5002;
                 UPDATE orders SET email = 'richer' WHERE id = 7; COMMIT";
    stand.old_shop(moves).await;
    assert_eq!(stand.state(7).await, "held");
    stand
        .new_shop(7, "UPDATE cart_line SET quantity = 9 WHERE line_id = 71")
        .await;
    let done = [
        "held", "resolve", "7", "--take", "source", "--wait", "--json",
    ];
    let done = stand.json(0, &done);
    let mut carts: Vec<&str> = done["carts"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|c| c.as_str())
        .collect();
    carts.sort_unstable();
    assert_eq!(carts, ["500", "7"]);
    assert_eq!(stand.lines(500).await, ["milk 1", "tea 2"]);
    assert_eq!(
        stand.lines(7).await,
        ["rice 3", "sku-1 1", "sku-2 2", "sku-3 3"]
    );
    let emails = (stand.email(500).await, stand.email(7).await);
    assert_eq!(emails, ("old".to_owned(), "richer".to_owned()));
    let held = "SELECT count(*) FROM cartage.held";
    assert_eq!(stand.number(held).await, 0);
    // Each goes its own way again.
    let more = "UPDATE order_lines SET qty = qty + 1 WHERE id IN (5001, 5002)";
    stand.old_shop(more).await;
    assert_eq!(stand.lines(500).await, ["milk 1", "tea 3"]);
    assert_eq!(
        stand.lines(7).await,
        ["rice 4", "sku-1 1", "sku-2 2", "sku-3 3"]
    );
}

async fn a_side_that_does_not_fit_is_said_to(pair: &str) {
    let mut stand = Stand::open(pair, &format!("conflicts_fit_{pair}"), "").await;
    let few = "ALTER TABLE cart_line ADD CONSTRAINT few CHECK (cart_id <> 7 OR quantity < 60)";
    stand.control(few).await;
    stand
        .old_shop("UPDATE order_lines SET qty = 61 WHERE id = 71")
        .await;
    assert_eq!(stand.state(7).await, "held");
    let log = stand.prints(1, &["held", "resolve", "7", "--take", "source", "--wait"]);
    assert!(log.contains("cart 7 is still held"), "{log}");
    let noted = "SELECT count(*) FROM cartage.held WHERE take IS NOT NULL";
    assert_eq!(stand.number(noted).await, 0, "it is not tried so again");
    let text = stand.prints(0, &["held", "resolve", "7", "--take", "target", "--wait"]);
    assert!(text.contains("7: done; what is found"), "{text}");
    assert_eq!(stand.lines(7).await, ["sku-1 1", "sku-2 2", "sku-3 3"]);
    stand
        .old_shop("UPDATE order_lines SET qty = 62 WHERE id = 71")
        .await;
    assert_eq!(stand.lines(7).await, ["sku-1 2", "sku-2 2", "sku-3 3"]);
}

on_both! {
    the_sources_rows_are_taken
    what_is_found_is_taken_by_the_next_daemon
    kills_neither_lose_nor_repeat_what_is_taken
    carts_that_are_held_together_are_resolved_together
    a_side_that_does_not_fit_is_said_to
}

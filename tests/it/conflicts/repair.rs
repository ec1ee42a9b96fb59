//! `cartage verify --repair` and `cartage repair`: what somebody changed behind cartage's back is brought
//! back, what the new backend wrote is not, and either can be undone.

use std::time::Instant;

use rustix::process::Signal;
use serde_json::{Value, json};

use super::records::on_both;
use super::{PATIENCE, Stand};

/// Nobody who keeps to the lock does this: no version moves.
async fn behind_its_back(stand: &Stand, sql: &str) {
    for statement in sql.split(';').filter(|part| !part.trim().is_empty()) {
        stand.control(statement).await;
    }
}

async fn version(stand: &Stand, cart: i64) -> i64 {
    let sql = format!("SELECT version FROM cart WHERE cart_id = {cart}");
    stand.number(&sql).await
}

/// Cart 1 has another quantity, cart 2 a line less, cart 3 a line under another key, cart 4 another
/// email, cart 5 is gone.
async fn drift(stand: &Stand) {
    let sql = "UPDATE cart_line SET quantity = 99 WHERE line_id = 11;
               DELETE FROM cart_line WHERE line_id = 21;
               DELETE FROM cart_line WHERE line_id = 31;
               INSERT INTO cart_line VALUES (900031, 3, 'sku-1', 4, 2.25);
               UPDATE cart SET customer_email = 'drifted' WHERE cart_id = 4;
               DELETE FROM cart_line WHERE cart_id = 5;
               DELETE FROM cart WHERE cart_id = 5";
    behind_its_back(stand, sql).await;
}

/// The new backend writes cart 6, whatever a verification thinks of that, and a repair is asked for.
async fn written_and_asked(stand: &Stand, take_source: bool) {
    let theirs = "UPDATE cart_line SET quantity = 7 WHERE line_id = 61";
    stand.new_shop(6, theirs).await;
    asked(stand, 6, take_source).await;
    stand.until_none(OPEN).await;
}

const AS_SOLD: [&str; 3] = ["sku-1 1", "sku-2 2", "sku-3 3"];

async fn drift_is_brought_back_and_nothing_else(pair: &str) {
    let mut stand = Stand::open(pair, &format!("repair_drift_{pair}"), "").await;
    drift(&stand).await;
    let dry = stand.json(3, &["verify", "--repair", "--json"]);
    assert_eq!(dry["repair"]["done"], false, "{dry}");
    assert_eq!(dry["repair"]["carts"]["asked"], 5, "{dry}");
    assert_eq!(stand.email(4).await, "drifted", "a dry run writes nothing");
    let done = stand.json(0, &["verify", "--repair", "--yes", "--json"]);
    let counts = &done["repair"]["carts"];
    assert_eq!(
        (&counts["repaired"], &counts["merged"], &counts["refused"]),
        (&json!(5), &json!(0), &json!(0)),
        "{done}"
    );
    assert_eq!(done["after"]["different"], 0, "{done}");
    for cart in 1..=5 {
        assert_eq!(stand.lines(cart).await, AS_SOLD, "cart {cart}");
        assert_eq!(stand.email(cart).await, format!("c{cart}@example.org"));
        assert_eq!(stand.state(cart).await, "mirror", "cart {cart}");
    }
    for cart in [1, 2, 3, 4] {
        assert_eq!(version(&stand, cart).await, 2, "cart {cart}");
    }
    assert_eq!(version(&stand, 5).await, 1, "it began anew");
    written_and_asked(&stand, false).await;
    assert_eq!(stand.lines(6).await, ["sku-1 7", "sku-2 2", "sku-3 3"]);
    assert_eq!(
        (version(&stand, 6).await, stand.state(6).await.as_str()),
        (2, "merged")
    );
    // It goes on as ever: a change of the source is one change.
    let more = "UPDATE order_lines SET qty = qty + 1 WHERE id IN (11, 51, 61)";
    stand.old_shop(more).await;
    assert_eq!(stand.lines(1).await, ["sku-1 2", "sku-2 2", "sku-3 3"]);
    assert_eq!(stand.lines(5).await, ["sku-1 2", "sku-2 2", "sku-3 3"]);
    assert_eq!(stand.lines(6).await, ["sku-1 8", "sku-2 2", "sku-3 3"]);
    assert_eq!(version(&stand, 1).await, 3);
    let well = stand.json(0, &["verify", "--json"]);
    assert_eq!(
        (&well["different"], &well["missing"]),
        (&json!(0), &json!(0))
    );
    let text = stand.prints(0, &["repair", "list"]);
    assert!(
        text.contains("5 repaired") && text.contains("1 merged"),
        "{text}"
    );
    let text = stand.prints(0, &["repair", "show", "1", "3"]);
    assert!(
        text.contains("repaired: ") && text.contains("900031"),
        "{text}"
    );
}

/// By the word of a human, the new backend's quantity goes too.
async fn the_sources_rows_are_written_over_by_force(pair: &str) {
    let stand = Stand::open(pair, &format!("repair_force_{pair}"), "").await;
    written_and_asked(&stand, true).await;
    assert_eq!(
        stand.text("SELECT state FROM cartage.repair_cart").await,
        "repaired"
    );
    assert_eq!(stand.lines(6).await, AS_SOLD);
    assert_eq!(
        (version(&stand, 6).await, stand.state(6).await.as_str()),
        (3, "mirror")
    );
}

/// The version of the cart tells of the new backend's writes to its lines. It must not be forgotten
/// when the old shop changes something else of the cart.
async fn what_it_wrote_is_no_drift_once_the_old_shop_has_written_elsewhere(pair: &str) {
    let mut stand = Stand::open(pair, &format!("repair_elsewhere_{pair}"), "").await;
    let theirs = "UPDATE cart_line SET quantity = 7 WHERE line_id = 61";
    stand.new_shop(6, theirs).await;
    stand
        .new_shop(7, "DELETE FROM cart_line WHERE line_id = 71")
        .await;
    let ours = "UPDATE order_lines SET qty = qty + 1 WHERE id IN (62, 72)";
    stand.old_shop(ours).await;
    let email = "UPDATE orders SET email = 'ours' WHERE id = 8";
    stand
        .new_shop(8, "UPDATE cart_line SET quantity = 9 WHERE line_id = 81")
        .await;
    stand.old_shop(email).await;
    for round in 0..2 {
        assert_eq!(
            stand.lines(6).await,
            ["sku-1 7", "sku-2 3", "sku-3 3"],
            "{round}"
        );
        assert_eq!(stand.lines(7).await, ["sku-2 3", "sku-3 3"], "{round}");
        assert_eq!(
            stand.lines(8).await,
            ["sku-1 9", "sku-2 2", "sku-3 3"],
            "{round}"
        );
        assert_eq!(stand.email(8).await, "ours");
        for cart in 6..=8 {
            assert_eq!(stand.state(cart).await, "merged", "cart {cart}");
        }
        stand.json(0, &["verify", "--repair", "--yes", "--json"]);
    }
}

async fn a_repair_is_undone_and_merges_from_then_on(pair: &str) {
    let mut stand = Stand::open(pair, &format!("repair_undo_{pair}"), "").await;
    drift(&stand).await;
    stand.json(0, &["verify", "--repair", "--yes", "--json"]);
    let theirs = "UPDATE cart SET customer_email = 'later' WHERE cart_id = 4";
    stand.new_shop(4, theirs).await;
    let dry = stand.json(3, &["repair", "undo", "1", "--json"]);
    assert_eq!(
        (&dry["done"], &dry["refused"]),
        (&json!(false), &json!(1)),
        "{dry}"
    );
    assert_eq!(stand.lines(1).await, AS_SOLD, "a dry run writes nothing");
    let done = stand.json(3, &["repair", "undo", "1", "--yes", "--json"]);
    let of = |cart: &str| -> Value {
        let carts = done["carts"].as_array().unwrap().iter();
        carts.clone().find(|c| c["cart"] == cart).unwrap().clone()
    };
    assert_eq!(of("1")["undone"], true, "{done}");
    let why = of("4")["refused"].to_string();
    assert!(why.contains("was written since the repair"), "{why}");
    assert_eq!(stand.email(4).await, "later");
    assert_eq!(stand.lines(1).await, ["sku-1 99", "sku-2 2", "sku-3 3"]);
    assert_eq!(stand.lines(2).await, ["sku-2 2", "sku-3 3"]);
    assert_eq!(stand.lines(3).await, ["sku-1 4", "sku-2 2", "sku-3 3"]);
    let key = "SELECT count(*) FROM cart_line WHERE line_id = 900031 AND unit_price = 2.25";
    assert_eq!(stand.number(key).await, 1);
    assert_eq!(
        stand
            .number("SELECT count(*) FROM cart WHERE cart_id = 5")
            .await,
        0
    );
    assert_eq!(version(&stand, 1).await, 3);
    // As if the new backend had written it: nothing of either side is lost.
    let more = "UPDATE order_lines SET qty = qty + 1 WHERE id = 12";
    stand.old_shop(more).await;
    assert_eq!(stand.lines(1).await, ["sku-1 99", "sku-2 3", "sku-3 3"]);
    asked(&stand, 2, false).await;
    stand.until_none(OPEN).await;
    assert_eq!(stand.state(2).await, "merged");
    assert_eq!(stand.lines(2).await, ["sku-2 2", "sku-3 3"]);
    let again = stand.json(3, &["repair", "undo", "1", "1", "--yes", "--json"]);
    assert!(again.to_string().contains("undone already"), "{again}");
}

/// As the command does it, without waiting.
async fn asked(stand: &Stand, cart: i64, take_source: bool) {
    let run = format!(
        "INSERT INTO cartage.repair_run (pipeline, asked_by, take_source, restore_deleted)
         SELECT id, 'command', {take_source}, true FROM cartage.pipeline"
    );
    stand.control(&run).await;
    let cart = format!(
        "INSERT INTO cartage.repair_cart (run, cart) SELECT max(id), '{cart}' FROM cartage.repair_run"
    );
    stand.control(&cart).await;
}

const OPEN: &str = "SELECT count(*) FROM cartage.repair_cart WHERE state = 'asked'";

async fn kills_neither_lose_nor_repeat_a_repair(pair: &str) {
    let mut stand = Stand::open(pair, &format!("repair_kills_{pair}"), "").await;
    stand.stop().await;
    behind_its_back(
        &stand,
        "UPDATE cart_line SET quantity = 99 WHERE line_id = 11",
    )
    .await;
    asked(&stand, 1, false).await;
    let before = [
        "refresh.window-opened",
        "refresh.chunk-read",
        "lane.repair-read",
    ];
    for place in before {
        stand.start(&[("CARTAGE_KILL", place)]);
        stand.killed().await;
        assert_eq!(stand.number(OPEN).await, 1, "{place}");
        assert_eq!(version(&stand, 1).await, 1, "{place}: nothing is written");
    }
    stand.start(&[("CARTAGE_KILL", "lane.repaired")]);
    stand.killed().await;
    assert_eq!(stand.number(OPEN).await, 0);
    stand.start(&[]);
    stand
        .until_none("SELECT count(*) FROM cartage.repair_run WHERE finished_at IS NULL")
        .await;
    stand
        .old_shop("UPDATE orders SET email = 'other' WHERE id = 9")
        .await;
    assert_eq!(stand.lines(1).await, AS_SOLD);
    assert_eq!(version(&stand, 1).await, 2, "once");
}

/// Between the look and the write of a repair, the new backend writes the cart.
async fn what_is_written_meanwhile_is_not_written_over(pair: &str) {
    let mut stand = Stand::open(pair, &format!("repair_race_{pair}"), "").await;
    stand.stop().await;
    behind_its_back(
        &stand,
        "UPDATE cart_line SET quantity = 99 WHERE line_id = 11",
    )
    .await;
    asked(&stand, 1, false).await;
    stand.start(&[("CARTAGE_HALT", "lane.repair-read")]);
    let pid = stand.daemon.as_ref().unwrap().pid().as_raw_nonzero();
    let halted = || {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
        stat.rsplit_once(") ")
            .is_some_and(|(_, rest)| rest.starts_with('T'))
    };
    let deadline = Instant::now() + PATIENCE;
    while !halted() {
        assert!(Instant::now() < deadline, "it did not come to the repair");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let theirs = "UPDATE cart_line SET quantity = 8 WHERE line_id = 12";
    stand.new_shop(1, theirs).await;
    stand.daemon.as_ref().unwrap().signal(Signal::CONT);
    stand.until_none(OPEN).await;
    assert_eq!(stand.lines(1).await, ["sku-1 99", "sku-2 8", "sku-3 3"]);
    assert_eq!(stand.state(1).await, "merged");
    let state = "SELECT state FROM cartage.repair_cart";
    assert_eq!(stand.text(state).await, "merged");
}

/// What the daemon asks for by itself takes a header that is gone for the new backend's doing.
async fn the_daemon_alone_does_not_put_deleted_carts_back(pair: &str) {
    let stand = Stand::open(pair, &format!("repair_deleted_{pair}"), "").await;
    let sql = "DELETE FROM cart_line WHERE cart_id = 5; DELETE FROM cart WHERE cart_id = 5";
    behind_its_back(&stand, sql).await;
    stand
        .control(
            "INSERT INTO cartage.repair_run (pipeline, asked_by, restore_deleted)
             SELECT id, 'daemon', false FROM cartage.pipeline",
        )
        .await;
    let cart =
        "INSERT INTO cartage.repair_cart (run, cart) SELECT max(id), '5' FROM cartage.repair_run";
    stand.control(cart).await;
    stand.until_none(OPEN).await;
    assert_eq!(
        stand.text("SELECT state FROM cartage.repair_cart").await,
        "refused"
    );
    assert_eq!(
        stand
            .number("SELECT count(*) FROM cart WHERE cart_id = 5")
            .await,
        0
    );
    let shown = stand.json(0, &["repair", "show", "1", "--json"]);
    assert!(shown.to_string().contains("restore_deleted"), "{shown}");
}

on_both! {
    drift_is_brought_back_and_nothing_else
    the_sources_rows_are_written_over_by_force
    what_it_wrote_is_no_drift_once_the_old_shop_has_written_elsewhere
    a_repair_is_undone_and_merges_from_then_on
    kills_neither_lose_nor_repeat_a_repair
    what_is_written_meanwhile_is_not_written_over
    the_daemon_alone_does_not_put_deleted_carts_back
}

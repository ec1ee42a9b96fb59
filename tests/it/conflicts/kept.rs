//! How long verifications and repairs are kept, and what is said of one that is not.

use serde_json::json;

use super::Stand;
use super::records::on_both;

async fn histories_go_by_age(pair: &str) {
    let keeps = "[reconcile]\nkeep_for = \"2d\"\n";
    let mut stand = Stand::open(pair, &format!("histories_{pair}"), keeps).await;
    for carts in ["1, 2, 3", "4"] {
        let drift =
            format!("UPDATE cart SET customer_email = 'drifted' WHERE cart_id IN ({carts})");
        stand.control(&drift).await;
        stand.json(0, &["verify", "--repair", "--yes", "--json"]);
    }
    let runs = stand.json(0, &["repair", "list", "--json"]);
    let runs: Vec<_> = runs["repairs"].as_array().unwrap().iter().collect();
    let [second, first] = runs.as_slice() else {
        panic!("{runs:?}");
    };
    assert_eq!(first["carts"]["repaired"], json!(3), "{first}");
    let (first, second) = (first["run"].to_string(), second["run"].to_string());
    let none = stand.prints(1, &["repair", "undo", "99"]);
    assert!(none.contains("there is no repair 99"), "{none}");
    stand
        .until_none("SELECT count(*) FROM cartage.repair_run WHERE finished_at IS NULL")
        .await;

    let age = "finished_at = finished_at - INTERVAL '49' HOUR";
    stand
        .control(&format!(
            "UPDATE cartage.repair_run SET {age} WHERE id = {first}"
        ))
        .await;
    stand.stop().await;
    stand.start(&[("CARTAGE_BOUND", "purge=50,purged=2")]);
    stand
        .until_none(&format!(
            "SELECT count(*) FROM cartage.repair_run WHERE id = {first}"
        ))
        .await;
    let carts = "SELECT count(*) FROM cartage.repair_cart";
    assert_eq!(stand.number(carts).await, 1, "the other one is kept");
    for command in ["undo", "show"] {
        let said = stand.prints(1, &["repair", command, &first]);
        let why = format!("what repair {first} did is no longer kept");
        assert!(said.contains(&why), "{said}");
    }
    let would = stand.prints(0, &["repair", "undo", &second]);
    assert!(would.contains("4: would be undone"), "{would}");

    // Of the latest one it stays known that it was.
    stand
        .control(&format!("UPDATE cartage.repair_run SET {age}"))
        .await;
    stand.until_none(carts).await;
    let said = stand.prints(1, &["repair", "undo", &second]);
    assert!(said.contains("is no longer kept"), "{said}");

    // Verifications, and what they told.
    stand
        .control("UPDATE cart SET customer_email = 'drifted' WHERE cart_id IN (5, 6, 7)")
        .await;
    stand.json(3, &["verify", "--json"]);
    let told = "SELECT count(*) FROM cartage.verify_cart";
    assert_eq!(stand.number(told).await, 3);
    stand
        .control(&format!("UPDATE cartage.verify_run SET {age}"))
        .await;
    let last = stand.number("SELECT max(id) FROM cartage.verify_run").await;
    stand
        .until_none(&format!(
            "SELECT count(*) FROM cartage.verify_run WHERE id <> {last}"
        ))
        .await;
    assert_eq!(stand.number(told).await, 3, "they were seen just now");
    stand
        .control("UPDATE cartage.verify_cart SET looked_at = looked_at - INTERVAL '49' HOUR")
        .await;
    stand.until_none(told).await;
    let kept = "SELECT count(*) FROM cartage.verify_run";
    assert_eq!(stand.number(kept).await, 1, "the latest is");
    stand.stop().await;
}

on_both! {
    histories_go_by_age
}

//! Carts that a walk has still to come to, and those of another mapping than the file's.

use super::stand::{Stand, says};
use super::{between_all, while_open};
use crate::scenario::folder::Side;

/// The old shop lets carts be read only while its gate is open.
fn guarded(text: String) -> String {
    let guard = "\n[refresh]\nguard = { sql = \"SELECT count(*) FROM gate\", max = 0 }\n\n[cart]";
    while_open(text).replacen("\n[cart]", guard, 1)
}

const GATE: &str = "CREATE TABLE gate (shut integer PRIMARY KEY); INSERT INTO gate VALUES (1)";
const SHUT: &str = "INSERT INTO gate VALUES (1)";
const OPEN: &str = "DELETE FROM gate";

async fn what_a_walk_will_come_to(pair: &str) {
    let besides = [(Side::Source, GATE)];
    let mut stand = Stand::laid(pair, "both_sides_write", "walks", guarded, &besides).await;
    stand.start();
    let waits = stand.comes_to("7", "not_read_yet", 0).await;
    assert_eq!(waits["walk"]["kind"], "backfill");
    let waits = loop {
        let waits = stand.concludes("7", "not_read_yet", 0);
        if waits["walk"]["waiting"].is_string() {
            break waits;
        }
    };
    says(&waits, "the walk (backfill, which waits: ");
    stand.old_shop(OPEN).await;
    stand.backfilled().await;
    stand
        .old_shop("UPDATE orders SET status = 'sold' WHERE id = 8")
        .await;
    stand
        .new_shop(
            "UPDATE cart SET customer_email = 'new@example.org', version = version + 1 \
             WHERE cart_id = 10",
        )
        .await;
    stand
        .old_shop("UPDATE order_lines SET qty = qty + 1 WHERE id = 101")
        .await;
    stand.settles().await;
    stand.comes_to("7", "equal", 0).await;
    stand.comes_to("8", "over", 0).await;
    stand.comes_to("10", "merged", 0).await;

    // The file is changed, and the daemon runs on.
    stand.old_shop(SHUT).await;
    stand.reconfigure("\"lower(currency)\"", "\"upper(currency)\"");
    let other = stand.concludes("7", "other_mapping", 3);
    let next = other["conclusion"]["next"].as_str().unwrap();
    assert!(
        next.starts_with("systemctl restart cartage@explain-walks-"),
        "{next}"
    );
    stand.concludes("4711", "unknown", 3);
    stand.rest().await;
    stand.start();
    for cart in ["7", "8", "10"] {
        let older = stand.comes_to(cart, "older_mapping", 0).await;
        assert_eq!(older["ledger"]["mapping_is_current"], false, "{older:#}");
        says(&older, "the walk (mapping");
    }
    // Somebody has cut the walk short in the control tables.
    stand.rest().await;
    let run =
        "UPDATE cartage.refresh_run SET finished_at = CURRENT_TIMESTAMP WHERE kind = 'mapping'";
    stand.new_shop(run).await;
    let left = stand.concludes("7", "older_mapping", 3);
    says(&left, "no walk goes on");
    stand.start();
    stand.mends(&left, "--wait");
    stand.comes_to("7", "equal", 0).await;
    let again = "UPDATE cartage.refresh_run SET finished_at = NULL WHERE kind = 'mapping'";
    stand.new_shop(again).await;
    stand.old_shop(OPEN).await;
    stand.backfilled().await;
    stand.comes_to("9", "equal", 0).await;
    stand.comes_to("8", "over", 0).await;
    stand.comes_to("10", "merged", 0).await;
    stand.rest().await;
}

between_all! {
    what_a_walk_will_come_to
}

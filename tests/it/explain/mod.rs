//! Why a cart is as it is: each conclusion is brought about between shops on Postgres and on MySQL or
//! MariaDB, and what `explain` says is to be done next is done.

mod away;
mod beside;
mod missed;
mod shapes;
mod stand;
mod walks;

use serde_json::Value;

use self::stand::{Stand, says};

/// A test for each pair of kinds of server.
macro_rules! between_all {
    ($($name:ident)*) => {
        $(mod $name {
            #[tokio::test(flavor = "multi_thread")]
            async fn two_postgres() {
                super::$name("pp").await;
            }

            #[tokio::test(flavor = "multi_thread")]
            async fn two_mysql() {
                super::$name("mm").await;
            }

            #[tokio::test(flavor = "multi_thread")]
            async fn postgres_and_mysql() {
                super::$name("pm").await;
            }

            #[tokio::test(flavor = "multi_thread")]
            async fn mysql_and_postgres() {
                super::$name("mp").await;
            }
        })*
    };
}
pub(crate) use between_all;

/// Orders are carts while they are open.
pub fn while_open(text: String) -> String {
    let key = "key = \"id\"\n\n[cart.rows]";
    assert!(text.contains(key), "{text}");
    let live = "key = \"id\"\nlive = \"status = 'open'\"\n\n[cart.rows]";
    let text = text.replacen(key, live, 1);
    text.replacen(
        "role = \"header\"",
        "role = \"header\"\nended = \"delete\"",
        1,
    )
}

between_all! {
    each_conclusion
}

async fn each_conclusion(pair: &str) {
    let mut stand = Stand::open(pair, "both_sides_write", "each", while_open).await;
    let equal = stand.comes_to("7", "equal", 0).await;
    assert_eq!(equal["source"]["rows"].as_array().unwrap().len(), 4);
    let target = equal["target"].as_array().unwrap();
    assert_eq!(target.len(), 4);
    assert!(target.iter().all(|row| row["there"] == true), "{equal:#}");
    assert!(
        target.iter().any(|row| row["token"].is_string()),
        "{equal:#}"
    );
    assert_eq!(equal["ledger"]["state"], "mirror");
    assert_eq!(equal["ledger"]["mapping_is_current"], true);
    assert_eq!(equal["ledger"]["image"]["rows"], 4);
    assert!(equal["positions"]["source_end"].is_string(), "{equal:#}");
    assert_eq!(equal["verification"], Value::Null);
    let unknown = stand.concludes("4711", "unknown", 3);
    let next = unknown["conclusion"]["next"].as_str().unwrap();
    assert!(next.contains("a cart's key is id of "), "{next}");
    assert!(next.ends_with(".orders"), "{next}");

    stand
        .old_shop("INSERT INTO orders VALUES (900, 'x', 'EUR', 'sold')")
        .await;
    stand.settles().await;
    stand.comes_to("900", "not_live", 0).await;
    stand
        .old_shop("UPDATE orders SET status = 'sold' WHERE id = 8")
        .await;
    stand.settles().await;
    stand.comes_to("8", "over", 0).await;

    // Behind our back, without the lock.
    stand
        .new_shop("UPDATE cart_line SET quantity = 77 WHERE line_id = 91")
        .await;
    let drift = stand.concludes("9", "drift", 3);
    assert_eq!(drift["differences"][0]["column"], "quantity");
    assert_eq!(drift["differences"][0]["target"], "77");
    assert_eq!(
        drift["conclusion"]["next"],
        "cartage verify --carts 9 --repair"
    );
    let parts = [
        "conclusion   drift: somebody changed the target without the lock moving",
        "next         cartage verify --carts 9 --repair",
        "Source, as the mapping reads it:",
        "Target:",
        "quantity: source \"1\", target \"77\"",
    ];
    stand.tells("9", 3, &parts);
    // Under the lock.
    stand
        .new_shop(
            "UPDATE cart SET customer_email = 'new@example.org', version = version + 1 \
             WHERE cart_id = 10",
        )
        .await;
    let written = stand.concludes("10", "written_in_target", 0);
    let moved = |row: &Value| row["token"] != row["token_left"] && row["token_left"].is_string();
    assert!(
        written["target"].as_array().unwrap().iter().any(moved),
        "{written:#}"
    );
    // A change of the old shop meets it.
    stand
        .old_shop("UPDATE order_lines SET qty = qty + 1 WHERE id = 101")
        .await;
    stand.settles().await;
    let merged = stand.comes_to("10", "merged", 0).await;
    assert!(
        merged["conclusion"]["text"]
            .as_str()
            .unwrap()
            .contains("cart.customer_email"),
        "{merged:#}"
    );
    assert_eq!(merged["conflicts"]["total"], 1);

    stand
        .new_shop("DELETE FROM cart_line WHERE cart_id = 11; DELETE FROM cart WHERE cart_id = 11")
        .await;
    let deleted = stand.concludes("11", "deleted_in_target", 3);
    stand.mends(&deleted, "--yes");
    stand.comes_to("11", "equal", 0).await;

    // What the ledger has not been told, though the log has passed.
    stand.rest().await;
    stand
        .new_shop("DELETE FROM cartage.ledger WHERE cart = '12'")
        .await;
    stand
        .new_shop("DELETE FROM cart_line WHERE cart_id = 12; DELETE FROM cart WHERE cart_id = 12")
        .await;
    // Nobody applies this one: its lane has stood still for less than a minute.
    stand
        .old_shop("UPDATE orders SET email = 'later@example.org' WHERE id = 13")
        .await;
    let coming = stand.concludes("13", "on_its_way", 0);
    assert_eq!(coming["positions"]["lane_past_what_was_read"], false);
    stand
        .new_shop("INSERT INTO cartage.wish (pipeline, cart, reason) SELECT id, '14', 'asked' FROM cartage.pipeline")
        .await;
    let wished = stand.concludes("14", "wished", 0);
    assert_eq!(wished["wish"]["reason"], "asked");
    // A daemon that stands still brings nothing.
    stand
        .new_shop("UPDATE cartage.pipeline SET phase = 'stopped', stopped_reason = 'a test'")
        .await;
    let stuck = stand.concludes("14", "wished", 3);
    assert_eq!(stuck["conclusion"]["next"], "cartage status");
    stand.concludes("13", "on_its_way", 3);
    stand.tells("13", 3, &["STALLED", "needs a human: a test"]);
    stand
        .new_shop("UPDATE cartage.pipeline SET phase = 'following', stopped_reason = NULL")
        .await;
    stand.start();
    stand.settles().await;
    stand.comes_to("13", "equal", 0).await;
    stand.comes_to("14", "equal", 0).await;
    let never = stand.comes_to("12", "never_came", 3).await;
    stand.mends(&never, "--wait");
    stand.comes_to("12", "equal", 0).await;

    // The new shop refuses it.
    stand.refuses_cart_15().await;
    let held = stand.comes_to("15", "held", 3).await;
    assert_eq!(held["hold"]["reason"], "constraint");
    assert_eq!(held["conclusion"]["next"], "cartage held show 15");
    says(&held, "once that is mended: cartage held retry 15");
    stand.mends(&held, "");

    // What a verification has noted is told, and the status knows of the verification.
    let (code, _) = stand.run(&["verify", "--json"]);
    assert_eq!(code, 3);
    let (_, drift) = stand.document("9");
    assert_eq!(drift["verification"]["verdict"], "different", "{drift:#}");
    let (_, fine) = stand.document("7");
    assert_eq!(fine["verification"]["verdict"], "nothing_found", "{fine:#}");
    let (_, status) = stand.run(&["status", "--json"]);
    let status: Value = serde_json::from_str(&status).unwrap();
    let parity = &status["parity"];
    assert_eq!(parity["last"]["kind"], "full", "{status:#}");
    assert_eq!(parity["last"]["counts"]["held"], 1, "{status:#}");
    assert_eq!(parity["running"], Value::Null, "{status:#}");
    let (_, text) = stand.run(&["status"]);
    assert!(text.contains("parity     full verification"), "{text}");
    stand.mends(&drift, "--yes");
    stand.comes_to("9", "equal", 0).await;
    stand
        .new_shop("ALTER TABLE cart_line DROP CONSTRAINT few")
        .await;
    stand.run(&["held", "retry", "15"]);
    stand.comes_to("15", "equal", 0).await;
    stand.rest().await;
}

//! Carts of every shape: keys of several columns, no header, groups and elements, rows that moved to
//! another cart, keys that the target allocates.

use serde_json::Value;

use super::between_all;
use super::stand::{Stand, says};

fn as_it_is(text: String) -> String {
    text
}

async fn a_key_of_several_columns_is_quoted(pair: &str) {
    let mut stand = Stand::open(pair, "composite_keys", "composite", as_it_is).await;
    // The store 2 and the session `a|b\7`.
    let cart = r"2|a\|b\\7";
    let equal = stand.comes_to(cart, "equal", 0).await;
    assert_eq!(equal["cart"], cart);
    assert_eq!(equal["source"]["rows"].as_array().unwrap().len(), 4);
    stand
        .new_shop(
            r"UPDATE line SET quantity = 77 WHERE shop = 2 AND token = 'a|b\7' AND number = 1",
        )
        .await;
    let drift = stand.concludes(cart, "drift", 3);
    let next = drift["conclusion"]["next"].as_str().unwrap();
    assert_eq!(next, r"cartage verify --carts '2|a\|b\\7' --repair");
    stand.tells(cart, 3, &[r"cart         2|a\|b\\7", next]);
    says(&drift, "its lock cannot tell");
    stand.mends(&drift, "--take source --yes");
    stand.comes_to(cart, "equal", 0).await;
    // Typed as it is not printed, and not typed whole.
    stand.concludes(r"02|a\|b\\7", "equal", 0);
    let unknown = stand.concludes("9|nobody", "unknown", 3);
    let next = unknown["conclusion"]["next"].as_str().unwrap();
    assert!(next.contains("store, session of "), "{next}");
    let (code, said) = stand.says(&["explain", "9"]);
    assert_eq!(code, 2, "{said}");
    assert!(said.contains("is not a cart key"), "{said}");
    stand.rest().await;
}

async fn a_cart_without_a_header_row(pair: &str) {
    let mut stand = Stand::open(pair, "carts_without_header", "headless", as_it_is).await;
    let cart = "1|7|s7";
    let equal = stand.comes_to(cart, "equal", 0).await;
    // Its header stands in no database, and is shown of none.
    assert_eq!(equal["source"]["rows"].as_array().unwrap().len(), 3);
    assert_eq!(equal["target"].as_array().unwrap().len(), 4);
    stand
        .old_shop("DELETE FROM oc_cart WHERE cart_id IN (71, 72, 73)")
        .await;
    stand.settles().await;
    let over = stand.comes_to(cart, "over", 0).await;
    says(&over, "deleted in the source");
    assert_eq!(over["source"]["there"], false);
    stand
        .new_shop("UPDATE checkout_line SET quantity = 9 WHERE id = 81")
        .await;
    let drift = stand.concludes("0|8|s8", "drift", 3);
    stand.mends(&drift, "--take source --yes");
    stand.comes_to("0|8|s8", "equal", 0).await;
    let unknown = stand.concludes("0|0|nobody", "unknown", 3);
    let next = unknown["conclusion"]["next"].as_str().unwrap();
    assert!(
        next.contains("store_id, customer_id, session_id of "),
        "{next}"
    );
    assert!(next.ends_with(".oc_cart"), "{next}");
    stand.rest().await;
}

async fn groups_and_elements(pair: &str) {
    let scenario = "merge_elements_and_groups";
    let mut stand = Stand::open(pair, scenario, "groups", as_it_is).await;
    let equal = stand.comes_to("7", "equal", 0).await;
    // A basket and four rows of products become a cart, two lines and two extras.
    assert_eq!(equal["source"]["rows"].as_array().unwrap().len(), 5);
    assert_eq!(equal["target"].as_array().unwrap().len(), 5);
    stand
        .new_shop("UPDATE cart_line SET quantity = 50 WHERE id = '7-1-0'")
        .await;
    let drift = stand.concludes("7", "drift", 3);
    assert_eq!(drift["differences"][0]["key"], "7-1-0", "{drift:#}");
    stand.mends(&drift, "--yes");
    stand.comes_to("7", "equal", 0).await;
    stand
        .new_shop(
            "UPDATE cart_extra SET quantity = 5 WHERE id = '8/wrap'; \
             UPDATE cart SET version = version + 1 WHERE id = 8",
        )
        .await;
    let written = stand.concludes("8", "written_in_target", 0);
    assert_eq!(written["differences"][0]["key"], "8/wrap", "{written:#}");
    let extras = r#"UPDATE basket SET extras = '{"wrap": 2, "card": 2}' WHERE id_cart = 8"#;
    stand.old_shop(extras).await;
    stand.settles().await;
    let merged = stand.comes_to("8", "merged", 0).await;
    assert_eq!(merged["conflicts"]["total"], 1, "{merged:#}");
    says(&merged, "cart_extra.quantity");
    let (code, shown) = stand.does_next(&merged, "");
    assert_eq!(code, 0, "{shown}");
    assert!(shown.contains("merged"), "{shown}");
    stand.rest().await;
}

/// A guest's cart goes up in a customer's.
async fn rows_that_moved_to_another_cart(pair: &str) {
    let mut stand = Stand::open(pair, "guest_merge", "guest", as_it_is).await;
    stand.comes_to("31", "equal", 0).await;
    stand
        .old_shop("UPDATE quote_item SET quote_id = 30 WHERE quote_id = 31")
        .await;
    stand
        .old_shop("UPDATE quote SET live = false WHERE id = 31")
        .await;
    stand.settles().await;
    let over = stand.comes_to("31", "over", 0).await;
    assert_eq!(over["ledger"]["state"], "ended");
    says(&over, "(live = cast(live as integer) = 1 is false)");
    let grown = stand.comes_to("30", "equal", 0).await;
    // Its own row and items, options and files of both.
    let quotes = grown["source"]["rows"].as_array().unwrap().iter();
    let items = quotes.filter(|row| row["table"].as_str().unwrap().ends_with(".quote_item"));
    assert_eq!(items.count(), 4);
    // A line of it is put back under the cart that is over, behind our back.
    stand
        .new_shop("UPDATE cart_item SET sku = 'other' WHERE id = 311")
        .await;
    stand.concludes("30", "drift", 3);
    stand.concludes("31", "over", 0);
    stand.rest().await;
}

/// Only Postgres' sequences give keys before a row is written.
async fn keys_that_are_not_allocated_yet(pair: &str) {
    let mut stand = Stand::open(pair, "allocated_keys", "allocated", as_it_is).await;
    stand.comes_to("7", "equal", 0).await;
    stand.rest().await;
    stand
        .old_shop("INSERT INTO basket VALUES (950, NULL, 'later')")
        .await;
    stand
        .old_shop("INSERT INTO basket_line VALUES (7, 'z', 'sz', 2)")
        .await;
    for cart in ["950", "7"] {
        let coming = stand.concludes(cart, "on_its_way", 0);
        assert_eq!(
            coming["differences"][0]["kind"], "missing_row",
            "{coming:#}"
        );
        assert_eq!(coming["differences"][0]["key"], "(no key allocated yet)");
    }
    let counts = |stand: &Stand, code| {
        let (was, text) = stand.run(&["verify", "--json", "--carts", "950", "7", "8"]);
        let report: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(was, code, "{report:#}");
        let count = |name: &str| report[name].as_i64().unwrap();
        ["equal", "pending", "missing", "different"].map(count)
    };
    assert_eq!(counts(&stand, 0), [1, 2, 0, 0]);
    // Moved past them, they are missing.
    stand.passes_by();
    stand.start();
    stand.settles().await;
    stand.comes_to("950", "never_came", 3).await;
    stand.comes_to("7", "ledger_behind", 3).await;
    assert_eq!(counts(&stand, 3), [1, 0, 1, 1]);
    for cart in ["950", "7"] {
        let (_, document) = stand.document(cart);
        stand.mends(&document, "--wait");
        stand.comes_to(cart, "equal", 0).await;
    }
    stand.rest().await;
}

between_all! {
    a_key_of_several_columns_is_quoted
    a_cart_without_a_header_row
    groups_and_elements
    rows_that_moved_to_another_cart
}

mod allocated {
    #[tokio::test(flavor = "multi_thread")]
    async fn two_postgres() {
        super::keys_that_are_not_allocated_yet("pp").await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn mysql_and_postgres() {
        super::keys_that_are_not_allocated_yet("mp").await;
    }
}

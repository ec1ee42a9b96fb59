//! What the new backend does with a cart, and what stands beside its rows: closed carts, lookups of
//! yesterday, tokens, lines, sums, carts that nobody mapped.

use super::stand::{Stand, says};
use super::{between_all, while_open};
use crate::scenario::folder::Side;

fn as_it_is(text: String) -> String {
    text
}

async fn what_the_new_backend_has_closed(pair: &str) {
    let scenario = "new_backend_closed_is_late";
    let mut stand = Stand::open(pair, scenario, "closed", as_it_is).await;
    stand.comes_to("40", "equal", 0).await;
    let now = "UPDATE cart SET completed_at = CURRENT_TIMESTAMP WHERE cart_id = 40";
    stand.new_shop(now).await;
    let closed = stand.concludes("40", "closed", 0);
    assert!(closed["conclusion"]["next"].is_null(), "{closed:#}");
    // With changes of its own: no word of a merge that will never be.
    stand
        .new_shop(
            "UPDATE cart SET completed_at = CURRENT_TIMESTAMP, customer_email = 'b' WHERE cart_id = 41; \
             UPDATE cart_line SET quantity = 9 WHERE line_id = 411",
        )
        .await;
    stand.concludes("41", "closed", 0);
    // A change of the old shop is late.
    stand
        .old_shop("UPDATE order_lines SET qty = qty + 1 WHERE id = 401")
        .await;
    stand.settles().await;
    let late = stand.comes_to("40", "closed", 0).await;
    assert_eq!(late["ledger"]["state"], "handed_over");
    assert_eq!(late["conflicts"]["late"], 1);
    says(&late, "(1 were recorded)");
    let (code, list) = stand.does_next(&late, "");
    assert_eq!(code, 0, "{list}");
    assert!(list.contains("late"), "{list}");
    stand.rest().await;
}

async fn lookups_of_yesterday_and_of_none(pair: &str) {
    let mut stand = Stand::open(pair, "lookups", "lookups", as_it_is).await;
    stand.comes_to("6", "equal", 0).await;
    stand
        .new_shop("UPDATE grade SET name = 'half a dozen' WHERE least = 6")
        .await;
    let stale = stand.concludes("6", "stale_lookup", 0);
    assert_eq!(stale["beside"][0]["target"], "six", "{stale:#}");
    assert_eq!(stale["beside"][0]["source"], "half a dozen", "{stale:#}");
    stand.mends(&stale, "--wait");
    stand.comes_to("6", "equal", 0).await;

    // The new shop has no variant of it yet.
    stand
        .old_shop("INSERT INTO quote VALUES (950, 'c950')")
        .await;
    stand
        .old_shop("INSERT INTO quote_item VALUES (9501, 950, 33, NULL, 1)")
        .await;
    let held = stand.comes_to("950", "held", 3).await;
    assert_eq!(held["hold"]["reason"], "lookup");
    says(&held, "once that is mended: cartage held retry 950");
    // What would be taken of it, nobody can say.
    let (code, said) = stand.says(&["held", "resolve", "950", "--take", "target"]);
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("cannot be mapped"), "{said}");
    assert!(said.contains("cartage held retry 950"), "{said}");

    // Nobody has come to this one.
    stand.rest().await;
    stand
        .old_shop("INSERT INTO quote VALUES (951, 'c951')")
        .await;
    stand
        .old_shop("INSERT INTO quote_item VALUES (9511, 951, 34, NULL, 1)")
        .await;
    let cannot = stand.concludes("951", "unmappable", 3);
    says(&cannot, "lookup `variant` finds no row");
    let (_, preview) = stand.does_next(&cannot, "");
    assert!(preview.contains("variant"), "{preview}");
    stand
        .new_shop(
            "INSERT INTO variant (id, sku) VALUES ('var_33', 'S-33'); \
             INSERT INTO variant (id, sku) VALUES ('var_34', 'S-34')",
        )
        .await;
    stand.start();
    stand.run(&["held", "retry", "950"]);
    stand.comes_to("950", "equal", 0).await;
    stand.comes_to("951", "equal", 0).await;
    stand.rest().await;
}

/// The storefront finds carts by their email; the new backend keeps a total.
fn looked_at_closely(text: String) -> String {
    while_open(text)
        + "\n[reconcile]\ntoken = \"cart.customer_email\"\n\
           sums = [{ total = \"cart.total\", of = \"cart_line\", value = \"quantity * unit_price\" }]\n"
}

async fn what_stands_beside_its_rows(pair: &str) {
    let total = "ALTER TABLE cart ADD total numeric(12,2)";
    let besides = [(Side::Target, total)];
    let alter = looked_at_closely;
    let mut stand = Stand::laid(pair, "both_sides_write", "beside", alter, &besides).await;
    stand.start();
    stand.backfilled().await;
    stand.comes_to("50", "equal", 0).await;

    // Another row answers to its token.
    let copy = "INSERT INTO cart (cart_id, customer_email, currency_code, version) \
                VALUES (5000, 'c50@example.org', 'eur', 1)";
    stand.new_shop(copy).await;
    let token = stand.concludes("50", "token", 3);
    assert_eq!(token["differences"][0]["kind"], "token_ambiguous");
    assert_eq!(token["differences"][0]["target"], "5000", "{token:#}");
    let alone = stand.concludes("5000", "target_only", 0);
    assert_eq!(alone["target"][0]["key"], "5000", "{alone:#}");
    stand
        .new_shop("DELETE FROM cart WHERE cart_id = 5000")
        .await;
    stand.mends(&token, "");
    stand.concludes("50", "equal", 0);
    stand.concludes("5000", "unknown", 3);

    // A line that is there twice.
    let line = "INSERT INTO cart_line (line_id, cart_id, product, quantity, unit_price) \
                VALUES (990051, 51, 'sku-1', 1, 1.00)";
    stand.new_shop(line).await;
    let lines = stand.concludes("51", "lines", 3);
    assert_eq!(lines["differences"][0]["key"], "990051", "{lines:#}");
    stand.mends(&lines, "--yes");
    stand.comes_to("51", "equal", 0).await;

    // A cart that is over is there again.
    stand
        .old_shop("UPDATE orders SET status = 'sold' WHERE id = 52")
        .await;
    stand.settles().await;
    stand.comes_to("52", "over", 0).await;
    let back = "INSERT INTO cart (cart_id, customer_email, currency_code, version) \
                VALUES (52, 'c52@example.org', 'eur', 1)";
    stand.new_shop(back).await;
    let back = stand.concludes("52", "resurrected", 3);
    assert_eq!(back["target"][0]["key"], "52", "{back:#}");
    stand.mends(&back, "--yes");
    stand.comes_to("52", "over", 0).await;

    // The total of another day.
    stand
        .new_shop("UPDATE cart SET total = 1.00 WHERE cart_id = 53")
        .await;
    let sum = stand.concludes("53", "sum", 3);
    assert_eq!(sum["beside"][0]["target"], "1.00", "{sum:#}");
    stand.mends(&sum, "");
    stand.tells("53", 3, &["sum mismatch", "cart 53, total: source"]);
    stand
        .new_shop(
            "UPDATE cart SET total = (SELECT sum(quantity * unit_price) FROM cart_line \
             WHERE cart_id = 53) WHERE cart_id = 53",
        )
        .await;
    stand.concludes("53", "equal", 0);
    stand.rest().await;
}

between_all! {
    what_the_new_backend_has_closed
    lookups_of_yesterday_and_of_none
    what_stands_beside_its_rows
}

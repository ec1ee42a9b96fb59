//! An end that cannot be asked: what the other one knows is said, no secret is, and the exit code tells
//! that nobody knows.

use serde_json::Value;

use super::stand::{SECRETS, Stand, says};
use super::{between_all, while_open};

/// Its address as the file has it.
fn address(url: &str) -> String {
    format!("url = \"{url}\"")
}

/// An address at which nobody listens, of the same kind.
fn nowhere(end: &str, url: &str) -> String {
    let scheme = url.split("://").next().unwrap();
    let url = address(&format!("{scheme}://cartage@127.0.0.1:1/{end}"));
    format!("{url}\npassword = {{ file = \"password\" }}")
}

fn with_a_secret(text: String) -> String {
    while_open(text) + "\n[ids]\nsecret = { file = \"ids\" }\n"
}

#[track_caller]
fn keeps_secrets(text: &str) {
    for (_, secret) in SECRETS {
        assert!(!text.contains(secret), "{text}");
    }
}

async fn an_end_that_is_away(pair: &str) {
    let scenario = "both_sides_write";
    let mut stand = Stand::open(pair, scenario, "away", with_a_secret).await;
    stand.comes_to("7", "equal", 0).await;
    stand
        .new_shop("UPDATE cart_line SET quantity = 77 WHERE line_id = 91")
        .await;
    stand
        .new_shop("DELETE FROM cart_line WHERE line_id = 101")
        .await;
    stand.refuses_cart_15().await;
    stand.comes_to("15", "held", 3).await;
    keeps_secrets(&stand.tells("7", 0, &["conclusion   equal"]));
    stand.rest().await;
    let (source, target) = (
        stand.shops.source.url.clone(),
        stand.shops.target.url.clone(),
    );

    stand.readdress(&address(&source), &nowhere("old", &source));
    let fine = stand.concludes("7", "source_away", 1);
    says(&fine, "by the ledger it is mirror at ");
    says(&fine, "the target holds what cartage last left there");
    assert_eq!(fine["ledger"]["state"], "mirror");
    assert_eq!(fine["target"].as_array().unwrap().len(), 4, "{fine:#}");
    assert!(fine["source"]["unreachable"].is_string(), "{fine:#}");
    let changed = stand.concludes("9", "source_away", 1);
    says(&changed, "cart_line.quantity");
    let gone = stand.concludes("10", "source_away", 1);
    says(
        &gone,
        "1 rows that cartage left in the target are not there",
    );
    let held = stand.concludes("15", "source_away", 1);
    assert_eq!(held["hold"]["reason"], "constraint", "{held:#}");
    let unknown = stand.concludes("4711", "source_away", 1);
    says(&unknown, "the ledger does not know it");
    let parts = [
        "conclusion   source_away: the source cannot be asked",
        "next         cartage status",
        "ledger       mirror at ",
        "(cannot be asked)",
    ];
    keeps_secrets(&stand.tells("7", 1, &parts));
    keeps_secrets(&fine.to_string());
    let (_, status) = stand.does_next(&fine, "");
    assert!(status.contains("source"), "{status}");

    stand.readdress(&address(&target), &nowhere("new", &target));
    let (code, said) = stand.says(&["explain", "7"]);
    assert_eq!(code, 1, "{said}");
    for end in ["target: ", "source: "] {
        assert!(said.contains(end), "{said}");
    }
    keeps_secrets(&said);

    stand.readdress(&nowhere("old", &source), &address(&source));
    let there = stand.concludes("7", "target_away", 1);
    assert_eq!(there["source"]["there"], true, "{there:#}");
    says(&there, "the source has it (rows: 1 of ");
    says(&there, ".order_lines)");
    let counts = there["source"]["counts"].as_array().unwrap();
    let rows: Vec<&Value> = counts.iter().map(|table| &table[1]).collect();
    assert_eq!(rows, [1, 3], "{there:#}");
    let nobody = stand.concludes("4711", "target_away", 1);
    says(&nobody, "the source has no such cart");
    let parts = [
        "conclusion   target_away: the target cannot be asked",
        "next         systemctl status cartage@explain-away-",
    ];
    keeps_secrets(&stand.tells("7", 1, &parts));
    keeps_secrets(&there.to_string());
    let (code, said) = stand.says(&["explain", "not a number"]);
    assert_eq!(code, 2, "{said}");

    stand.readdress(&nowhere("new", &target), &address(&target));
    stand.concludes("7", "equal", 0);
}

between_all! {
    an_end_that_is_away
}

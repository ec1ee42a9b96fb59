//! `cartage conflicts`, and how long records stay.

use serde_json::{Value, json};

use super::Stand;

/// Cart 1: a quantity of both, cart 2: an email of both.
async fn two_conflicts(stand: &mut Stand) {
    let theirs = "UPDATE cart_line SET quantity = 5 WHERE line_id = 11";
    stand.new_shop(1, theirs).await;
    stand
        .old_shop("UPDATE order_lines SET qty = 3 WHERE id = 11")
        .await;
    let theirs = "UPDATE cart SET customer_email = 'new' WHERE cart_id = 2";
    stand.new_shop(2, theirs).await;
    stand
        .old_shop("UPDATE orders SET email = 'old' WHERE id = 2")
        .await;
    assert_eq!(stand.lines(1).await, ["sku-1 7", "sku-2 2", "sku-3 3"]);
    assert_eq!(stand.email(2).await, "old");
}

async fn records_are_looked_at_and_decided_again(pair: &str) {
    let mut stand = Stand::open(pair, &format!("conflicts_look_{pair}"), "").await;
    assert_eq!(stand.json(0, &["conflicts", "list", "--json"])["total"], 0);
    two_conflicts(&mut stand).await;

    let all = stand.json(0, &["conflicts", "list", "--json"]);
    let carts = |list: &Value| -> Vec<String> {
        let conflicts = list["conflicts"].as_array().unwrap().iter();
        conflicts
            .map(|c| c["cart"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(carts(&all), ["2", "1"], "the latest first");
    assert_eq!((&all["total"], &all["next"]), (&json!(2), &Value::Null));
    let first = &all["conflicts"][1];
    assert_eq!(first["kind"], "merged");
    assert_eq!((&first["items"], &first["times"]), (&json!(1), &json!(1)));
    assert_eq!(first["at"], first["last_at"]);
    let page = stand.json(0, &["conflicts", "list", "--json", "--limit", "1"]);
    let next = page["next"].as_i64().unwrap().to_string();
    let rest = ["conflicts", "list", "--json", "--before", &next];
    assert_eq!(carts(&stand.json(0, &rest)), ["1"]);
    let late = ["conflicts", "list", "--json", "--kind", "late"];
    assert_eq!(stand.json(0, &late)["total"], 0);
    let text = stand.prints(0, &["conflicts", "list", "--cart", "1"]);
    assert!(text.contains("merged  1 at "), "{text}");

    let shown = stand.json(0, &["conflicts", "show", "1", "--json"]);
    let conflict = &shown["conflicts"][0];
    let decided = json!([{
        "table": conflict["decisions"][0]["table"], "key": "11", "column": "quantity",
        "base": "1", "ours": "3", "theirs": "5", "result": "7", "rule": "both",
    }]);
    assert_eq!(conflict["decisions"], decided);
    let quantity = |side: &str| {
        let rows = conflict[side].as_array().unwrap().iter();
        let mut rows = rows.filter(|row| row["row"]["line_id"].to_string().contains("11"));
        rows.next().unwrap()["row"]["quantity"]
            .to_string()
            .replace('"', "")
    };
    assert_eq!(["base", "ours", "theirs"].map(quantity), ["1", "3", "5"]);
    let text = stand.prints(0, &["conflicts", "show", "1"]);
    let line = "11 quantity: base 1, ours 3, theirs 5 → 7 (both)";
    assert!(text.contains(line), "{text}");
    let nothing = stand.prints(1, &["conflicts", "show", "3"]);
    assert!(
        nothing.contains("nothing is recorded of cart 3"),
        "{nothing}"
    );

    other_rules(&stand).await;
}

async fn other_rules(stand: &Stand) {
    let replay = |code: i32, policy: &str| {
        stand.json(code, &["conflicts", "replay", "--policy", policy, "--json"])
    };
    let counts = |found: &Value| {
        ["compared", "same", "different", "held", "unreplayable"]
            .map(|name| found[name].as_i64().unwrap())
    };
    let as_it_is = stand.file("same.toml", "[merge]\nquantity = \"both\"\n");
    assert_eq!(counts(&replay(0, &as_it_is)), [2, 2, 0, 0, 0]);

    let max = stand.file("max.toml", "[merge]\nquantity = \"max\"\n");
    let found = replay(0, &max);
    assert_eq!(counts(&found), [2, 1, 1, 0, 0], "{found}");
    assert_eq!(
        found["rules"]["both"],
        json!({ "decided": 1, "different": 1 })
    );
    assert_eq!(found["rules"]["latest: source"]["different"], 0);
    let difference = &found["conflicts"][0]["different"][0];
    let said = ["column", "was", "would", "rule_was", "rule_would"];
    let said = said.map(|name| difference[name].as_str().unwrap());
    assert_eq!(said, ["quantity", "7", "5", "both", "max"]);

    let column = "[[into]]\ntable = \"cart\"\ncolumns.customer_email = { merge = \"target\" }\n";
    let column = stand.file("column.toml", column);
    let found = replay(0, &column);
    assert_eq!(counts(&found), [2, 1, 1, 0, 0], "{found}");
    let difference = &found["conflicts"][0]["different"][0];
    assert_eq!(
        (&difference["was"], &difference["would"]),
        (&json!("old"), &json!("new"))
    );

    let whole = std::fs::read_to_string(&stand.config).unwrap();
    let whole = whole + "\n[merge]\nquantity = \"source\"\nfields = \"target\"\n";
    let whole = stand.file("whole.toml", &whole);
    assert_eq!(counts(&replay(0, &whole)), [2, 0, 2, 0, 0]);
    let text = stand.prints(0, &["conflicts", "replay", "--policy", &whole]);
    assert!(text.contains("quantity: 7 (both) → 3 (source)"), "{text}");
    assert!(
        text.contains("2 merges replayed: 0 the same, 2 different"),
        "{text}"
    );
    // Nothing of it is real.
    assert_eq!(stand.lines(1).await, ["sku-1 7", "sku-2 2", "sku-3 3"]);

    for (text, said) in [
        ("[merge]\nquantity = \"most\"\n", "`both`"),
        (
            "[[into]]\ntable = \"cart\"\ncolumns.mail = { merge = \"target\" }\n",
            "cart.mail",
        ),
    ] {
        let wrong = stand.file("wrong.toml", text);
        let log = stand.prints(2, &["conflicts", "replay", "--policy", &wrong]);
        assert!(log.contains(said), "{log}");
    }
    // What was decided otherwise than the rules say is not guessed at.
    stand
        .control("UPDATE cartage.conflict SET decisions = NULL WHERE cart = '1'")
        .await;
    stand
        .control("UPDATE cartage.conflict SET inputs = NULL WHERE cart = '2'")
        .await;
    assert_eq!(counts(&replay(3, &max)), [2, 0, 0, 0, 2]);
}

async fn records_go_by_age_and_number(pair: &str) {
    let keeps = "[conflicts]\nkeep_for = \"2d\"\nkeep_at_most = 3\n";
    let mut stand = Stand::open(pair, &format!("conflicts_purge_{pair}"), keeps).await;
    two_conflicts(&mut stand).await;
    let old = "UPDATE cartage.conflict SET seen_at = seen_at - INTERVAL '3' HOUR WHERE cart = '1'";
    stand.control(old).await;
    let purge = |more: &[&str]| {
        let done = stand.json(0, &[&["conflicts", "purge", "--json"], more].concat());
        (
            done["deleted"].as_i64().unwrap(),
            done["left"].as_i64().unwrap(),
        )
    };
    assert_eq!(purge(&[]), (0, 2), "the configuration keeps them");
    assert_eq!(purge(&["--older-than", "4h"]), (0, 2));
    assert_eq!(purge(&["--older-than", "3h"]), (1, 1));
    assert_eq!(purge(&["--keep", "1"]), (0, 1));
    let double = "INSERT INTO cartage.conflict (pipeline, cart, kind, lsn)
                  SELECT pipeline, cart, kind, lsn FROM cartage.conflict";
    for _ in 0..4 {
        stand.control(double).await;
    }
    assert_eq!(purge(&["--keep", "10"]), (6, 10));
    let of_another = "UPDATE cartage.conflict SET cart = '9' WHERE id % 2 = 0";
    stand.control(of_another).await;
    let some = stand
        .number("SELECT count(*) FROM cartage.conflict WHERE cart = '9'")
        .await;
    assert_eq!(purge(&["--cart", "9"]), (some, 10 - some));

    stand.control(double).await;
    stand.control(double).await;
    let count = "SELECT count(*) FROM cartage.conflict";
    assert!(stand.number(count).await >= 10);
    let last = stand.number("SELECT max(id) FROM cartage.conflict").await;
    stand.stop().await;
    stand.start(&[("CARTAGE_BOUND", "purge=50,purged=2")]);
    let too_many = "SELECT count(*) - 3 FROM cartage.conflict";
    stand.until_none(too_many).await;
    assert_eq!(
        stand
            .number(&format!("{count} WHERE id > {last} - 3"))
            .await,
        3
    );
    let old = "UPDATE cartage.conflict SET seen_at = seen_at - INTERVAL '50' HOUR";
    stand.control(old).await;
    stand.until_none(count).await;
    stand.stop().await;
}

macro_rules! on_both {
    ($($test:ident)*) => {
        $(mod $test {
            #[tokio::test]
            async fn on_postgres() {
                super::$test("pp").await;
            }

            #[tokio::test]
            async fn on_mysql() {
                super::$test("pm").await;
            }
        })*
    };
}
pub(super) use on_both;

on_both! {
    records_are_looked_at_and_decided_again
    records_go_by_age_and_number
}

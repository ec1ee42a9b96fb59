//! What `check` says of a mapping beside its failures: what nothing fills, what could clash, what
//! belongs to a cart and is left out, and what could not be carried back.

use std::fs;

use cartage::config::Kind;
use serde_json::Value;

use super::{database, run};
use crate::scenario::folder::Side;
use crate::scenario::pair::word;

const OLD: &str = "
    CREATE TABLE orders (id bigint PRIMARY KEY, email varchar(200), code varchar(40) NOT NULL UNIQUE,
        label varchar(40) NOT NULL, token varchar(40), price numeric(12,4), state varchar(20) NOT NULL);
    CREATE TABLE order_items (id bigint PRIMARY KEY, order_id bigint NOT NULL, sku varchar(60), qty numeric(12,4),
        FOREIGN KEY (order_id) REFERENCES orders (id));
    CREATE TABLE order_notes (id bigint PRIMARY KEY, order_id bigint NOT NULL, note text);
    CREATE TABLE item_gifts (id bigint PRIMARY KEY, gift_of bigint NOT NULL,
        FOREIGN KEY (gift_of) REFERENCES order_items (id));
    CREATE TABLE products (id bigint PRIMARY KEY, sku varchar(60));
    CREATE TABLE prices (id bigint PRIMARY KEY, product bigint, FOREIGN KEY (product) REFERENCES products (id));";

const NEW: &str = "
    CREATE TABLE cart (id varchar(60) PRIMARY KEY, email varchar(300), code varchar(40) NOT NULL UNIQUE,
        label varchar(40) NOT NULL UNIQUE, token varchar(40), total numeric(12,2), region varchar(10), note text);
    CREATE TABLE cart_line (id varchar(60) PRIMARY KEY, cart_id varchar(60) NOT NULL, sku varchar(60),
        quantity integer, position integer, UNIQUE (cart_id, sku), UNIQUE (cart_id, position));
    CREATE INDEX by_cart ON cart_line (cart_id);";

const MAPPING: &str = r#"
[cart]
table = "orders"
live = "state = 'cart'"
[cart.rows]
order_items = { cart = "order_id" }
[[into]]
table = "cart"
per = "orders"
role = "header"
ended = "delete"
[into.columns]
id = { key = "'c' || keyed_id(id)" }
email = "lower(email)"
code = "code"
label = "label"
token = "token"
total = "price"
[[into]]
table = "cart_line"
per = "order_items"
role = "line"
line = { product = "sku", quantity = "quantity" }
[into.columns]
id = { key = "'l' || keyed_id(id)" }
cart_id = "'c' || keyed_id(order_id)"
sku = "sku"
quantity = "cast(qty as integer)"
"#;

#[tokio::test]
async fn the_reports_are_the_same_on_either_kind() {
    for (name, kind) in [
        ("init_checks_p", Kind::Postgres),
        ("init_checks_m", Kind::Mysql),
    ] {
        let source = database(Side::Source, kind, name, OLD).await;
        let target = database(Side::Target, kind, &format!("{name}_new"), NEW).await;
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("cartage.toml");
        let word = word(kind);
        let ends = format!(
            "name = \"checks\"\n[source]\nkind = \"{word}\"\nurl = \"{source}\"\n\
             [target]\nkind = \"{word}\"\nurl = \"{target}\"\n"
        );
        fs::write(&file, format!("{ends}{MAPPING}")).unwrap();
        let (_, out, log) = run(&file, &["check", "--json"]);
        let report: Value =
            serde_json::from_str(&out).unwrap_or_else(|e| panic!("{e}: {out}{log}"));
        let of = |check: &str, verdict: &str| -> Vec<String> {
            let checks = report["checks"].as_array().unwrap().iter();
            checks
                .filter(|c| c["check"] == check && c["verdict"] == verdict)
                .map(|c| c["message"].as_str().unwrap().to_owned())
                .collect()
        };
        let unfilled = of("unfilled columns", "note");
        assert_eq!(unfilled.len(), 2, "{report}");
        assert!(
            unfilled[0].ends_with("nothing fills region, note"),
            "{unfilled:?}"
        );
        assert!(
            unfilled[1].ends_with("nothing fills position"),
            "{unfilled:?}"
        );

        // `code` is unique in the old shop too; `position` stays null.
        let clash = of("unique values", "warn");
        assert_eq!(clash.len(), 2, "{clash:#?}");
        assert!(clash.iter().any(|c| c.contains("(label)")), "{clash:#?}");
        assert!(
            clash.iter().any(|c| c.contains("(cart_id, sku)")),
            "{clash:#?}"
        );

        let unmapped = of("unmapped tables", "note");
        assert_eq!(unmapped.len(), 2, "{unmapped:#?}");
        let gifts = unmapped.iter().find(|u| u.contains("item_gifts")).unwrap();
        assert!(
            gifts.contains("gift_of, a foreign key to order_items"),
            "{gifts}"
        );
        let notes = unmapped.iter().find(|u| u.contains("order_notes")).unwrap();
        assert!(notes.contains("order_id"), "{notes}");

        // What a lookup asks is known, and no table of the cart that was left out.
        let asks = "[lookup.note]\non = \"source\"\ntable = \"order_notes\"\nmatch = \"id\"\nget = \"note\"\n";
        let other = folder.path().join("asks.toml");
        fs::write(&other, format!("{ends}{MAPPING}{asks}")).unwrap();
        let (_, out, _) = run(&other, &["check", "--json"]);
        assert!(out.contains("item_gifts belongs to a cart"), "{out}");
        assert!(!out.contains("order_notes belongs to a cart"), "{out}");

        let rollback = report["rollback"].as_array().unwrap();
        let lost: Vec<&str> = rollback
            .iter()
            .map(|l| l["column"].as_str().unwrap())
            .collect();
        assert_eq!(lost, ["email", "price", "qty"], "{rollback:#?}");
        let email = &rollback[0]["because"][0];
        assert!(
            email["target"].as_str().unwrap().ends_with("cart.email"),
            "{email}"
        );
        assert_eq!(email["why"], "`lower` cannot be undone");
        assert!(
            rollback[1]["because"][0]["why"]
                .as_str()
                .unwrap()
                .contains("(12,2) may hold less")
        );
        assert_eq!(of("rollback", "note").len(), 2, "one for each table");

        // The notes are for people to read once, not for each start of the service.
        let (_, before, _) = run(&file, &["check", "--before-run"]);
        assert!(!before.contains("note  "), "{before}");
        let (_, text, _) = run(&file, &["check"]);
        assert!(text.contains("note  target  unfilled columns: "), "{text}");
    }
}

//! What `check` and `preview` say of a mapping that asks: rights that lack, and what was found.

use std::fs;
use std::path::Path;

use cartage::config::Kind;
use serde_json::Value;

use super::{database, run};
use crate::mysql::shops;
use crate::scenario::folder::Side;
use crate::scenario::pair::word;

/// A shop whose lines are the cart.
const OLD: &str = "
    CREATE TABLE basket (basket_id integer PRIMARY KEY, store_id integer NOT NULL, session_id varchar(32) NOT NULL,
        product_id integer NOT NULL, kind varchar(10) NOT NULL, quantity integer NOT NULL);
    CREATE TABLE product (id integer PRIMARY KEY, sku varchar(40) NOT NULL);
    INSERT INTO product VALUES (1, 's1'), (2, 's2');
    INSERT INTO basket VALUES (1, 0, 'abc', 1, 'gift', 3), (2, 0, 'abc', 2, 'odd', 1), (3, 1, 'abc', 1, 'gift', 9);";

const NEW: &str = "
    CREATE TABLE cart (id varchar(60) PRIMARY KEY, items integer);
    CREATE TABLE cart_line (number integer NOT NULL IDENTITY, id varchar(60) PRIMARY KEY, cart_id varchar(60) NOT NULL,
        variant_id varchar(40), kind varchar(10), quantity integer, price numeric(20,3), UNIQUE (number));
    CREATE TABLE variant (id varchar(40) PRIMARY KEY, sku varchar(40) NOT NULL UNIQUE);
    CREATE INDEX by_cart ON cart_line (cart_id);
    INSERT INTO variant VALUES ('v1', 's1');";

const MAPPING: &str = r#"
[cart]
table = "basket"
key = ["store_id", "session_id"]
[map.kind_of]
values = { gift = "present" }
unknown = { value = "plain" }
[lookup.product]
on = "source"
table = "product"
match = "id"
get = "sku"
[lookup.variant]
on = "target"
table = "variant"
match = "sku"
get = "id"
missing = "null"
[[into]]
table = "cart"
per = "cart"
role = "header"
[into.columns]
id = { key = "'c' || keyed_id(store_id, session_id)" }
items = "cast(sum(basket.quantity) as integer)"
[[into]]
table = "cart_line"
per = "basket"
role = "line"
[into.columns]
id = { key = "'l' || keyed_id(basket_id)" }
cart_id = "'c' || keyed_id(header.store_id, header.session_id)"
variant_id = "variant(product(product_id))"
kind = "kind_of(kind)"
quantity = "quantity"
price = "0"
"#;

struct Ends {
    folder: tempfile::TempDir,
    source: String,
    target: String,
    kind: Kind,
}

impl Ends {
    async fn open(name: &str, kind: Kind) -> Self {
        let numbered = match kind {
            Kind::Postgres => "serial",
            Kind::Mysql => "integer NOT NULL AUTO_INCREMENT",
        };
        let new = NEW.replace("integer NOT NULL IDENTITY", numbered);
        Self {
            folder: tempfile::tempdir().unwrap(),
            source: database(Side::Source, kind, name, OLD).await,
            target: database(Side::Target, kind, &format!("{name}_new"), &new).await,
            kind,
        }
    }

    fn config(&self) -> std::path::PathBuf {
        let (word, source, target) = (word(self.kind), &self.source, &self.target);
        let text = format!(
            "name = \"asks\"\n[source]\nkind = \"{word}\"\nurl = \"{source}\"\n\
             [target]\nkind = \"{word}\"\nurl = \"{target}\"\n{MAPPING}"
        );
        let file = self.folder.path().join("cartage.toml");
        fs::write(&file, text).unwrap();
        file
    }
}

fn json(file: &Path, arguments: &[&str]) -> Value {
    let (_, out, log) = run(file, arguments);
    serde_json::from_str(&out).unwrap_or_else(|e| panic!("{e}: {out}{log}"))
}

#[tokio::test]
async fn preview_asks_and_says_what_was_found() {
    for (name, kind) in [
        ("asks_preview_p", Kind::Postgres),
        ("asks_preview_m", Kind::Mysql),
    ] {
        let ends = Ends::open(name, kind).await;
        let file = ends.config();
        let document = json(&file, &["preview", "0|abc", "--json"]);
        let cart = &document["carts"][0];
        assert_eq!(
            (&cart["cart"], &cart["problem"]),
            (&"0|abc".into(), &Value::Null),
            "{cart}"
        );
        assert_eq!(cart["source"].as_array().unwrap().len(), 2, "{cart}");
        let targets = cart["target"].as_array().unwrap();
        assert_eq!(targets.len(), 3, "{cart}");
        assert_eq!(targets[0]["row"]["items"], "4");
        let line = |kind: &str| {
            let mut of_kind = targets.iter().filter(|t| t["row"]["kind"] == kind);
            of_kind.next().unwrap_or_else(|| panic!("{kind}: {cart}"))
        };
        let (first, second) = (line("present"), line("plain"));
        assert_eq!(first["row"]["variant_id"], "v1", "{first}");
        assert_eq!(first["from"]["variant_id"], "variant(product(product_id))");
        assert_eq!(second["row"]["variant_id"], Value::Null, "{second}");

        let found: Vec<(&str, &str)> = cart["lookups"]
            .as_array()
            .unwrap()
            .iter()
            .map(|l| (l["lookup"].as_str().unwrap(), l["found"].as_str().unwrap()))
            .collect();
        let all = [
            ("product", "a row"),
            ("product", "a row"),
            ("variant", "a row"),
            ("variant", "no row"),
        ];
        assert_eq!(found, all, "{cart}");
        let (_, text, log) = run(&file, &["preview", "0|abc"]);
        for line in [
            "  product(id \"1\") finds sku \"s1\" in ",
            "  variant(sku \"s1\") finds id \"v1\" in ",
            "  variant(sku \"s2\") finds no row in ",
        ] {
            assert!(text.contains(line), "{line}: {text}{log}");
        }

        // Where a cart is held for it, it says why.
        let held = fs::read_to_string(&file).unwrap();
        fs::write(&file, held.replace("missing = \"null\"\n", "")).unwrap();
        let cart = &json(&file, &["preview", "0|abc", "--json"])["carts"][0];
        let problem = cart["problem"].as_str().unwrap_or_default();
        assert!(problem.contains("`variant` finds no row"), "{cart}");
        let whole = &json(&file, &["preview", "1|abc", "--json"])["carts"][0];
        assert_eq!(whole["problem"], Value::Null);
        assert_eq!(whole["target"][1]["row"]["variant_id"], "v1");
    }
}

/// The numbers that the server gives, and literals, are no danger.
#[tokio::test]
async fn check_warns_of_nothing_that_cannot_be() {
    for (name, kind) in [
        ("asks_calm_p", Kind::Postgres),
        ("asks_calm_m", Kind::Mysql),
    ] {
        let ends = Ends::open(name, kind).await;
        let report = json(&ends.config(), &["check", "--json"]);
        let of = |check: &str, verdict: &str| -> Vec<&str> {
            let checks = report["checks"].as_array().unwrap().iter();
            checks
                .filter(|c| c["check"] == check && c["verdict"] == verdict)
                .map(|c| c["message"].as_str().unwrap())
                .collect()
        };
        assert_eq!(of("unique values", "warn"), [""; 0], "{report:#}");
        let mapping = of("mapping", "warn");
        assert!(
            !mapping.iter().any(|m| m.contains("fit into `price`")),
            "{mapping:#?}"
        );
        assert_eq!(of("lookup", "pass").len(), 2, "{report:#}");
    }
}

/// On MySQL a table without any right to it looks like none at all.
#[tokio::test]
async fn rights_that_lookups_lack_are_printed_as_grants() {
    let mut ends = Ends::open("asks_rights", Kind::Mysql).await;
    let user = "asks_rights_user";
    let user_at = |side: Side, url: &str, grants: &str| {
        let (_, place) = url.rsplit_once('@').unwrap();
        let to = format!("{user}@'127.0.0.1'");
        let sql =
            format!("DROP USER IF EXISTS {to}; CREATE USER {to}; {grants}").replace("{to}", &to);
        (shops(side), sql, format!("mysql://{user}@{place}"))
    };
    let source = "GRANT SELECT ON asks_rights.basket TO {to}";
    let target = "GRANT SELECT ON asks_rights_new.cart TO {to}; GRANT SELECT ON asks_rights_new.cart_line TO {to};
                  GRANT INSERT ON asks_rights_new.variant TO {to}";
    let source = user_at(Side::Source, &ends.source, source);
    let target = user_at(Side::Target, &ends.target, target);
    for (server, sql, _) in [&source, &target] {
        server.run(sql).await.unwrap();
    }
    (ends.source, ends.target) = (source.2, target.2);
    let file = ends.config();
    let wrong = |report: &Value| -> Vec<(String, String)> {
        let checks = report["checks"].as_array().unwrap().iter();
        let wrong = checks.filter(|c| c["check"] == "lookup" && c["verdict"] == "fail");
        let text = |c: &Value, key: &str| c[key].as_str().unwrap_or_default().to_owned();
        wrong
            .map(|c| (text(c, "message"), text(c, "sql")))
            .collect()
    };
    let before = wrong(&json(&file, &["check", "--json"]));
    assert_eq!(before.len(), 2, "{before:#?}");
    let grant = |table: &str| format!("GRANT SELECT ON {table} TO `{user}`@`127.0.0.1`");
    assert_eq!(before[0].1, grant("`asks_rights`.`product`"));
    assert!(
        before[0].0.contains("whether the table is there"),
        "{before:#?}"
    );
    assert_eq!(before[1].1, grant("`asks_rights_new`.`variant`"));
    assert!(before[1].0.ends_with("has no SELECT"), "{before:#?}");
    let (_, sql, _) = run(&file, &["check", "--sql"]);
    assert!(
        before.iter().all(|(_, grant)| sql.contains(grant.as_str())),
        "{sql}"
    );

    source.0.run(&before[0].1).await.unwrap();
    target.0.run(&before[1].1).await.unwrap();
    let after = wrong(&json(&file, &["check", "--json"]));
    assert_eq!(after, [], "{after:#?}");
}

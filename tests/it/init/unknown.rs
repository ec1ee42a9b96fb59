//! Shops that nobody knows: by names, types and keys alone, on either kind of server.

use std::fs;

use cartage::config::Kind;
use serde_json::Value;

use super::{Sides, database, init, run};
use crate::scenario::folder::Side;

const OLD: &str = "
    CREATE TABLE shop_basket (basket_id bigint PRIMARY KEY, customer_email varchar(200), currency varchar(3),
        guest_token varchar(40), is_active smallint NOT NULL DEFAULT 1, gift_message text,
        date_add timestamp NOT NULL, date_upd timestamp NOT NULL);
    CREATE TABLE shop_basket_item (item_id bigint PRIMARY KEY, basket_id bigint NOT NULL, sku varchar(60) NOT NULL,
        qty numeric(12,4) NOT NULL, price numeric(12,4) NOT NULL, title varchar(200));
    CREATE TABLE shop_basket_item_option (option_id bigint PRIMARY KEY, item_id bigint NOT NULL,
        label varchar(40) NOT NULL, note text);
    CREATE TABLE stock (sku varchar(60) PRIMARY KEY, quantity integer NOT NULL);";

const NEW: &str = "
    CREATE TABLE cart (id varchar(60) PRIMARY KEY, email varchar(300), currencyCode varchar(3) NOT NULL,
        giftMessage varchar(500), token varchar(60), sales_office varchar(10) NOT NULL, version integer NOT NULL,
        completed_at timestamp NULL, created_at timestamp NOT NULL, updated_at timestamp NOT NULL);
    CREATE TABLE cart_line (id varchar(60) PRIMARY KEY, cart_id varchar(60) NOT NULL, variant_sku varchar(60) NOT NULL,
        quantity integer NOT NULL, unit_price numeric(20,6) NOT NULL, title varchar(200),
        FOREIGN KEY (cart_id) REFERENCES cart (id));
    CREATE TABLE cart_line_option (id varchar(60) PRIMARY KEY, line_id varchar(60) NOT NULL, label varchar(40) NOT NULL,
        FOREIGN KEY (line_id) REFERENCES cart_line (id));";

async fn sides(name: &str, source: Kind, target: Kind) -> Sides {
    Sides {
        source: database(Side::Source, source, name, OLD).await,
        target: database(Side::Target, target, name, NEW).await,
    }
}

#[tokio::test]
async fn tables_and_columns_are_matched_on_either_kind() {
    for (name, source, target) in [
        ("init_unknown_pp", Kind::Postgres, Kind::Postgres),
        ("init_unknown_mm", Kind::Mysql, Kind::Mysql),
    ] {
        let sides = sides(name, source, target).await;
        let (code, out, log) = init(&sides, &["--json", "--name", "by-hand"]);
        assert_eq!((code, out.lines().count()), (0, 1), "{out}{log}");
        let document: Value = serde_json::from_str(&out).unwrap();
        assert_eq!(document["source"]["platform"], Value::Null);
        assert_eq!(document["cart"], "shop_basket");
        let into = document["into"].as_array().unwrap();
        let tables: Vec<&str> = into.iter().map(|i| i["table"].as_str().unwrap()).collect();
        assert_eq!(
            tables,
            ["cart", "cart_line", "cart_line_option"],
            "{document}"
        );
        let column = |at: usize, name: &str| {
            let columns = into[at]["columns"].as_array().unwrap().iter();
            // The server folds unquoted names, or does not.
            let mut found =
                columns.filter(|c| c["column"].as_str().unwrap().eq_ignore_ascii_case(name));
            let found = found
                .next()
                .unwrap_or_else(|| panic!("no {name}: {document}"));
            (
                found["expression"].as_str().unwrap().to_owned(),
                found["confidence"].as_str().unwrap().to_owned(),
                found["active"].as_bool().unwrap(),
            )
        };
        let likely = |text: &str| (text.to_owned(), "likely".to_owned(), true);
        assert_eq!(column(0, "id"), likely("keyed_id(basket_id)"));
        assert_eq!(column(0, "email"), likely("customer_email"));
        assert_eq!(column(0, "giftMessage"), likely("gift_message"));
        assert_eq!(column(0, "token"), likely("guest_token"));
        assert_eq!(column(0, "created_at"), likely("date_add"));
        assert_eq!(column(1, "cart_id"), likely("keyed_id(basket_id)"));
        assert_eq!(column(1, "variant_sku"), likely("sku"));
        assert_eq!(column(1, "unit_price"), likely("price"));
        assert_eq!(column(2, "line_id"), likely("keyed_id(item_id)"));
        assert_eq!(column(2, "label"), likely("label"));
        let answers = into[0]["needs_answer"].as_array().unwrap();
        let answers: Vec<&str> = answers
            .iter()
            .map(|a| a["column"].as_str().unwrap())
            .collect();
        assert_eq!(answers, ["sales_office"], "{document}");
        assert_eq!(
            document["compiles"], false,
            "without that answer nothing can be written"
        );

        // With the one answer it passes the loader and the compiler.
        let text = document["toml"].as_str().unwrap();
        assert!(text.contains("live = \"is_active = 1\""), "{text}");
        let asked = "# sales_office = \"…\"";
        assert!(text.contains(asked), "{text}");
        let answered = text
            .replace(asked, "sales_office = \"'head'\"")
            .replace("# password", "#");
        let answered = with_urls(&answered, &sides);
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("cartage.toml");
        fs::write(&file, answered).unwrap();
        let (_, out, log) = run(&file, &["check", "--json"]);
        let report: Value =
            serde_json::from_str(&out).unwrap_or_else(|e| panic!("{e}: {out}{log}"));
        let checks = report["checks"].as_array().unwrap().iter();
        let wrong: Vec<&Value> = checks
            .filter(|c| {
                c["verdict"] == "fail" && (c["check"] == "mapping" || c["check"] == "target column")
            })
            .collect();
        assert!(wrong.is_empty(), "{wrong:#?}");
    }
}

/// The file holds no password.
fn with_urls(text: &str, sides: &Sides) -> String {
    let mut urls = [&sides.source, &sides.target].into_iter();
    let lines = text.lines().map(|line| match line.starts_with("url = ") {
        true => format!("url = \"{}\"", urls.next().unwrap()),
        false => line.to_owned(),
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn a_file_is_written_once_and_without_passwords() {
    let sides = sides("init_file", Kind::Mysql, Kind::Postgres).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("first.toml");
    let name = file.to_str().unwrap();
    let (code, out, log) = init(&sides, &["--out", name]);
    assert_eq!((code, out.as_str()), (0, ""), "{log}");
    let text = fs::read_to_string(&file).unwrap();
    for url in [&sides.source, &sides.target] {
        if let Some((_, password)) = url.split('@').next().unwrap().rsplit_once(':')
            && !password.starts_with("//")
        {
            assert!(
                !text.contains(password) && !log.contains(password),
                "{text}{log}"
            );
        }
    }
    let (code, _, log) = init(&sides, &["--out", name]);
    assert_eq!(code, 2, "{log}");
    assert!(log.contains("writes over nothing"), "{log}");
    assert_eq!(fs::read_to_string(&file).unwrap(), text);

    let (code, _, log) = init(&sides, &["--name", "Shop 1"]);
    assert_eq!(code, 2, "{log}");
    let nowhere = Sides {
        source: "mysql://u:sesame@127.0.0.1:1/d".into(),
        target: sides.target.clone(),
    };
    let (code, _, log) = init(&nowhere, &[]);
    assert_eq!(code, 1, "{log}");
    assert!(log.contains("source: ") && !log.contains("sesame"), "{log}");
}

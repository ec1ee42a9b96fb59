//! `per = "each(…)"` and `group`: what they read, and what is wrong with them.

use std::path::Path;

use super::super::recompile;
use super::{MAPPING, compiled, refers, source, target, try_compile};
use crate::config::Config;

/// The good mapping with lines that are made so.
fn with(per: &str, columns: &str) -> String {
    let (before, _) = MAPPING.split_once("[[into]]\ntable = \"line\"").unwrap();
    format!("{before}[[into]]\ntable = \"line\"\n{per}\n[into.columns]\n{columns}")
}

fn errors(per: &str, columns: &str) -> Vec<String> {
    match try_compile(&with(per, columns), &source(), &target()) {
        Ok(_) => Vec::new(),
        Err(all) => all.lines(),
    }
}

const CART: &str = "cart_id = \"'cart_' || order_id\"\n";
const EACH: &str = "per = \"each(items.note::json->'parts')\"";

#[test]
fn a_payload_and_its_elements_are_compiled_and_stored() {
    let columns =
        format!("id = {{ key = \"id || '/' || item_key\" }}\n{CART}sku = \"item->>'sku'\"");
    let compiled = compiled(&with(EACH, &columns));
    let line = &compiled.mapping.intos[1];
    assert_eq!(line.per, 1);
    assert!(line.shape.payload.is_some() && line.shape.group.is_empty());
    assert!(!line.shareable);
    let again = recompile(&compiled.text, &compiled.schemas).unwrap();
    assert!(again.intos[1].shape.payload.is_some());
    let names: Vec<&str> = again.layout.tables[1]
        .columns
        .iter()
        .map(|c| c.name.as_str())
        .collect();
    assert_eq!(names, ["id", "order_id", "note"]);
}

#[test]
fn the_header_holds_a_payload_that_names_no_other_table() {
    let columns =
        "id = { key = \"id || item_key\" }\ncart_id = \"'cart_' || id\"\nsku = \"item->>'sku'\"";
    let compiled = compiled(&with("per = \"each(email::json)\"", columns));
    assert_eq!(compiled.mapping.intos[1].per, 0);
}

#[test]
fn a_group_is_compiled_and_stored() {
    let columns = format!(
        "id = {{ key = \"'l' || order_id || '/' || sku\" }}\n{CART}sku = \"sku\"\nquantity = \"sum(items.quantity)\""
    );
    let group = "per = \"items\"\ngroup = [\"order_id\", \"items.sku\"]\nwhere = \"quantity > 0\"";
    let compiled = compiled(&with(group, &columns));
    let line = &compiled.mapping.intos[1];
    assert_eq!(line.shape.group.len(), 2);
    assert!(!line.shareable);
    let again = recompile(&compiled.text, &compiled.schemas).unwrap();
    assert_eq!(again.intos[1].shape.group.len(), 2);
}

#[test]
fn what_is_wrong_is_named_with_its_place() {
    let key = "id = { key = \"id || item_key\" }\n";
    let group = "per = \"items\"\ngroup = [\"order_id\", \"lower(sku)\"]";
    let group_key = "id = { key = \"order_id || lower(sku)\" }\n";
    let cases: &[(&str, String, &[&str])] = &[
        (
            "per = \"each(items.note)\"",
            format!("id = {{ key = \"'l' || id\" }}\n{CART}"),
            &[
                "c:29:14: all elements of one payload would have the same key (expected `item_key` or a part of `item` in it)",
            ],
        ),
        (
            "per = \"each(items.quantity)\"",
            format!("{key}{CART}"),
            &["c:27:7: the payload is integer (expected JSON: an array or an object)"],
        ),
        (
            "per = \"each(items.nope)\"",
            format!("{key}{CART}"),
            &["c:27:13: no column nope in items; did you mean note?"],
        ),
        (
            "per = \"items\"",
            format!("id = {{ key = \"id || item_key\" }}\n{CART}"),
            &["c:29:21: no column item_key in items"],
        ),
        (
            group,
            format!("{group_key}{CART}sku = \"sku\"\nquantity = \"sum(quantity) + quantity\""),
            &[
                "c:32:8: `sku` must be in `group` or in an aggregate",
                "c:33:29: `quantity` must be in `group` or in an aggregate",
            ],
        ),
        (
            group,
            format!("{group_key}{CART}sku = \"first(options.name order by id)\""),
            &[],
        ),
        (
            group,
            format!("{group_key}{CART}sku = \"options.name\""),
            &["c:32:8: `options.name` must be in `group` or in an aggregate"],
        ),
        (
            group,
            format!("id = {{ key = \"order_id || min(sku)\" }}\n{CART}"),
            &[
                "c:30:14: an aggregate over the group cannot be its key (expected an expression that is in `group`)",
            ],
        ),
        (
            "per = \"items\"\ngroup = [\"note::json\"]",
            format!("id = {{ key = \"min(id)::text\" }}\n{CART}"),
            &[
                "c:28:10: rows cannot be grouped by json (expected a number, a text, a date, or a cast to one)",
            ],
        ),
        (
            group,
            format!("{group_key}{CART}sku = \"count(*) || header.email\""),
            &[],
        ),
    ];
    for (per, columns, expected) in cases {
        let found = errors(per, columns);
        let all = expected
            .iter()
            .all(|wanted| found.iter().any(|f| f.starts_with(wanted)));
        assert!(
            all && found.is_empty() == expected.is_empty(),
            "{per}\n{columns}\n{found:#?}"
        );
    }
}

#[test]
fn a_payload_of_two_tables_is_refused_by_the_loader() {
    let columns = format!("id = {{ key = \"id || item_key\" }}\n{CART}");
    let text = with("per = \"each(items.note || options.name)\"", &columns);
    let found = Config::parse(&text, Path::new("c")).unwrap_err().lines();
    assert_eq!(
        found,
        ["c:27:7: a payload stands in a row of one table, and this names `items` and `options`"]
    );
}

#[test]
fn tables_that_refer_to_each_other_in_a_circle_are_refused_unless_one_of_them_is_left_alone() {
    let found = |columns: &str| {
        let mut target = target();
        let cart = refers(target.tables.remove(0), "email", "line");
        target.tables.push(cart);
        let text = MAPPING.replace("email = \"lower(email)\"\n", columns);
        match try_compile(&text, &source(), &target) {
            Ok(_) => Vec::new(),
            Err(all) => all.lines(),
        }
    };
    assert_eq!(found(""), Vec::<String>::new());
    let found = found("email = \"lower(email)\"\n");
    assert_eq!(
        found,
        [
            "c:16:9: tables refer to each other in a circle, so none of them can be written first: \
             `cart` (cart_email_fkey), `line` (line_cart_id_fkey) (expected a column of one of these \
             keys that the mapping leaves to the target)"
        ]
    );
}

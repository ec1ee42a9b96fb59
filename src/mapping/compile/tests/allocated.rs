//! Keys that the target allocates: what is refused, what is asked for them, and that they are stored.

use super::*;
use crate::cart::answers::{Answer, Given, Question};
use crate::cart::image::{Cell, Image, Row};
use crate::mapping::expr::IdKey;
use crate::mapping::map::{MapError, Mapper};

const TEXT: &str = r#"name = "shop"
[source]
kind = "postgres"
url = "postgres://localhost/a"
[target]
kind = "postgres"
url = "postgres://localhost/b"
[cart]
table = "basket"
[cart.rows]
basket_line = { cart = "basket_id" }
[[into]]
table = "order"
per = "basket"
role = "header"
  [into.columns]
  id = { allocated = true }
  follows = "allocated('order', follows)"
[[into]]
table = "order_line"
per = "basket_line"
  [into.columns]
  id = { allocated = true }
  order_id = "allocated('order', basket_id)"
"#;

fn shops(id: &str) -> (Catalog, Catalog) {
    let catalog = |tables| Catalog {
        tables,
        search_path: vec!["public".into()],
    };
    let mut order = table("order", &format!("id {id} not null, follows integer"));
    let mut line = table("order_line", "id bigint not null, order_id integer");
    for table in [&mut order, &mut line] {
        table.primary_key = vec!["id".into()];
        table.columns[0].has_default = true;
    }
    let mut basket = table("basket", "id integer not null, follows integer");
    basket.primary_key = vec!["id".into()];
    let mut basket_line = table(
        "basket_line",
        "basket_id integer not null, Key text not null",
    );
    basket_line.primary_key = vec!["basket_id".into(), "Key".into()];
    (
        catalog(vec![basket, basket_line]),
        catalog(vec![order, line]),
    )
}

fn compiled(text: &str) -> Result<Compiled, String> {
    let (source, target) = shops("integer");
    try_compile(text, &source, &target).map_err(|e| e.render(false))
}

fn refusal(text: &str) -> String {
    compiled(text).expect_err("it is refused")
}

fn mapper(text: &str) -> Mapper {
    Mapper {
        mapping: compiled(text).unwrap_or_else(|e| panic!("{e}")).mapping,
        id: 1,
        secret: IdKey::of(b"k"),
    }
}

fn row(texts: &[&str]) -> Row {
    let cell = |text: &&str| match *text {
        "-" => Cell::Null,
        text => Cell::Text(text.into()),
    };
    Row {
        cells: texts.iter().map(cell).collect(),
        stamp: 0,
    }
}

#[test]
fn a_parent_and_its_children_ask_for_one_key() {
    let mapper = mapper(TEXT);
    let mut image = Image::empty(mapper.layout());
    image.tables[0].push(row(&["7", "-"]));
    image.tables[1].push(row(&["7", "a"]));
    let asked: Vec<(usize, String)> = mapper
        .asks(&image)
        .iter()
        .map(|q| (q.lookup, q.args.join("|")))
        .collect();
    assert_eq!(asked, [(0, "7".to_owned()), (1, "7|a".to_owned())]);
    for (lookup, args, key) in [(0, vec!["7"], "31"), (1, vec!["7", "a"], "900")] {
        let args: Vec<Box<str>> = args.into_iter().map(Box::from).collect();
        let question = Question {
            lookup,
            args: args.into(),
        };
        let given = Given::Row([Cell::Text(key.into())].into());
        image.answers.put(Answer { question, given });
    }
    let rows = mapper.map(&image).unwrap_or_else(|e| panic!("{e}"));
    let keys: Vec<&str> = rows.iter().map(|row| &*row.key[0]).collect();
    assert_eq!(keys, ["31", "900"]);
    assert_eq!(rows[1].cells[0].text(), Some("31"), "the child names it");
    assert_eq!(rows[0].cells[0], Cell::Null, "null has no key");
    assert!(mapper.mapping.intos.iter().all(|into| !into.shareable));
}

#[test]
fn one_that_is_not_allocated_is_no_key() {
    let mapper = mapper(TEXT);
    let mut image = Image::empty(mapper.layout());
    image.tables[0].push(row(&["7", "-"]));
    let question = Question {
        lookup: 0,
        args: [Box::from("7")].into(),
    };
    let given = Given::Missing;
    image.answers.put(Answer { question, given });
    let why = mapper.map(&image).map_err(|why: MapError| why.to_string());
    let why = why.expect_err("there is no key");
    assert!(
        why.contains("a key of public.order is not allocated yet"),
        "{why}"
    );
}

#[test]
fn it_is_part_of_the_stored_mapping() {
    let compiled = compiled(TEXT).unwrap_or_else(|e| panic!("{e}"));
    assert!(
        compiled.text.contains("id = { allocated = true }"),
        "{}",
        compiled.text
    );
    let again = recompile(&compiled.text, &compiled.schemas).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(again.lookups, compiled.mapping.lookups);
    assert_eq!(again.lookups[1].matches[1].name, "Key");
    let other = TEXT.replacen("id = { allocated = true }", "id = { key = \"id\" }", 1);
    let other = other.replace("\"allocated('order', follows)\"", "\"follows\"");
    let other = other.replace("\"allocated('order', basket_id)\"", "\"basket_id\"");
    let other = self::compiled(&other).unwrap_or_else(|e| panic!("{e}"));
    assert_ne!(compiled.hash, other.hash);
}

#[test]
fn what_cannot_be_is_refused_with_its_place() {
    let said = |text: &str, expected: &str| {
        let why = refusal(text);
        assert!(why.contains(expected), "{why}\n\n{expected}");
    };
    said(
        &TEXT.replace("'order', follows", "'oder', follows"),
        "no [[into]] has keys of `oder` allocated; there are order, order_line\n  --> c:18:14",
    );
    said(
        &TEXT.replace("'order', basket_id", "'order_line', basket_id"),
        "a key of `order_line` is that of a row with (basket_id, Key)",
    );
    said(
        &TEXT.replace("allocated('order', follows)", "allocated(follows)"),
        "`allocated` is called with the name of a target table",
    );
    said(
        &TEXT.replace(
            "per = \"basket_line\"",
            "per = \"basket_line\"\ngroup = \"basket_id\"",
        ),
        "keys are allocated for source rows, not for elements or groups of them",
    );
    let mysql = TEXT.replace(
        "[target]\nkind = \"postgres\"\nurl = \"postgres:",
        "[target]\nkind = \"mysql\"\nurl = \"mysql://me@localhost:3306/b\" #",
    );
    said(
        &mysql,
        "MySQL and MariaDB give a number to a row that is written",
    );
    said(&mysql, "--> c:17:3");
    said(&mysql, "1000000000 + id");
    let of_texts = shops("text");
    let why = try_compile(TEXT, &of_texts.0, &of_texts.1).map_err(|e| e.render(false));
    let why = why.expect_err("a text");
    assert!(
        why.contains("`id` is text, of which there is no sequence"),
        "{why}"
    );
}

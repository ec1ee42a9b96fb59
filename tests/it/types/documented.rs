//! The table of types in `docs/mapping.md` is what the code does.

use std::collections::BTreeSet;

use cartage::cart::layout::{Column, Layout, Table};
use cartage::mapping::expr::{Assign, Expr, Scope, assignable, function_names};
use cartage::sqltype::SqlType;

use super::columns::COPIED;

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/mapping.md");

/// The types of the table, in its order; the last stand for all others.
const TYPES: &[&str] = &[
    "smallint",
    "integer",
    "bigint",
    "numeric",
    "real",
    "double precision",
    "boolean",
    "text",
    "character varying",
    "citext",
    "character",
    "bytea",
    "date",
    "time without time zone",
    "time with time zone",
    "timestamp without time zone",
    "timestamp with time zone",
    "interval",
    "uuid",
    "json",
    "jsonb",
    "enum",
    "inet",
    "cidr",
    "money",
    "integer[]",
    "int4range",
];

fn ty(name: &str) -> SqlType {
    match name {
        "enum" => SqlType::enumeration("enum", vec!["a".into()]),
        // Without a length, as a column of a mapping's target can be.
        "character" => SqlType::parse("bpchar"),
        name => SqlType::parse(name),
    }
}

/// What an expression can do with a column of the type.
fn abilities(name: &str) -> String {
    let layout = Layout {
        tables: vec![Table {
            alias: "t".into(),
            schema: "public".into(),
            name: "t".into(),
            columns: vec![Column {
                name: "x".into(),
                ty: ty(name),
                not_null: false,
                bytewise: true,
            }],
            key: vec![0],
            cart: Some(vec![0]),
            parent: None,
        }],
    };
    let compiles = |text: &str| {
        let scope = Scope {
            layout: &layout,
            per: Layout::HEADER,
        };
        Expr::compile(text, &scope).is_ok()
    };
    let able: Vec<&str> = [
        ("`=`", "x = x"),
        ("`<`", "x < x"),
        ("`+`", "x + x"),
        ("`\\|\\|`", "x || 'a'"),
        ("into JSON", "json_build_array(x)"),
    ]
    .into_iter()
    .filter(|(_, text)| compiles(text))
    .map(|(shown, _)| shown)
    .collect();
    match able.is_empty() {
        true => "–".to_owned(),
        false => able.join(" "),
    }
}

/// Into which other types a column of the type can be written as it is.
fn takers(name: &str) -> String {
    let from = ty(name);
    let others = TYPES.iter().filter(|to| **to != name);
    let (mut exact, mut maybe) = (Vec::new(), Vec::new());
    for to in others {
        match assignable(&from, false, &ty(to)) {
            Assign::Exact => exact.push(format!("`{to}`")),
            Assign::MayFail(_) => maybe.push(format!("`{to}`")),
            Assign::No(_) => {}
        }
    }
    let list = |names: Vec<String>| match names.is_empty() {
        true => "–".to_owned(),
        false => names.join(", "),
    };
    format!("{} | {}", list(exact), list(maybe))
}

fn table() -> String {
    let mut text = "| type | in an expression | becomes, exactly | becomes, if the value fits |\n\
                    | --- | --- | --- | --- |\n"
        .to_owned();
    for name in TYPES {
        assert!(
            assignable(&ty(name), false, &ty(name)) == Assign::Exact,
            "{name} is not copied as it is"
        );
        text += &format!("| `{name}` | {} | {} |\n", abilities(name), takers(name));
    }
    text
}

#[test]
fn the_table_of_types_is_what_the_code_does() {
    let page = std::fs::read_to_string(PAGE).unwrap();
    let table = table();
    assert!(
        page.contains(&table),
        "docs/mapping.md should hold\n{table}"
    );
}

/// The words in backticks of a text, without what follows them in parentheses.
fn words(text: &str) -> BTreeSet<String> {
    let quoted: Vec<&str> = text.split('`').skip(1).step_by(2).collect();
    let mut depth = 0;
    let bare = |c: char| {
        depth += i32::from(c == '(') - i32::from(c == ')');
        match depth > 0 || c == ')' {
            true => ' ',
            false => c,
        }
    };
    let bare: String = quoted.join(" ").chars().map(bare).collect();
    let is_name = |w: &&str| w.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    let names = bare.split_whitespace().filter(is_name);
    names.map(str::to_owned).collect()
}

/// What stands under a heading of the page.
fn under<'p>(page: &'p str, heading: &str) -> &'p str {
    let (_, rest) = page.split_once(&format!("\n{heading}\n")).expect(heading);
    rest.split("\n#").next().unwrap_or_default()
}

#[test]
fn the_functions_of_the_page_are_those_of_the_code() {
    let page = std::fs::read_to_string(PAGE).unwrap();
    let known = function_names();
    let functions = under(&page, "### Functions");
    let rows: Vec<&str> = functions.lines().filter(|l| l.starts_with("| ")).collect();
    let told = words(&rows.join("\n"));
    assert!(told.len() > 40, "{told:?}");
    for name in &told {
        let is_known = known.contains_key(name.as_str());
        assert!(is_known, "{name} is on the page and in no code");
    }
    let aggregates = words(under(&page, "### Aggregates"));
    let forms = words(under(&page, "### Operators and forms"));
    for name in known.keys() {
        let told = [&told, &aggregates, &forms]
            .iter()
            .any(|all| all.contains(*name));
        assert!(told, "{name} is in the code and not on the page");
    }
}

/// Each function that Postgres has is among the random expressions that it judges.
#[test]
fn each_function_is_judged_by_postgres() {
    let oracle = [
        include_str!("../expression_oracle/generator.rs"),
        include_str!("../expression_oracle/carts.rs"),
    ]
    .concat();
    // Aggregates of our own names, which the server spells otherwise.
    let ours = ["first", "exists"];
    for (name, has) in function_names() {
        let called = oracle.contains(&format!("{name}("));
        assert!(
            called || !has || ours.contains(&name),
            "{name} is never called"
        );
    }
}

/// What the page says of copies is played: each of these types is among the columns that are copied.
#[test]
fn each_type_of_the_table_is_played() {
    let played: BTreeSet<String> = COPIED
        .iter()
        .map(|column| SqlType::parse(column.ty).name)
        .map(|name| name.split('(').next().unwrap_or_default().to_owned())
        .collect();
    for name in TYPES.iter().filter(|name| **name != "enum") {
        assert!(
            played.contains(*name),
            "{name} is in the table and not played"
        );
    }
    let page = std::fs::read_to_string(PAGE).unwrap();
    let (_, others) = page.split_once("Copied as they are, and no more:").unwrap();
    let others = others.split("\n\n").next().unwrap();
    let others: Vec<&str> = others.split('`').skip(1).step_by(2).collect();
    assert!(others.len() > 10);
    for name in others {
        assert!(
            played.contains(name),
            "{name} is in the list and not played"
        );
    }
}

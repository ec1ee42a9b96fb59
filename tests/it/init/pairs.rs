//! How much of each shipped mapping `init` proposes by itself, and that its proposals load and compile.

use std::collections::BTreeSet;
use std::path::Path;

use cartage::config::Config;
use serde_json::Value;

use super::meaning::{self, Names};
use super::{Sides, init};

/// The share of a preset's columns, in percent, below which the proposals have become worse.
struct Floor {
    pair: &'static str,
    source: &'static str,
    target: &'static str,
    /// What the preset asks for beyond the platform's own tables.
    more: &'static str,
    least: usize,
    /// The same of what stands in the proposed file, which fits both schemas.
    standing: usize,
}

const FLOORS: [Floor; 5] = [
    Floor {
        pair: "magento2-to-medusa",
        source: "magento2",
        target: "medusa2",
        more: "",
        least: 100,
        standing: 100,
    },
    Floor {
        pair: "spree-to-saleor",
        source: "spree",
        target: "saleor",
        more: "",
        least: 100,
        standing: 100,
    },
    Floor {
        pair: "prestashop-to-vendure",
        source: "prestashop",
        target: "vendure",
        more: "ALTER TABLE order_line ADD \"customFieldsLegacykey\" varchar UNIQUE",
        least: 100,
        standing: 100,
    },
    Floor {
        pair: "woocommerce-to-medusa",
        source: "woocommerce",
        target: "medusa2",
        more: "",
        least: 100,
        standing: 100,
    },
    Floor {
        pair: "opencart-to-saleor",
        source: "opencart",
        target: "saleor",
        more: "",
        least: 96,
        standing: 96,
    },
];

#[tokio::test]
async fn magento_to_medusa() {
    measure(&FLOORS[0]).await;
}

#[tokio::test]
async fn spree_to_saleor() {
    measure(&FLOORS[1]).await;
}

#[tokio::test]
async fn prestashop_to_vendure() {
    measure(&FLOORS[2]).await;
}

#[tokio::test]
async fn woocommerce_to_medusa() {
    measure(&FLOORS[3]).await;
}

#[tokio::test]
async fn opencart_to_saleor() {
    measure(&FLOORS[4]).await;
}

async fn measure(floor: &Floor) {
    let sides = Sides::of_platforms(floor.source, floor.target, floor.more).await;
    let (code, document, _) = init(&sides, &["--json"]);
    assert_eq!(code, 0, "{document}");
    let document: Value = serde_json::from_str(&document).unwrap();
    assert!(
        document["source"]["platform"].is_string() && document["target"]["platform"].is_string()
    );
    let text = document["toml"].as_str().unwrap();
    Config::parse(text, Path::new("first.toml")).unwrap_or_else(|e| panic!("{e}\n{text}"));

    let preset = std::fs::read_to_string(format!(
        "{}/config/{}.toml",
        env!("CARGO_MANIFEST_DIR"),
        floor.pair
    ))
    .unwrap();
    for (what, least, active) in [
        ("proposed", floor.least, false),
        ("standing", floor.standing, true),
    ] {
        let (all, missed) = compare(&preset, &document, active);
        let found = all - missed.len();
        let share = found * 100 / all;
        println!("{}: {found} of {all} columns {what}, {share} %", floor.pair);
        for missed in &missed {
            println!("  not {what}: {missed}");
        }
        assert!(
            share >= least,
            "{}: {share} % of the preset's columns are {what}, at least {least} % were: {missed:#?}",
            floor.pair,
        );
    }
    let out = taken_out(&document);
    for out in &out {
        println!("  taken out: {out}");
    }
    // What stands there fits, but for the columns that wait for an answer.
    assert_eq!(
        document["problems"],
        serde_json::json!([]),
        "{}: {text}",
        floor.pair
    );
    let waits = text
        .lines()
        .any(|line| line.contains("needs an answer") && line.contains("NOT NULL"));
    assert!(
        document["compiles"] == true || waits,
        "{}: {text}",
        floor.pair
    );
}

/// Pieces of the proposal that do not fit, each with its reason.
fn taken_out(document: &Value) -> Vec<String> {
    fn gather(value: &Value, at: &str, out: &mut Vec<String>) {
        if value["active"] == false {
            out.push(format!("{at}: {}", value["reason"]));
        }
        let name = |value: &Value| {
            let keys = ["table", "column", "name", "alias"].iter();
            let mut names = keys.filter_map(|key| Some(value[*key].as_str()?.to_owned()));
            names.next().unwrap_or_default()
        };
        match value {
            Value::Array(all) => all
                .iter()
                .for_each(|inner| gather(inner, &format!("{at} {}", name(inner)), out)),
            Value::Object(all) => all
                .iter()
                .for_each(|(key, inner)| gather(inner, &format!("{at} {key}"), out)),
            _ => {}
        }
    }
    let mut out = Vec::new();
    gather(document, "", &mut out);
    out
}

/// How many columns the preset has, and which of them are not proposed; where only what is `active`
/// counts, what was taken out again is not.
fn compare(preset: &str, document: &Value, active: bool) -> (usize, Vec<String>) {
    let asked = asked(preset);
    let preset: &toml::Table = &toml::from_str(preset).unwrap();
    let names = names_of_preset(preset);
    let proposed = names_of_proposal(document);
    let (mut all, mut missed) = (0, Vec::new());
    for into in preset["into"].as_array().unwrap() {
        let (table, per) = (
            into["table"].as_str().unwrap(),
            into["per"].as_str().unwrap(),
        );
        for (column, value) in into["columns"].as_table().unwrap() {
            let text = expression(value);
            let meaning = meaning::of(text, &names);
            all += 1;
            let offers = offers(document, table, per, column, active);
            let same = offers.iter().any(|offer| {
                let offered = meaning::of(offer, &proposed);
                // Of what the reader must answer, the example is anybody's.
                let example =
                    asked.contains(column) && offered.is_constant() && meaning.is_constant();
                offered == meaning || example
            });
            if !same {
                missed.push(format!(
                    "{table}.{column}: {text}\n       offered: {offers:?}"
                ));
            }
        }
    }
    (all, missed)
}

/// Columns of the preset that stand there as an example to be replaced.
fn asked(preset: &str) -> BTreeSet<String> {
    let lines = preset.lines().filter(|line| line.contains("ANSWER"));
    lines
        .filter_map(|line| Some(line.split_once('=')?.0.trim().to_owned()))
        .collect()
}

/// A column's expression, however it is written.
fn expression(value: &toml::Value) -> &str {
    let keys = ["key", "once", "value"];
    let inner = value
        .as_table()
        .and_then(|t| keys.iter().find_map(|k| t.get(*k)?.as_str()));
    value.as_str().or(inner).unwrap_or("allocated")
}

fn offers<'d>(
    document: &'d Value,
    table: &str,
    per: &str,
    column: &str,
    active: bool,
) -> Vec<&'d str> {
    let counts = move |piece: &&Value| !active || piece["active"] == true;
    let intos = document["into"].as_array().unwrap().iter();
    let spaceless = |text: &str| text.replace(' ', "");
    intos
        .filter(counts)
        .filter(|i| i["table"] == table)
        .filter(|i| spaceless(i["per"].as_str().unwrap()) == spaceless(per))
        .flat_map(|i| i["columns"].as_array().unwrap())
        .filter(counts)
        .filter(|c| c["column"] == column)
        .map(|c| c["expression"].as_str().unwrap())
        .collect()
}

fn names_of_preset(preset: &toml::Table) -> Names {
    let of = |section: &str| preset.get(section).and_then(|s| s.as_table()).cloned();
    let mut names = Names::new();
    for (name, lookup) in of("lookup").unwrap_or_default() {
        let get = lookup["get"].as_array().unwrap().iter();
        let get = get.map(|g| g.as_str().unwrap().to_owned()).collect();
        names.insert(
            name,
            Some((lookup["table"].as_str().unwrap().to_owned(), get)),
        );
    }
    names.extend(
        of("map")
            .unwrap_or_default()
            .into_iter()
            .map(|(name, _)| (name, None)),
    );
    names
}

fn names_of_proposal(document: &Value) -> Names {
    let mut names = Names::new();
    for lookup in document["lookups"].as_array().unwrap() {
        let get = lookup["get"].as_array().unwrap().iter();
        let get = get.map(|g| g.as_str().unwrap().to_owned()).collect();
        let table = lookup["table"].as_str().unwrap().to_owned();
        names.insert(
            lookup["name"].as_str().unwrap().to_owned(),
            Some((table, get)),
        );
    }
    let maps = document["maps"].as_array().unwrap().iter();
    names.extend(maps.map(|m| (m["name"].as_str().unwrap().to_owned(), None)));
    names
}

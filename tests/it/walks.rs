//! The walk over all carts of a source: which keys its query gives, on both kinds of server.

use std::collections::BTreeSet;
use std::path::PathBuf;

use cartage::cart::key::CartKey;
use cartage::config::Config;
use cartage::mapping::compile::compile;
use cartage::mapping::expr::Expr;
use cartage::mapping::plan::Mapping;
use cartage::source::Source;
use tempfile::TempDir;

use crate::scenario::daemon::{command, refusal};
use crate::scenario::folder::Scenario;
use crate::scenario::pair::Pair;
use crate::scenario::play::{create, write};

/// The configuration of a scenario whose shops are as they are before anything happens.
async fn prepared(name: &str, pair: &str, test: &str) -> (PathBuf, TempDir) {
    let scenario = Scenario::between(Pair::named(pair), name);
    let shops = create(&scenario, &format!("{test}_{name}_{pair}")).await;
    let folder = tempfile::tempdir().unwrap();
    let path = write(&scenario, &scenario.config, &shops, folder.path());
    (path, folder)
}

/// Its source, and its mapping.
async fn shop(name: &str, pair: &str) -> (Source, Mapping) {
    let (path, _folder) = prepared(name, pair, "walk").await;
    let config = Config::load(&path).unwrap();
    let source = Source::connect(&config.source, "walk").await.unwrap();
    let target = Source::connect(&config.target, "walk").await.unwrap();
    let here = source.catalog(&config.source_tables()).await.unwrap();
    let there = target.catalog(&config.target_tables()).await.unwrap();
    let mapping = compile(&config, &here, &there).unwrap().mapping;
    (source, mapping)
}

/// Page by page.
async fn keys(source: &Source, mapping: &Mapping, live: Option<&Expr>, page: usize) -> Vec<String> {
    let (mut all, mut after): (Vec<String>, Option<CartKey>) = (Vec::new(), None);
    loop {
        let next = source.next_keys(&mapping.layout, live, after.as_ref(), page);
        let next = next.await.unwrap();
        let Some(last) = next.last() else { return all };
        after = Some(last.clone());
        all.extend(next.iter().map(CartKey::to_string));
    }
}

#[tokio::test]
async fn carts_that_an_order_has_ended_are_not_asked_for() {
    for pair in ["pp", "mm"] {
        let (source, mapping) = shop("order_ends_cart", pair).await;
        let wanted: Vec<String> = (301..=400).map(|n| n.to_string()).collect();
        let found = keys(&source, &mapping, mapping.live.as_ref(), 30).await;
        assert_eq!(found, wanted, "{pair}");
        assert_eq!(keys(&source, &mapping, None, 1_000).await.len(), 400);
        let guess = source.estimate(&mapping.layout, mapping.live.as_ref());
        assert!(guess.await.unwrap().is_some(), "{pair}");
    }
}

#[tokio::test]
async fn carts_without_a_header_row_come_once_each() {
    for pair in ["pp", "mm"] {
        let (source, mapping) = shop("carts_without_header", pair).await;
        let customers = (1..=120).map(|n| format!("{}|{n}|s{n}", n % 2));
        let guests = (201..=320).map(|n| format!("0|0|g{n}"));
        let mut wanted: BTreeSet<String> = customers.chain(guests).collect();
        if pair == "mm" {
            wanted.insert("0|0|G201".to_owned());
        }
        for page in [1, 7, 1_000] {
            let found = keys(&source, &mapping, None, page).await;
            let each: BTreeSet<String> = found.iter().cloned().collect();
            assert_eq!(each, wanted, "{pair}, pages of {page}");
            assert_eq!(found.len(), each.len(), "{pair}, pages of {page}");
        }
        let guess = source.estimate(&mapping.layout, None).await.unwrap();
        assert!(guess.is_some(), "{pair}");
    }
}

#[tokio::test]
async fn a_live_part_of_the_rows_is_asked_for_by_them() {
    for pair in ["pp", "mm"] {
        let (source, mapping) = shop("carts_without_header_kept", pair).await;
        // Nothing is in the other twenty.
        let found = keys(&source, &mapping, mapping.live.as_ref(), 30).await;
        assert_eq!(found.len(), 100, "{pair}");
        assert_eq!(keys(&source, &mapping, None, 30).await.len(), 120, "{pair}");
    }
}

#[tokio::test]
async fn commands_take_carts_without_a_header_row_by_their_key() {
    for pair in ["pp", "mm"] {
        let (config, _folder) = prepared("carts_without_header", pair, "commands").await;
        let checks = command(&config, &["check"]);
        let index = "begins with store_id, customer_id, session_id";
        assert!(checks.contains(index), "{pair}: {checks}");
        let shown = command(&config, &["preview", "--json", "1|17|s17"]);
        let shown: serde_json::Value = serde_json::from_str(&shown).unwrap();
        let cart = &shown["carts"][0];
        assert_eq!(cart["source"].as_array().map(Vec::len), Some(3), "{pair}");
        let header = &cart["target"][0]["row"];
        let values = ["store", "customer", "session", "line_count", "quantity"];
        let values = values.map(|column| header[column].as_str().unwrap_or_default());
        assert_eq!(values, ["1", "17", "s17", "3", "6"], "{pair}");
        let said = refusal(&config, &["preview", "17"]);
        assert!(said.contains("store_id"), "{pair}: {said}");
    }
}

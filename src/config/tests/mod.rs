//! Configuration files that are read.

mod bad;
mod documented;
mod fuzz;
mod maps;
mod synthetic;

use std::path::Path;
use std::time::Duration;

use super::{Config, Fate, FieldRule, Kind, QuantityRule, TlsMode};
use crate::mapping::plan::Role;

const EXAMPLE: &str = include_str!("../../../config/example.toml");

/// The least that a pipeline needs, in six lines, with more after it.
fn with(more: &str) -> String {
    let ends = "kind = 'postgres'\nurl = 'postgres://u@h/d'\n";
    format!("name = 'a'\n[source]\n{ends}[target]\n{ends}{more}")
}

const CART: &str = "[cart]\ntable = 'orders'\n[cart.rows]\nitems = { cart = 'order_id' }\n";
const INTO: &str = "[[into]]\ntable = 't'\nper = 'orders'\ncolumns = { id = { key = 'id' } }\n";

fn problems(text: &str) -> Vec<String> {
    match Config::parse(text, Path::new("c")) {
        Ok(_) => Vec::new(),
        Err(all) => all.lines(),
    }
}

#[test]
fn the_example_is_good() {
    let config = Config::parse(EXAMPLE, Path::new("config/example.toml")).unwrap();
    assert_eq!(config.name, "old-to-new");
    assert_eq!(config.source.kind, Kind::Postgres);
    assert_eq!(config.source.tls.mode, TlsMode::Prefer);
    assert_eq!(config.apply.lanes, 4);
    assert_eq!(
        config.refresh.max_replica_lag,
        Some(Duration::from_secs(30))
    );
    assert_eq!(config.refresh.guard.as_ref().map(|g| g.1), Some(5.0));
    assert_eq!(config.log.level, "info,cartage::refresh=debug");
    assert_eq!(config.rows.len(), 3);
    let aliases: Vec<_> = config
        .rows
        .iter()
        .map(|r| r.alias.get_ref().as_str())
        .collect();
    assert_eq!(aliases, ["order_items", "item_options", "tokens"]);
    let header = &config.into[0];
    assert_eq!(header.role, Role::Header);
    assert!(matches!(&header.ended, Some(Fate::Set(set)) if set.len() == 1));
    let names: Vec<_> = header
        .columns
        .iter()
        .map(|c| c.name.get_ref().as_str())
        .collect();
    assert_eq!(names[..3], ["id", "email", "currency"]);
    assert!(header.columns[0].key && header.columns[6].once);
    assert_eq!(header.columns[5].merge, Some(FieldRule::Source));
    assert_eq!(config.merge.quantity, QuantityRule::Both);
}

#[test]
fn defaults() {
    let config = Config::parse(&with(&format!("{CART}{INTO}")), Path::new("c")).unwrap();
    assert!((1..=16).contains(&config.apply.lanes));
    assert_eq!(config.apply.batch_rows, 2000);
    assert_eq!(config.apply.batch_delay, Duration::ZERO);
    assert_eq!(config.apply.drain_timeout, Duration::from_secs(20));
    assert_eq!(config.refresh.chunk_carts, 1000);
    assert_eq!(config.refresh.parallel, 2);
    assert_eq!(config.source.connect_timeout, Duration::from_secs(10));
    assert_eq!(config.source.time_zone, "UTC");
    assert_eq!(config.into[0].lock.get_ref(), "row");
    assert_eq!(config.into[0].role, Role::Detail);
    assert!(config.ids_secret.is_none());
}

#[test]
fn a_mysql_source() {
    let text = with(&format!("{CART}{INTO}"))
        .replacen("'postgres'", "'mysql'", 1)
        .replacen("postgres://u@h/d", "mysql://u@one,two:3307/d", 1);
    let config = Config::parse(&text, Path::new("c")).unwrap();
    assert_eq!(config.source.kind, Kind::Mysql);
    let id = config.server_id();
    assert!(id >= 4_000_000_000);
    let other = text.replacen("name = 'a'", "name = 'b'", 1);
    let other = Config::parse(&other, Path::new("c")).unwrap();
    assert_ne!(other.server_id(), id);
    let own = text.replacen("[target]", "server_id = 7\n[target]", 1);
    let own = Config::parse(&own, Path::new("c")).unwrap();
    assert_eq!(own.server_id(), 7);
}

#[test]
fn a_mysql_target() {
    let text = with(&format!("{CART}{INTO}"));
    let (head, tail) = text.split_once("[target]").unwrap();
    let tail = tail.replacen("'postgres'", "'mysql'", 1);
    let tail = tail.replacen("postgres://u@h/d", "mysql://u@one,two:3307/d", 1);
    let config = Config::parse(&format!("{head}[target]{tail}"), Path::new("c")).unwrap();
    assert_eq!(config.source.kind, Kind::Postgres);
    assert_eq!(config.target.kind, Kind::Mysql);
}

#[test]
fn all_problems_come_at_once() {
    let text = EXAMPLE
        .replace("batch_rows = 2000", "batchrows = 2000")
        .replace("\"20s\"", "20")
        .replace("role = \"line\"", "role = \"lines\"")
        .replace("parent = \"order_items\"", "parent = \"order_item\"");
    let found = problems(&text);
    assert_eq!(found.len(), 5, "{found:#?}");
}

#[test]
fn secrets_are_never_shown() {
    let text = with("password = 'hunter2'").replacen("u@h", "u:hunter2@h", 1);
    let found = Config::parse(&text, Path::new("c")).unwrap_err();
    for shown in [
        found.to_string(),
        format!("{found:?}"),
        found.lines().concat(),
    ] {
        assert!(!shown.contains("hunter2"), "{shown}");
    }
    let good = with(&format!("{CART}{INTO}")).replacen("u@h", "u:hunter2@h", 1);
    let config = Config::parse(&good, Path::new("c")).unwrap();
    assert!(!format!("{config:?}").contains("hunter2"));
}

#[test]
fn a_secret_file_lies_beside_the_configuration() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("key"), "abc\n").unwrap();
    let text = with(&format!("[ids]\nsecret = {{ file = 'key' }}\n{CART}{INTO}"));
    let config = Config::parse(&text, &directory.path().join("c.toml")).unwrap();
    assert_eq!(config.ids_secret.map(|s| s.0).as_deref(), Some("abc"));
}

#[test]
fn the_mapping_part_reads_back() {
    let config = Config::parse(EXAMPLE, Path::new("c")).unwrap();
    let text = config.mapping_text();
    let again = Config::parse_mapping(&text).unwrap();
    assert_eq!(again.mapping_text(), text);
    assert!(!text.contains("postgres://"));
    let spaced = EXAMPLE
        .replace(" = ", "  =   ")
        .replace("lanes  =   4", "lanes = 1");
    let other = Config::parse(&spaced, Path::new("c")).unwrap();
    assert_eq!(other.mapping_text().replace(' ', ""), text.replace(' ', ""));
}

#[test]
fn odd_texts_read_back() {
    let odd = "e'\\\\n' || \\\"a\\\" || '\\u00e9\\t\\u0001'";
    let text = with(&format!(
        "{CART}[[into]]\ntable = 't'\nper = 'orders'\n[into.columns]\n'a b' = {{ key = \"{odd}\" }}\n"
    ));
    let config = Config::parse(&text, Path::new("c")).unwrap();
    let again = Config::parse_mapping(&config.mapping_text()).unwrap();
    let (was, is) = (&config.into[0].columns[0], &again.into[0].columns[0]);
    assert_eq!(
        (was.name.get_ref(), was.value.get_ref()),
        (is.name.get_ref(), is.value.get_ref())
    );
}

proptest::proptest! {
    /// Whatever a file holds, the answer is a configuration or a list of problems.
    #[test]
    fn broken_files_are_problems(at in 0..EXAMPLE.len(), len in 0usize..40, with in "[\\[\\]{}=\"'#\\\\.\\n a-zé0-9]{0,6}") {
        let floor = |n: usize| EXAMPLE.floor_char_boundary(n.min(EXAMPLE.len()));
        let text = format!("{}{with}{}", &EXAMPLE[..floor(at)], &EXAMPLE[floor(at + len)..]);
        match Config::parse(&text, Path::new("c")) {
            Ok(config) => {
                let text = config.mapping_text();
                let again = Config::parse_mapping(&text).unwrap_or_else(|e| panic!("{e}"));
                proptest::prop_assert_eq!(again.mapping_text(), text);
            }
            Err(all) => {
                proptest::prop_assert!(!all.is_empty());
                proptest::prop_assert!(!all.to_string().is_empty() && !all.render(true).is_empty());
            }
        }
    }
}

#[test]
fn what_a_running_daemon_cannot_take_is_named() {
    let started = Config::parse(EXAMPLE, Path::new("c")).unwrap();
    let changed = |from: &str, to: &str| {
        assert!(EXAMPLE.contains(from), "{from}");
        let other = Config::parse(&EXAMPLE.replacen(from, to, 1), Path::new("c")).unwrap();
        started.differences(&other)
    };
    assert!(changed("rows_per_second = 20000", "rows_per_second = 1").is_empty());
    assert!(changed("cartage::refresh=debug", "cartage=trace").is_empty());
    assert!(changed("# One pipeline", "\n# One pipeline").is_empty());
    assert_eq!(changed("old-to-new", "other"), ["name"]);
    assert_eq!(changed("old-db", "new-old-db"), ["[source]"]);
    assert_eq!(changed("new-db-2", "new-db-3"), ["[target]"]);
    assert_eq!(changed("lanes = 4", "lanes = 5"), ["[apply]"]);
    let mapping = ["[cart], [map], [[into]] or [merge]"];
    assert_eq!(changed("lower(email)", "upper(email)"), mapping);
    assert_eq!(changed("state = 'cart'", "state = 'open'"), mapping);
}

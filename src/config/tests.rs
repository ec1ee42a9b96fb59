//! Configuration files, good and bad.

use std::path::Path;
use std::time::Duration;

use super::{Config, Fate, FieldRule, Kind, QuantityRule, TlsMode};
use crate::mapping::plan::Role;

const EXAMPLE: &str = include_str!("../../config/example.toml");

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
    assert!(config.apply.lanes >= 1);
    assert_eq!(config.apply.batch_rows, 5000);
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
fn all_problems_come_at_once() {
    let text = EXAMPLE
        .replace("batch_rows = 5000", "batchrows = 5000")
        .replace("\"20s\"", "20")
        .replace("role = \"line\"", "role = \"lines\"")
        .replace("parent = \"order_items\"", "parent = \"order_item\"");
    let found = problems(&text);
    assert_eq!(found.len(), 5, "{found:#?}");
}

/// A bad piece of a file, and the one message that it must give.
fn check_table(cases: &[(&str, String, &str)]) {
    let mut failures = Vec::new();
    for (what, text, expected) in cases {
        let found = problems(text).join("\n");
        if found != *expected {
            failures.push(format!("{what}\n   found: {found}\nexpected: {expected}"));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

#[test]
fn bad_settings() {
    let rest = |section: &str| with(&format!("{section}\n{CART}{INTO}"));
    let name = |name: &str| rest("").replacen("'a'", name, 1);
    check_table(&[
        ("upper case", name("'A'"), "x"),
        ("syntax", rest("x = = 1"), "x"),
        ("section", rest("[aply]"), "x"),
        ("key", rest("[apply]\nlane = 1"), "x"),
        ("type", rest("[apply]\nlanes = '1'"), "x"),
        ("range", rest("[apply]\nlanes = 0"), "x"),
        ("duration", rest("[apply]\nbatch_delay = '5 sec'"), "x"),
        ("duration type", rest("[apply]\nbatch_delay = 5"), "x"),
        (
            "guard",
            rest("[refresh]\nguard = { sql = 'select 1' }"),
            "x",
        ),
        ("mysql", rest("").replacen("'postgres'", "'mysql'", 1), "x"),
        (
            "url",
            rest("").replacen("postgres://u", "http://u:pw", 1),
            "x",
        ),
        (
            "plain password",
            rest("").replacen("[target]", "password = 'pw'\n[target]", 1),
            "x",
        ),
        (
            "env",
            rest("").replacen(
                "[target]",
                "password = { env = 'CARTAGE_NOT_SET' }\n[target]",
                1,
            ),
            "x",
        ),
        ("file", rest("[ids]\nsecret = { file = '/nowhere/x' }"), "x"),
        (
            "tls mode",
            rest("").replacen("[target]", "tls = { mode = 'verify' }\n[target]", 1),
            "x",
        ),
        (
            "tls file",
            rest("").replacen("[target]", "tls = { ca = '/nowhere/x' }\n[target]", 1),
            "x",
        ),
        (
            "zone",
            rest("").replacen("[target]", "time_zone = 'Berlin'\n[target]", 1),
            "x",
        ),
        ("merge", rest("[merge]\nquantity = 'most'"), "x"),
        ("lookup", rest("[lookup.variant]\non = 'target'"), "x"),
        ("reconcile", rest("[reconcile]"), "x"),
        ("synthetic", rest("[synthetic]"), "x"),
        ("routing", rest("[routing]\nx = 1"), "x"),
        ("guard section", rest("[guard]"), "x"),
        ("admin", rest("[admin]"), "x"),
    ]);
}

#[test]
fn bad_carts() {
    let cart = |rows: &str| {
        with(&format!(
            "[cart]\ntable = 'orders'\n[cart.rows]\n{rows}\n{INTO}"
        ))
    };
    check_table(&[
        ("no cart", with(INTO), "x"),
        (
            "no table",
            with(&format!("[cart]\nkey = 'id'\n{INTO}")),
            "x",
        ),
        ("no way to the cart", cart("items = {}"), "x"),
        (
            "no by",
            cart("a = { cart = 'c' }\nb = { parent = 'a' }"),
            "x",
        ),
        ("no parent", cart("a = { cart = 'c', by = 'x' }"), "x"),
        (
            "unknown parent",
            cart("items = { cart = 'c' }\nb = { parent = 'item', by = 'x' }"),
            "x",
        ),
        ("self only", cart("a = { parent = 'a', by = 'x' }"), "x"),
        (
            "cycle",
            cart("a = { cart = 'c', parent = 'b', by = 'x' }\nb = { parent = 'a', by = 'x' }"),
            "x",
        ),
        ("keyword", cart("item = { cart = 'c' }"), "x"),
        (
            "header's name",
            cart("orders = { table = 'old.orders', cart = 'c' }"),
            "x",
        ),
        ("key type", cart("a = { cart = 'c', key = 1 }"), "x"),
        ("key items", cart("a = { cart = 'c', key = ['a', 1] }"), "x"),
        ("unknown key", cart("a = { cart = 'c', tabel = 'x' }"), "x"),
    ]);
    assert!(problems(&cart("a = { cart = 'c', parent = 'a', by = 'x' }")).is_empty());
}

#[test]
fn bad_intos() {
    let into = |into: &str| with(&format!("{CART}[[into]]\n{into}"));
    let columns = |columns: &str| {
        into(&format!(
            "table = 't'\nper = 'items'\n[into.columns]\n{columns}"
        ))
    };
    let key = "columns = { id = { key = 'id' } }";
    check_table(&[
        ("none", with(CART), "x"),
        (
            "single brackets",
            with(&format!("{CART}[into]\ntable = 't'")),
            "x",
        ),
        ("no table", into(&format!("per = 'items'\n{key}")), "x"),
        ("no per", into(&format!("table = 't'\n{key}")), "x"),
        (
            "unknown per",
            into(&format!("table = 't'\nper = 'item'\n{key}")),
            "x",
        ),
        (
            "cart",
            into(&format!("table = 't'\nper = 'cart'\n{key}")),
            "x",
        ),
        (
            "each",
            into(&format!(
                "table = 't'\nper = \"each(php_unserialize(v))\"\n{key}"
            )),
            "x",
        ),
        (
            "group",
            into(&format!(
                "table = 't'\nper = 'items'\ngroup = ['sku']\n{key}"
            )),
            "x",
        ),
        ("no columns", into("table = 't'\nper = 'items'"), "x"),
        ("no key", columns("a = 'a'"), "x"),
        (
            "allocated",
            columns("id = { allocated = true }\nk = { key = 'k' }"),
            "x",
        ),
        (
            "two values",
            columns("id = { key = 'id', value = 'x' }"),
            "x",
        ),
        ("no value", columns("id = { key = true }"), "x"),
        ("empty", columns("id = { key = 'id' }\na = ''"), "x"),
        ("number", columns("id = { key = 'id' }\na = 1"), "x"),
        (
            "merge",
            columns("id = { key = 'id' }\na = { value = 'a', merge = 'max' }"),
            "x",
        ),
        (
            "unknown",
            columns("id = { key = 'id' }\na = { valeu = 'a' }"),
            "x",
        ),
        (
            "fate",
            into(&format!(
                "table = 't'\nper = 'items'\ndeleted = 'gone'\n{key}"
            )),
            "x",
        ),
        (
            "fate table",
            into(&format!(
                "table = 't'\nper = 'items'\ndeleted = {{ sets = 1 }}\n{key}"
            )),
            "x",
        ),
        (
            "line",
            into(&format!(
                "table = 't'\nper = 'items'\nline = {{ product = 'p' }}\n{key}"
            )),
            "x",
        ),
        (
            "filter",
            into(&format!("table = 't'\nper = 'items'\nwhere = true\n{key}")),
            "x",
        ),
    ]);
    let live = with(&format!(
        "[cart]\ntable = 'orders'\nlive = 'true'\n{INTO}role = 'header'"
    ));
    check_table(&[("ended", live, "x")]);
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

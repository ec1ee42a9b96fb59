//! `docs/hazards.md` names a test for each hazard, and each test that it names is there.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// What a row of the page gives as tests, by the number of its hazard.
fn rows(page: &str) -> BTreeMap<String, Vec<String>> {
    let mut rows = BTreeMap::new();
    for line in page.lines().filter(|line| line.starts_with("| ")) {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        if !cells[0].starts_with(|c: char| c.is_ascii_digit()) {
            continue;
        }
        assert_eq!(cells.len(), 4, "{line}");
        assert!(cells[1..].iter().all(|cell| !cell.is_empty()), "{line}");
        let quoted = cells[3].split('`').skip(1).step_by(2);
        let tests: Vec<String> = quoted.map(str::to_owned).collect();
        assert!(!tests.is_empty(), "hazard {} has no test", cells[0]);
        let before = rows.insert(cells[0].to_owned(), tests);
        assert!(before.is_none(), "hazard {} stands there twice", cells[0]);
    }
    rows
}

/// Whether there is a test of this name: the path of its modules is that of its file.
fn exists(name: &str) -> bool {
    if let Some(scenario) = name.strip_prefix("scenario ") {
        let folder = Path::new(ROOT).join("tests/scenarios").join(scenario);
        return folder.join("cartage.toml").is_file();
    }
    let Some((modules, function)) = name.rsplit_once("::") else {
        return false;
    };
    let path: PathBuf = modules.split("::").collect();
    let within: PathBuf = modules.split("::").filter(|m| *m != "tests").collect();
    let roots = ["tests/it", "src"].map(|root| Path::new(ROOT).join(root));
    let files = roots.iter().flat_map(|root| {
        let (path, within) = (root.join(&path), root.join(&within));
        [
            path.with_extension("rs"),
            path.join("mod.rs"),
            within.with_extension("rs"),
        ]
    });
    let is_test = |file: &PathBuf| {
        let text = fs::read_to_string(file).unwrap_or_default();
        // Those that a macro makes tests of, one for each kind of target.
        let both = text.split("\non_both! {").nth(1);
        let both = both.and_then(|rest| rest.split('}').next());
        if both.is_some_and(|names| names.split_whitespace().any(|name| name == function)) {
            return text.contains(&format!("\nasync fn {function}("));
        }
        let Some((before, _)) = text.split_once(&format!("fn {function}(")) else {
            return false;
        };
        // What stands right before it, up to the end of the item before.
        let own = before.rsplit("}\n").next().unwrap();
        own.contains("#[test]") || own.contains("#[tokio::test")
    };
    files.collect::<Vec<_>>().iter().any(is_test)
}

#[test]
fn each_hazard_has_tests_that_are_there() {
    let page = fs::read_to_string(Path::new(ROOT).join("docs/hazards.md")).unwrap();
    let rows = rows(&page);
    let parts = ["7a", "20a", "20b", "20c"].map(str::to_owned);
    let wanted: Vec<String> = (1..=27).map(|n| n.to_string()).chain(parts).collect();
    let missing: Vec<&String> = wanted.iter().filter(|n| !rows.contains_key(*n)).collect();
    assert!(missing.is_empty(), "no row for {missing:?}");
    assert_eq!(rows.len(), wanted.len());
    let gone: Vec<String> = rows
        .iter()
        .flat_map(|(n, tests)| tests.iter().map(move |test| (n, test)))
        .filter(|(_, test)| !exists(test))
        .map(|(n, test)| format!("hazard {n}: {test}"))
        .collect();
    assert!(gone.is_empty(), "no such tests:\n{}", gone.join("\n"));
}

#[test]
fn what_is_not_there_is_noticed() {
    assert!(exists(
        "protocol::confirmed::what_is_not_durable_is_not_confirmed"
    ));
    assert!(!exists("protocol::confirmed::what_never_was"));
    assert!(!exists(
        "protocol::batches::what_is_not_durable_is_not_confirmed"
    ));
    assert!(!exists("scenario of_nobody"));
    // There, and no test.
    assert!(!exists("commands::refresh_when_up"));
    assert!(exists(
        "conflicts::repair::what_is_written_meanwhile_is_not_written_over"
    ));
    assert!(!exists("conflicts::repair::written_and_asked"));
}

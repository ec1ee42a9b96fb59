//! `cartage demo` between shops on different kinds of servers, small.

use std::process::{Command, Output, Stdio};
use std::sync::{Mutex, PoisonError};

use cartage::demo::mysql::Programs;
use cartage::mysql::connect::Flavor;
use serde_json::Value;

fn demo(source: &str, target: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cartage"));
    command
        .args(["demo", "--json", "--source", source, "--target", target])
        .args(["--carts", "2000", "--rate", "120", "--seconds", "10"])
        .args(["--transactions", "2000"])
        .env_remove("RUST_LOG")
        .stdin(Stdio::null());
    command
}

/// Its exit code, and what it found; all else that it said, for whoever has to look.
fn end(command: &mut Command) -> (Option<i32>, Value, String) {
    // A demo is a shop at work; several at a time only make each other late.
    static ALONE: Mutex<()> = Mutex::new(());
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let Output {
        status,
        stdout,
        stderr,
    } = command.output().unwrap();
    let said = String::from_utf8_lossy(&stderr).into_owned();
    let report = serde_json::from_slice(&stdout);
    (status.code(), report.unwrap_or_default(), said)
}

fn is_well(source: &str, target: &str) {
    let (code, report, said) = end(&mut demo(source, target));
    assert_eq!(code, Some(0), "{source} to {target}: {report}\n{said}");
    let number = |name: &str| report[name].as_i64().unwrap();
    for none in ["different", "missing", "extra", "held", "version_wrong"] {
        assert_eq!(number(none), 0, "{none}: {report}\n{said}");
    }
    assert!(number("carts_compared") > 500, "{report}");
    let ended = number("ended_compared") + number("ended_unseen");
    assert!(ended > 20, "{report}");
    assert!(number("transactions") >= 2_000, "{report}");
    assert!(number("kills_with_lag") >= 1, "{report}\n{said}");
    for (end, kind) in [("source", source), ("target", target)] {
        assert_eq!(report[end]["kind"], kind, "{report}");
        let version = report[end]["version"].as_str().unwrap();
        assert!(!version.is_empty());
        assert_eq!(version.contains("MariaDB"), kind == "mariadb", "{version}");
    }
}

/// One line of the new shop is changed behind the back of the daemon, and that one is found.
fn is_found_out(source: &str, target: &str) {
    let (code, report, said) = end(demo(source, target).arg("--sabotage"));
    assert_eq!(code, Some(3), "{source} to {target}: {report}\n{said}");
    assert_eq!(report["different"], 1, "{report}\n{said}");
    assert_eq!(report["version_wrong"], 0, "{report}\n{said}");
}

/// MySQL, not MariaDB, is not everywhere.
fn has_mysql() -> bool {
    Programs::of(Flavor::MySql).is_ok()
}

#[test]
fn from_mariadb_to_postgres() {
    is_well("mariadb", "postgres");
}

#[test]
fn from_postgres_to_mariadb() {
    is_found_out("postgres", "mariadb");
}

#[test]
fn from_mysql_to_mariadb() {
    if has_mysql() {
        is_well("mysql", "mariadb");
    }
}

#[test]
fn from_mariadb_to_mysql() {
    if has_mysql() {
        is_found_out("mariadb", "mysql");
    }
}

#[test]
fn it_says_what_it_lacks_before_it_starts_anything() {
    for (kind, way) in [
        ("mysql", "https://dev.mysql.com/downloads/mysql/"),
        ("postgres", "CARTAGE_PG_BIN"),
    ] {
        let empty = tempfile::tempdir().unwrap();
        let mut command = demo(kind, "mariadb");
        command
            .env("PATH", empty.path())
            .env("TMPDIR", empty.path())
            .env("CARTAGE_PG_BIN", empty.path())
            .env("CARTAGE_MYSQL_BIN", empty.path());
        let (code, _, said) = end(&mut command);
        assert_eq!(code, Some(1), "{said}");
        assert!(said.contains(way), "{said}");
        assert_eq!(said.lines().count(), 1, "{said}");
        let left = empty.path().read_dir().unwrap().count();
        assert_eq!(left, 0, "{said}");
    }
}

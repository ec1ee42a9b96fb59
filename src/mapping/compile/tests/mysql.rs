//! Mappings onto tables of MySQL, with what is different there.

use super::{MAPPING, source, target, try_compile};
use crate::catalog::Catalog;
use crate::mapping::plan::Lock;
use crate::mysql::types::{Declared, read};

const TARGET: &str = "[target]\nkind = \"postgres\"\nurl = \"postgres:";

fn mapping() -> String {
    let text = MAPPING.replace(TARGET, "[target]\nkind = \"mysql\"\nurl = \"mysql:");
    assert_ne!(text, MAPPING);
    text
}

/// The usual target with a column of the header's table in a type of MySQL.
fn with(column: &str, column_type: &str, fraction: u64) -> Catalog {
    let mut target = target();
    let columns = &mut target.tables[0].columns;
    let column = columns.iter_mut().find(|c| c.name == column).unwrap();
    let declared = Declared {
        data_type: column_type.split([' ', '(']).next().unwrap(),
        column_type,
        fraction: Some(fraction),
        ..Declared::default()
    };
    column.ty = read(&declared).0;
    target
}

#[track_caller]
fn refused(text: &str, target: &Catalog, message: &str) {
    let found = try_compile(text, &source(), target).unwrap_err().lines();
    assert_eq!(found, [message]);
}

#[test]
fn a_literal_is_judged_by_the_narrow_types_too() {
    let said = |literal: &str, ty: &str| {
        let column = format!("version = \"{literal}\"\nemail = \"lower");
        let text = mapping()
            .replace("lock = \"version\"", "lock = \"row\"")
            .replace("email = \"lower", &column);
        let compiled = try_compile(&text, &source(), &with("version", ty, 0));
        let lines = compiled.unwrap_or_else(|e| panic!("{e}")).warnings.lines();
        lines
            .iter()
            .any(|line| line.contains("does not fit into `version`"))
    };
    assert!(!said("255", "tinyint unsigned"));
    assert!(said("256", "tinyint unsigned"));
    assert!(said("-1", "bigint unsigned"));
    assert!(!said("0", "bigint unsigned"));
}

#[test]
fn what_is_postgres_own_is_refused_by_name() {
    let text = mapping()
        .replace("lock = \"version\"", "lock = \"xmin\"")
        .replace("email = \"lower", "version = \"1\"\nemail = \"lower");
    refused(
        &text,
        &with("touched", "timestamp(6)", 6),
        "c:19:8: `xmin` is Postgres' row version, which MySQL has none of (expected `row`, or a column)",
    );
}

#[test]
fn a_clock_must_be_fine_enough() {
    let text = mapping()
        .replace("lock = \"version\"", "lock = \"touched\"")
        .replace("email = \"lower", "version = \"1\"\nemail = \"lower");
    refused(
        &text,
        &with("touched", "datetime", 0),
        "c:19:8: `touched` is datetime, too coarse for a lock (expected a datetime(6) or timestamp(6), or `row`)",
    );
    for fine in ["datetime(6)", "timestamp(6)"] {
        let compiled = try_compile(&text, &source(), &with("touched", fine, 6)).unwrap();
        let lock = &compiled.mapping.intos[0].lock;
        assert_eq!(*lock, Lock::Clock("touched".into()), "{fine}");
    }
}

#[test]
fn large_counters_are_locks() {
    let target = with("version", "bigint unsigned", 0);
    let compiled = try_compile(&mapping(), &source(), &target).unwrap();
    let lock = &compiled.mapping.intos[0].lock;
    assert_eq!(*lock, Lock::Counter("version".into()));
}

#[test]
fn a_boolean_goes_into_a_flag() {
    let text = mapping().replace(
        "email = \"lower",
        "code = \"state = 'cart'\"\nemail = \"lower",
    );
    for flag in ["tinyint(1)", "bit(1)"] {
        let compiled = try_compile(&text, &source(), &with("code", flag, 0)).unwrap();
        let warnings = compiled.warnings.lines();
        assert!(!warnings.iter().any(|w| w.contains("code")), "{warnings:?}");
    }
    refused(
        &text,
        &with("code", "int", 0),
        "c:23:8: cannot be written into `code`: boolean becomes int only by a cast: write cast(… as integer) (expected int)",
    );
}

#[test]
fn what_closes_a_row_must_be_sure() {
    let closed = |condition: &str| {
        let line = format!("lock = \"version\"\nclosed = \"{condition}\"");
        mapping().replace("lock = \"version\"", &line)
    };
    let target = with("touched", "datetime", 0);
    let compiled = try_compile(&closed("email > 'x'"), &source(), &target).unwrap();
    let closed_by = compiled.mapping.intos[0].closed.as_ref().unwrap();
    assert_eq!(closed_by.columns, ["email"]);
    refused(
        &closed("cast(email as integer) = 1"),
        &target,
        "c:20:16: a cast to integer can fail, and this must not",
    );
    // The same is for Postgres to judge, where it can.
    let line = "lock = \"version\"\nclosed = \"email > 'x'\"";
    let text = MAPPING.replace("lock = \"version\"", line);
    refused(
        &text,
        &super::target(),
        "c:20:10: the target's server cannot judge this condition (expected a condition that Postgres can state)",
    );
}

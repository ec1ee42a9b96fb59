//! What each target table must be for guarded writes: keys, locks, foreign keys, triggers.

use super::report::{End, Report};
use crate::catalog::{Catalog, TableInfo, TableKind};
use crate::config::{Config, Into};
use crate::mapping::plan::Role;
use crate::source::postgres::tables::{quoted, quoted_name};

pub fn check(config: &Config, target: &Catalog, report: &mut Report) {
    for into in &config.into {
        let Some(info) = target.find(into.table.get_ref()) else {
            let name = into.table.get_ref();
            let message = format!(
                "the target has no table {name}; create it or correct the name (is its schema in \
                 the search path?)"
            );
            report.fail("target table", End::Target, message, None);
            continue;
        };
        if matches!(info.kind, TableKind::Other) {
            let name = quoted(&info.schema, &info.name);
            let message = format!("{name} is no table; name the table below");
            report.fail("target table", End::Target, message, None);
            continue;
        }
        key(into, info, report);
        lock(into, info, report);
        line_index(config, into, info, target, report);
        not_ours(into, info, report);
    }
}

/// A write finds its row by the key, and two carts must never share one.
fn key(into: &Into, info: &TableInfo, report: &mut Report) {
    let mut key: Vec<&str> = into
        .columns
        .iter()
        .filter(|c| c.key)
        .map(|c| c.name.get_ref().as_str())
        .collect();
    key.sort_unstable();
    if key.is_empty() {
        return; // The loader says so.
    }
    let unique = std::iter::once(&info.primary_key)
        .chain(&info.uniques)
        .any(|columns| {
            let mut columns: Vec<&str> = columns.iter().map(String::as_str).collect();
            columns.sort_unstable();
            columns == key
        });
    let name = quoted(&info.schema, &info.name);
    let columns = key
        .iter()
        .map(|c| quoted_name(c))
        .collect::<Vec<_>>()
        .join(", ");
    if unique {
        report.pass("unique key", End::Target, format!("{name} ({columns})"));
    } else {
        report.fail(
            "unique key",
            End::Target,
            format!("no unique index of {name} is over its key ({columns})"),
            Some(format!(
                "CREATE UNIQUE INDEX CONCURRENTLY ON {name} ({columns})"
            )),
        );
    }
}

fn lock(into: &Into, info: &TableInfo, report: &mut Report) {
    let lock = into.lock.get_ref().as_str();
    let name = quoted(&info.schema, &info.name);
    match lock {
        "row" | "xmin" => report.pass("lock", End::Target, format!("{name} by {lock}")),
        column => match info.column(column) {
            None => report.fail(
                "lock",
                End::Target,
                format!("{name} has no column {column} to lock by"),
                None,
            ),
            Some(c) if c.generated => report.fail(
                "lock",
                End::Target,
                format!("the lock column {column} of {name} is generated: it cannot be written"),
                None,
            ),
            Some(_) => report.pass("lock", End::Target, format!("{name} by {column}")),
        },
    }
}

/// The identity guard asks for each inserted line whether its cart has that product already.
fn line_index(
    config: &Config,
    into: &Into,
    info: &TableInfo,
    target: &Catalog,
    report: &mut Report,
) {
    if into.line.is_none() {
        return;
    }
    let headers: Vec<&TableInfo> = config
        .into
        .iter()
        .filter(|i| i.role == Role::Header)
        .filter_map(|i| target.find(i.table.get_ref()))
        .collect();
    let name = quoted(&info.schema, &info.name);
    for key in &info.foreign_keys {
        let to_header = headers
            .iter()
            .any(|h| h.schema == key.schema && h.name == key.table);
        let Some(first) = key.columns.first() else {
            continue;
        };
        if !to_header
            || info
                .indexes
                .iter()
                .any(|index| index.first() == Some(first))
        {
            continue;
        }
        report.warn(
            "line index",
            End::Target,
            format!("no index of {name} begins with {first}: each new line scans the table"),
            Some(format!(
                "CREATE INDEX CONCURRENTLY ON {name} ({})",
                quoted_name(first)
            )),
        );
    }
}

/// Columns and triggers that write beside us.
fn not_ours(into: &Into, info: &TableInfo, report: &mut Report) {
    let name = quoted(&info.schema, &info.name);
    for column in &into.columns {
        let column = column.name.get_ref();
        let Some(found) = info.column(column) else {
            report.fail(
                "target column",
                End::Target,
                format!("{name} has no column {column}"),
                None,
            );
            continue;
        };
        if found.generated {
            report.fail(
                "target column",
                End::Target,
                format!("the column {column} of {name} is generated always: leave it out"),
                None,
            );
        }
    }
    let mapped = |name: &str| into.columns.iter().any(|c| c.name.get_ref() == name);
    for column in &info.columns {
        let locked = into.lock.get_ref() == &column.name;
        let filled = column.has_default || column.generated || column.identity;
        if column.not_null && !filled && !mapped(&column.name) && !locked {
            report.fail(
                "target column",
                End::Target,
                format!(
                    "the column {} of {name} is NOT NULL without a default, and nothing maps it",
                    column.name
                ),
                None,
            );
        }
    }
    if !info.triggers.is_empty() {
        report.warn(
            "triggers",
            End::Target,
            format!(
                "{name} has triggers ({}): they fire for our writes too; if one of them writes \
                 a mapped column, every such cart ends up held",
                info.triggers.join(", ")
            ),
            None,
        );
    }
}

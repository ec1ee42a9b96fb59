//! What each target table must be for guarded writes: keys, locks, foreign keys, triggers.

use super::report::{End, Report};
use super::spell::Spell;
use crate::catalog::{Catalog, TableInfo, TableKind};
use crate::config::{Config, Into, Kind};
use crate::mapping::plan::Role;

pub fn check(config: &Config, target: &Catalog, report: &mut Report) {
    let spell = Spell(config.target.kind);
    for into in &config.into {
        let Some(info) = target.find(into.table.get_ref()) else {
            let name = into.table.get_ref();
            let message = match spell.0 {
                Kind::Postgres => format!(
                    "the target has no table {name}; create it or correct the name (is its schema \
                     in the search path?)"
                ),
                // A table on which a user may do nothing is not shown to it.
                Kind::Mysql => format!(
                    "the target has no table {name}, or hides it from our user; create it, correct \
                     the name (is it in the URL's database?), or GRANT SELECT on it"
                ),
            };
            report.fail("target table", End::Target, message, None);
            continue;
        };
        if matches!(info.kind, TableKind::Other) {
            let name = spell.table(info);
            let message = format!("{name} is no table; name the table below");
            report.fail("target table", End::Target, message, None);
            continue;
        }
        key(spell, into, info, report);
        lock(spell, into, info, report);
        line_index(config, into, info, target, report);
        not_ours(spell, into, info, report);
    }
}

/// A write finds its row by the key, and two carts must never share one.
fn key(spell: Spell, into: &Into, info: &TableInfo, report: &mut Report) {
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
    let name = spell.table(info);
    let columns = key
        .iter()
        .map(|c| spell.column(c))
        .collect::<Vec<_>>()
        .join(", ");
    if unique {
        report.pass("unique key", End::Target, format!("{name} ({columns})"));
    } else {
        report.fail(
            "unique key",
            End::Target,
            format!("no unique index of {name} is over its key ({columns})"),
            Some(spell.unique(&name, &columns)),
        );
    }
}

fn lock(spell: Spell, into: &Into, info: &TableInfo, report: &mut Report) {
    let lock = into.lock.get_ref().as_str();
    let name = spell.table(info);
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
    let spell = Spell(config.target.kind);
    let headers: Vec<&TableInfo> = config
        .into
        .iter()
        .filter(|i| i.role == Role::Header)
        .filter_map(|i| target.find(i.table.get_ref()))
        .collect();
    let name = spell.table(info);
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
            Some(spell.index(&name, &spell.column(first))),
        );
    }
}

/// Columns and triggers that write beside us.
fn not_ours(spell: Spell, into: &Into, info: &TableInfo, report: &mut Report) {
    let name = spell.table(info);
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

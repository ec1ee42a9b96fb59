//! How the rows of each source table hang together.

use super::report::{End, Report};
use super::spell::Spell;
use crate::cart::layout::{Layout, Table};
use crate::catalog::{Catalog, TableInfo};
use crate::config::Kind;

pub fn check(kind: Kind, layout: &Layout, catalog: &Catalog, report: &mut Report) {
    let spell = Spell(kind);
    for table in &layout.tables {
        let qualified = format!("{}.{}", table.schema, table.name);
        let Some(info) = catalog.find(&qualified) else {
            continue;
        };
        key(spell, table, info, report);
        owner(spell, table, layout, info, report);
    }
}

fn key(spell: Spell, table: &Table, info: &TableInfo, report: &mut Report) {
    let mut key: Vec<&str> = table
        .key
        .iter()
        .filter_map(|&c| table.columns.get(c))
        .map(|c| c.name.as_str())
        .collect();
    key.sort_unstable();
    let same = |columns: &Vec<String>| {
        let mut columns: Vec<&str> = columns.iter().map(String::as_str).collect();
        columns.sort_unstable();
        columns == key
    };
    let name = spell.table(info);
    if same(&info.primary_key) || info.uniques.iter().any(same) {
        report.pass(
            "row key",
            End::Source,
            format!("{name} is unique by its key"),
        );
    } else {
        report.fail(
            "row key",
            End::Source,
            format!(
                "no unique index of {name} is over its key ({}): two rows could be taken for one",
                key.join(", ")
            ),
            None,
        );
    }
}

/// Where carts have no header row, their keys are walked in the order of an index, and each page ends
/// at a key: without one the server sorts the table for every page.
fn walk(spell: Spell, table: &Table, info: &TableInfo, report: &mut Report) {
    let Some(cart) = table.cart.as_ref().filter(|cart| **cart != table.key) else {
        return;
    };
    let names: Vec<&str> = cart
        .iter()
        .filter_map(|&c| table.columns.get(c))
        .map(|c| c.name.as_str())
        .collect();
    let (name, by) = (spell.table(info), names.join(", "));
    let begins = |index: &Vec<String>| names.iter().zip(index).all(|(a, b)| a == b);
    let begins = |index: &Vec<String>| index.len() >= names.len() && begins(index);
    if info.indexes.iter().any(begins) {
        let message = format!("an index of {name} begins with {by}");
        report.pass("read index", End::Source, message);
    } else {
        report.warn(
            "read index",
            End::Source,
            format!(
                "no index of {name} begins with {by}: walking over all carts sorts the table again \
                 and again"
            ),
            Some(spell.index(&name, &by)),
        );
    }
}

/// An enforced foreign key proves that a cart's rows come after its header. Without one, a cart
/// that is born in the log is read again, which is slower but right.
fn owner(spell: Spell, table: &Table, layout: &Layout, info: &TableInfo, report: &mut Report) {
    let is_header = layout
        .tables
        .first()
        .is_some_and(|h| h.alias == table.alias);
    if is_header {
        walk(spell, table, info, report);
        return;
    }
    let parent = table.parent.as_ref().map(|(parent, by)| (*parent, by));
    let header = table.cart.as_ref().map(|cart| (Layout::HEADER, cart));
    let name = spell.table(info);
    for (to, by) in header.into_iter().chain(parent) {
        let Some(to) = layout.tables.get(to) else {
            continue;
        };
        let by: Vec<&str> = by
            .iter()
            .filter_map(|&c| table.columns.get(c))
            .map(|c| c.name.as_str())
            .collect();
        let proved = info.foreign_keys.iter().any(|key| {
            key.enforced
                && !key.deferrable
                && key.schema == to.schema
                && key.table == to.name
                && key
                    .columns
                    .iter()
                    .map(String::as_str)
                    .eq(by.iter().copied())
        });
        let to = spell.name(&to.schema, &to.name);
        let by = by.join(", ");
        report.pass(
            "foreign key",
            End::Source,
            if proved {
                format!("{name} ({by}) refers to {to}")
            } else {
                format!(
                    "no immediate foreign key from {name} ({by}) to {to}: carts born in the log \
                     are read again from the source"
                )
            },
        );
        let indexed = info.indexes.iter().any(|index| {
            index
                .first()
                .is_some_and(|first| by.split(", ").next() == Some(first))
        });
        if !indexed {
            report.warn(
                "read index",
                End::Source,
                format!("no index of {name} begins with {by}: reading carts scans the table"),
                Some(spell.index(&name, &by)),
            );
        }
    }
}

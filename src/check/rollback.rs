//! The way back: which of the old shop's columns could not be written from what the new shop holds, if
//! the switch had to be undone.

use std::collections::BTreeMap;

use super::report::{End, Lost, Report};
use crate::mapping::expr::Back;
use crate::mapping::plan::Mapping;

pub fn check(mapping: &Mapping, report: &mut Report) {
    report.rollback = lost(mapping);
    if report.rollback.is_empty() {
        let message = "every source column that the mapping reads can be written back";
        report.pass("rollback", End::Config, message);
    }
    let mut tables: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for lost in &report.rollback {
        let because = lost.because.first();
        let why = because.map_or(String::new(), |(target, why)| format!(" ({target}: {why})"));
        let columns = tables.entry(lost.table.as_str()).or_default();
        columns.push(format!("{}{why}", lost.column));
    }
    let notes: Vec<String> = tables
        .into_iter()
        .map(|(table, columns)| {
            format!(
                "what the new shop changes could not be carried back to these columns of {table}: {}",
                columns.join(", ")
            )
        })
        .collect();
    for note in notes {
        report.note("rollback", End::Config, note);
    }
}

/// Columns that an expression reads and that none can be undone to. Keys, and what leads from a row to
/// its cart, are remembered in the ledger with the row.
fn lost(mapping: &Mapping) -> Vec<Lost> {
    type Place = (usize, usize);
    let mut read: BTreeMap<Place, Vec<(String, String)>> = BTreeMap::new();
    let mut kept: Vec<Place> = Vec::new();
    for into in &mapping.intos {
        let columns = into.columns.iter();
        let columns = columns.filter_map(|c| Some((&c.name, &c.ty, c.expr.as_ref()?, c.once)));
        for (name, ty, expr, once) in columns {
            let back = match (expr.back(ty), once) {
                (Back::Column(..), true) => {
                    Back::Lost("it is written once and the new shop's own from then on".into())
                }
                (back, _) => back,
            };
            let why = match back {
                Back::Column(table, column) => {
                    kept.push((table, column));
                    continue;
                }
                Back::Nothing => continue,
                Back::Lost(why) => why,
            };
            expr.reads(&mut |table, column| {
                let because = read.entry((table, column)).or_default();
                let entry = (format!("{}.{name}", into.full_name()), why.clone());
                if !because.contains(&entry) {
                    because.push(entry);
                }
            });
        }
    }
    let leads = |(table, column): &Place| {
        let table = &mapping.layout.tables[*table];
        let by = table.parent.as_ref().map(|(_, by)| by);
        let cart = table.cart.as_ref();
        let named = |columns: Option<&Vec<usize>>| columns.is_some_and(|c| c.contains(column));
        table.key.contains(column) || named(by) || named(cart)
    };
    read.retain(|place, _| !kept.contains(place) && !leads(place));
    read.into_iter()
        .map(|((table, column), because)| {
            let table = &mapping.layout.tables[table];
            Lost {
                table: format!("{}.{}", table.schema, table.name),
                column: table.columns[column].name.clone(),
                because,
            }
        })
        .collect()
}

//! Columns of the target that nothing fills. Those that must hold something are failures, which
//! `into_tables` has; the others are the new shop's own or keep their defaults.

use super::report::{End, Report};
use super::spell::Spell;
use crate::catalog::Catalog;
use crate::config::{Config, Fate, Into};

pub fn check(config: &Config, target: &Catalog, report: &mut Report) {
    let spell = Spell(config.target.kind);
    let mut seen: Vec<&str> = Vec::new();
    for into in &config.into {
        let name = into.table.get_ref().as_str();
        let Some(info) = target.find(name).filter(|_| !seen.contains(&name)) else {
            continue;
        };
        seen.push(name);
        // Several may fill one table, each a part of it.
        let same = || {
            config
                .into
                .iter()
                .filter(|other| other.table.get_ref() == name)
        };
        let left: Vec<&str> = info
            .columns
            .iter()
            .filter(|column| !column.generated)
            .map(|column| column.name.as_str())
            .filter(|column| !same().any(|into| fills(into, column)))
            .collect();
        if !left.is_empty() {
            let table = spell.table(info);
            let message = format!("{table}: nothing fills {}", left.join(", "));
            report.note("unfilled columns", End::Target, message);
        }
    }
}

fn fills(into: &Into, column: &str) -> bool {
    let set = |fate: &Option<Fate>| match fate {
        Some(Fate::Set(set)) => set.iter().any(|(name, _)| name.get_ref() == column),
        _ => false,
    };
    into.columns.iter().any(|c| c.name.get_ref() == column)
        || into.lock.get_ref() == column
        || set(&into.ended)
        || set(&into.deleted)
}

//! Target tables that refer to each other in a circle have no order in which they can be written.

use super::report::Report;
use crate::catalog::{ForeignKey, TableInfo};
use crate::config::{self, Model};

/// A reference from one table of the mapping to another, in columns that the mapping fills.
struct Reference<'a> {
    from: usize,
    to: usize,
    key: &'a ForeignKey,
}

pub(super) fn check(model: &Model, infos: &[Option<&TableInfo>], report: &mut Report<'_>) {
    let references = references(&model.into, infos);
    for (at, into) in model.into.iter().enumerate() {
        let Some(way) = way_back(&references, at) else {
            continue;
        };
        // Each circle is told once, at its first table.
        if way.iter().any(|reference| reference.from < at) {
            continue;
        }
        let names: Vec<String> = way
            .iter()
            .map(|r| format!("`{}` ({})", model.into[r.from].table, r.key.name))
            .collect();
        let message = format!(
            "tables refer to each other in a circle, so none of them can be written first: {}",
            names.join(", ")
        );
        let expected = "a column of one of these keys that the mapping leaves to the target";
        report.error(&into.table, message, expected);
    }
}

fn references<'a>(intos: &[config::Into], infos: &[Option<&'a TableInfo>]) -> Vec<Reference<'a>> {
    let mut references = Vec::new();
    for (from, (into, info)) in intos.iter().zip(infos).enumerate() {
        let Some(info) = info else { continue };
        for key in info.foreign_keys.iter().filter(|key| key.enforced) {
            let filled = |name: &String| into.columns.iter().any(|c| c.name.get_ref() == name);
            let refers = |to: &usize| {
                let there = infos[*to];
                there.is_some_and(|t| !std::ptr::eq(t, *info) && super::source::refers(key, t))
            };
            if key.columns.iter().all(filled) {
                let all = (0..intos.len()).filter(refers);
                references.extend(all.map(|to| Reference { from, to, key }));
            }
        }
    }
    references
}

/// The shortest way along references from a table back to itself.
fn way_back<'r, 'a>(references: &'r [Reference<'a>], at: usize) -> Option<Vec<&'r Reference<'a>>> {
    let mut ways: Vec<Vec<&Reference<'_>>> = vec![Vec::new()];
    let mut seen = vec![false; references.len()];
    let mut next = 0;
    while let Some(way) = ways.get(next).cloned() {
        next += 1;
        let end = way.last().map_or(at, |reference| reference.to);
        if end == at && !way.is_empty() {
            return Some(way);
        }
        for (i, reference) in references.iter().enumerate() {
            if reference.from == end && !std::mem::replace(&mut seen[i], true) {
                ways.push(way.iter().copied().chain([reference]).collect());
            }
        }
    }
    None
}

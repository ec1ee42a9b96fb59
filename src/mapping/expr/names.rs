//! What a name in an expression stands for.

use std::sync::Arc;

use sqlparser::ast::Ident;

use super::plan::Place;
use super::scope::Scope;
use super::value_map::ValueMap;
use crate::cart::layout::{Layout, Table};

/// What a table's name reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// One certain row of the table.
    Row(Place, usize),
    /// The rows of the table that belong to the row.
    Rows(usize),
}

/// Finds a table by the name an expression gives it. `inside` says that an aggregate asks.
pub fn reach(scope: &Scope<'_>, name: &Ident, inside: bool) -> Result<Reach, String> {
    let keyword = |word: &str| name.quote_style.is_none() && name.value.eq_ignore_ascii_case(word);
    let per = scope.per;
    let own = &scope.layout.tables[per];
    let place_of_header = if per == Layout::HEADER {
        Place::Row
    } else {
        Place::Header
    };
    if keyword("header") {
        return Ok(Reach::Row(place_of_header, Layout::HEADER));
    }
    if keyword("parent") {
        return match own.parent {
            Some((parent, _)) => Ok(Reach::Row(Place::Parent, parent)),
            None => Err(format!("{} has no parent", own.alias)),
        };
    }
    let aliases = scope.layout.tables.iter().map(|t| t.alias.as_str());
    let table = find(name, aliases.clone()).map_err(|problem| match problem {
        Unfound::Ambiguous => format!("table {name} is ambiguous: quote it"),
        Unfound::Unknown => format!(
            "no table {name} in the cart; there are {}",
            aliases.collect::<Vec<_>>().join(", ")
        ),
    })?;
    let child = scope.layout.tables[table]
        .parent
        .as_ref()
        .is_some_and(|(parent, _)| *parent == per);
    if table == per && !(inside && child) {
        return Ok(Reach::Row(Place::Row, per));
    }
    if per == Layout::HEADER || child {
        return Ok(Reach::Rows(table));
    }
    if table == Layout::HEADER {
        return Ok(Reach::Row(Place::Header, table));
    }
    if own
        .parent
        .as_ref()
        .is_some_and(|(parent, _)| *parent == table)
    {
        return Ok(Reach::Row(Place::Parent, table));
    }
    Err(format!(
        "a row of {} reaches its own columns, header, its parent and its children, and {} is none of these",
        own.alias, scope.layout.tables[table].alias
    ))
}

/// The map of a name.
pub fn map(maps: &[Arc<ValueMap>], name: &Ident) -> Option<Arc<ValueMap>> {
    let found = find(name, maps.iter().map(|map| map.name.as_str()));
    found.ok().and_then(|at| maps.get(at).cloned())
}

/// Finds a column of a table.
pub fn column(table: &Table, name: &Ident) -> Result<usize, String> {
    find(name, table.columns.iter().map(|c| c.name.as_str())).map_err(|problem| match problem {
        Unfound::Ambiguous => format!("column {name} of {} is ambiguous: quote it", table.alias),
        Unfound::Unknown => format!(
            "no column {name} in {}{}",
            table.alias,
            near(table, &name.value)
        ),
    })
}

pub enum Unfound {
    Unknown,
    Ambiguous,
}

/// A quoted name is exact; an unquoted one matches without case if that is unique.
pub fn find<'n>(
    name: &Ident,
    names: impl Iterator<Item = &'n str> + Clone,
) -> Result<usize, Unfound> {
    if let Some(at) = names.clone().position(|n| n == name.value) {
        return Ok(at);
    }
    if name.quote_style.is_some() {
        return Err(Unfound::Unknown);
    }
    let mut found = names
        .enumerate()
        .filter(|(_, n)| n.to_lowercase() == name.value.to_lowercase());
    match (found.next(), found.next()) {
        (Some((at, _)), None) => Ok(at),
        (None, _) => Err(Unfound::Unknown),
        _ => Err(Unfound::Ambiguous),
    }
}

/// The columns whose names are closest to a wrong one.
fn near(table: &Table, name: &str) -> String {
    let wanted = name.to_lowercase();
    let mut names: Vec<(usize, &str)> = table
        .columns
        .iter()
        .map(|c| (distance(&wanted, &c.name.to_lowercase()), c.name.as_str()))
        .collect();
    names.sort();
    let likely: Vec<&str> = names
        .iter()
        .filter(|(d, n)| *d <= wanted.len().max(n.len()).div_ceil(2))
        .map(|(_, n)| *n)
        .take(3)
        .collect();
    match likely.as_slice() {
        [] => {
            let all: Vec<&str> = table
                .columns
                .iter()
                .map(|c| c.name.as_str())
                .take(12)
                .collect();
            format!("; it has {}", all.join(", "))
        }
        likely => format!("; did you mean {}?", likely.join(" or ")),
    }
}

/// How many letters must change to make one name of the other.
pub fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let changed = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

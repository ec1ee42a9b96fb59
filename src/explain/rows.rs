//! The rows of one cart on both ends: what the source gives, what cartage left, what is there.

use std::collections::HashSet;

use serde_json::{Map, Value, json};

use crate::cart::image::{Cell, Image};
use crate::cart::key::CartKey;
use crate::cart::layout::Layout;
use crate::mapping::map::{Mapper, TargetRow};
use crate::mapping::plan::Role;
use crate::target::found::FoundRows;
use crate::target::ledger::Entry;

/// A target row as the mapping gives it, from the source or from what the ledger remembers.
pub(super) struct Wanted {
    pub row: TargetRow,
    /// As cartage last left it.
    left: Option<TargetRow>,
    token_left: Option<Box<str>>,
    /// Nobody gives it: it is looked for under the cart's key.
    sought: bool,
}

/// The rows that the cart has by the source, and those that it had by the ledger; else its header's, if
/// its key alone tells which that would be.
pub(super) fn wanted(
    mapper: &Mapper,
    cart: &CartKey,
    image: Option<&Image>,
    entry: Option<&Entry>,
) -> Vec<Wanted> {
    // The image of another mapping has other columns.
    let entry = entry.filter(|entry| entry.mapping == mapper.id);
    let left = entry.and_then(|entry| {
        let rows = mapper.map(&entry.image).ok()?;
        let tokens = entry.tokens.iter().cloned();
        Some(rows.into_iter().zip(tokens.chain(std::iter::repeat(None))))
    });
    let mut left: Vec<(TargetRow, Option<Box<str>>)> = left.into_iter().flatten().collect();
    let now = image.and_then(|image| {
        let mut image = image.clone();
        if mapper.live(&image) != Ok(true) {
            return None;
        }
        if let Some(entry) = entry {
            image.keep_stamps(mapper.layout(), &entry.image);
            image.ghosts = entry.image.ghosts.clone();
            image.answers = entry.image.answers.clone();
        }
        mapper.map(&image).ok()
    });
    let mut wanted: Vec<Wanted> = Vec::new();
    for row in now.unwrap_or_default() {
        let at = left.iter().position(|(old, _)| old.id() == row.id());
        let old = at.map(|at| left.swap_remove(at));
        let (left, token_left) = old.map_or((None, None), |(row, token)| (Some(row), token));
        wanted.push(Wanted {
            row,
            left,
            token_left,
            sought: false,
        });
    }
    wanted.extend(left.into_iter().map(|(row, token_left)| Wanted {
        left: Some(row.clone()),
        row,
        token_left,
        sought: false,
    }));
    let is_header = |wanted: &Wanted| mapper.mapping.intos[wanted.row.into].role == Role::Header;
    if !wanted.iter().any(is_header)
        && let Some((into, key)) = mapper.header_of(cart)
    {
        let columns = mapper.mapping.intos[into].columns.len();
        wanted.push(Wanted {
            row: TargetRow {
                into,
                key,
                cells: vec![Cell::Missing; columns].into(),
                origin: None,
            },
            left: None,
            token_left: None,
            sought: true,
        });
    }
    wanted
}

/// The target has a header under the cart's key.
pub(super) fn in_target(mapper: &Mapper, wanted: &[Wanted], found: &FoundRows) -> bool {
    wanted.iter().any(|wanted| {
        mapper.mapping.intos[wanted.row.into].role == Role::Header
            && found.contains_key(&(wanted.row.into, wanted.row.key.clone()))
    })
}

/// How many rows that cartage left are not there. What an end has kept, the new backend may clear away.
pub(super) fn gone(wanted: &[Wanted], found: &FoundRows) -> usize {
    let is_gone = |wanted: &&Wanted| {
        let lives = wanted
            .left
            .as_ref()
            .is_some_and(|left| left.origin.is_some());
        lives && !found.contains_key(&(wanted.row.into, wanted.row.key.clone()))
    };
    wanted.iter().filter(is_gone).count()
}

/// The row has another token than the one that cartage left.
pub(super) fn moved(wanted: &Wanted, found: &FoundRows) -> bool {
    let there = found.get(&(wanted.row.into, wanted.row.key.clone()));
    match (there, &wanted.token_left) {
        (Some(there), Some(left)) => there.token.as_ref() != Some(left),
        _ => false,
    }
}

/// The new backend has closed the header.
pub(super) fn closed(mapper: &Mapper, wanted: &[Wanted], found: &FoundRows) -> bool {
    wanted.iter().any(|wanted| {
        let into = &mapper.mapping.intos[wanted.row.into];
        let there = found.get(&(wanted.row.into, wanted.row.key.clone()));
        let left: &[Cell] = wanted.left.as_ref().map_or(&[], |left| &left.cells);
        into.role == Role::Header
            && !left.is_empty()
            && there.is_some_and(|there| there.finished(into, left))
    })
}

/// Columns in which the target has something else than the source, mapped, gives.
pub(super) fn own(mapper: &Mapper, wanted: &[Wanted], found: &FoundRows) -> Vec<String> {
    let mut named = HashSet::new();
    let mut own = Vec::new();
    for Wanted { row, .. } in wanted {
        let into = &mapper.mapping.intos[row.into];
        let Some(there) = found.get(&(row.into, row.key.clone())) else {
            continue;
        };
        for (i, (column, cell)) in into.columns.iter().zip(&*row.cells).enumerate() {
            let name = format!("{}.{}", into.full_name(), column.name);
            if !column.once
                && *cell != Cell::Missing
                && !there.holds(i, cell)
                && named.insert(name.clone())
            {
                own.push(name);
            }
        }
    }
    own
}

pub(super) fn source_rows(layout: &Layout, image: &Image) -> Vec<Value> {
    let tables = layout.tables.iter().zip(&image.tables);
    tables
        .filter(|(table, _)| !table.is_made())
        .flat_map(|(table, rows)| {
            rows.iter().map(move |row| {
                let columns = table.columns.iter().zip(&*row.cells);
                let row: Map<String, Value> = columns
                    .map(|(column, cell)| (column.name.clone(), cell.text().into()))
                    .collect();
                json!({ "table": format!("{}.{}", table.schema, table.name), "row": row })
            })
        })
        .collect()
}

pub(super) fn target_rows(mapper: &Mapper, wanted: &[Wanted], found: &FoundRows) -> Vec<Value> {
    let row = |wanted: &Wanted| {
        let row = &wanted.row;
        let there = found.get(&(row.into, row.key.clone()));
        let json = there.and_then(|there| serde_json::from_str::<Value>(there.json.as_ref()?).ok());
        json!({
            "table": mapper.mapping.intos[row.into].full_name(),
            "key": CartKey::of(row.key.iter().map(|part| &**part)).as_str(),
            "there": there.is_some(),
            "token": there.and_then(|there| there.token.as_deref()),
            "token_left": wanted.token_left.as_deref(),
            "row": json,
        })
    };
    let is_there =
        |wanted: &&Wanted| found.contains_key(&(wanted.row.into, wanted.row.key.clone()));
    let shown = wanted
        .iter()
        .filter(|wanted| !wanted.sought || is_there(wanted));
    shown.map(row).collect()
}

//! A unit that both sides have written: its patch becomes that of a merge.

use std::collections::HashMap;

use super::apply::ATTEMPTS;
use super::lane::Lane;
use super::resolve::parts;
use super::sight::{Seen, sides};
use super::unit::{Merging, Unit, UnitCart};
use crate::cart::image::{Cells, Image};
use crate::mapping::map::{Mapper, RowKey, TargetRow};
use crate::mapping::plan::{Mapping, Role};
use crate::merge::{self, Inputs, Line, Merged, Side, Theirs};
use crate::switch::{self, Mutant};
use crate::target::examine::{Part, evidence};
use crate::target::found::{Found, FoundRows};
use crate::target::rivals::Rivals;

impl Lane {
    /// Merges what was found into the unit's patch. Where it cannot be merged, says why.
    pub(super) fn merge(&self, unit: &mut Unit, seen: &Seen, message: &str) -> Result<(), String> {
        if switch::mutant(Mutant::NoMerge) {
            return Err(message.to_owned());
        }
        if unit.attempts > ATTEMPTS {
            return Err("it moved again each time that it was merged".to_owned());
        }
        let mapper = &self.mappers.current;
        let mapping = &mapper.mapping;
        let (places, parts) = parts(unit);
        let found = &seen.found;
        if !has_header(mapping, &parts, found) || is_marked(mapping, &parts, found) {
            return Err(message.to_owned());
        }
        let merged = self.with_inputs(unit, (&places, &parts), seen, |inputs| {
            let merged = merge::merge(inputs).map_err(|why| why.to_string())?;
            let stored = merged.conflict.then(|| merge::encode_inputs(inputs));
            Ok::<_, String>((merged, stored))
        });
        let (merged, stored) = merged?;
        let evidence = merged
            .conflict
            .then(|| evidence(mapping, &parts, found, &Rivals::new()));
        let Merged {
            mut writes,
            own,
            kept,
            decisions,
            items,
            ..
        } = merged;
        writes.extend(unit.dropped());
        let decided = decisions.len();
        let decisions = decisions.iter().map(merge::Decision::json).collect();
        unit.merge = Some(Merging {
            kept: places.into_iter().zip(kept).collect(),
            evidence,
            decisions: serde_json::Value::Array(decisions).to_string(),
            decided,
            items,
            taken: false,
            trusted: false,
            inputs: stored.map(|inputs| (mapper.id, inputs)),
        });
        unit.patch.writes = writes;
        unit.patch.own = own;
        unit.is_read = true;
        Ok(())
    }

    /// Calls `decide` with all that a merge of the unit looks at.
    pub(super) fn with_inputs<T>(
        &self,
        unit: &Unit,
        (places, parts): (&[usize], &[Part<'_>]),
        seen: &Seen,
        decide: impl FnOnce(&Inputs<'_>) -> T,
    ) -> T {
        let mapper = &self.mappers.current;
        let mapping = &mapper.mapping;
        let fated = |part: usize, side: Side, row: &TargetRow| -> Option<Cells> {
            let cart = &unit.carts[places[part]];
            mapper.fated(image_of(cart, side)?, row)
        };
        decide(&Inputs {
            mapping,
            links: &self.writer.tables().links(mapping),
            parts: &sides(mapper, unit, places, parts),
            theirs: &theirs(mapping, parts, &seen.found, &seen.lines),
            fated: &fated,
        })
    }
}

/// Nothing is merged into a header that is there and that cartage has never written: whose it is
/// cannot be told. Without a header nothing says that what was found stands together.
pub(super) fn has_header(mapping: &Mapping, parts: &[Part<'_>], found: &FoundRows) -> bool {
    let is_header = |row: &&TargetRow| mapping.intos[row.into].role == Role::Header;
    let left: Vec<&TargetRow> = parts
        .iter()
        .flat_map(|part| part.left)
        .map(|left| &left.row)
        .filter(is_header)
        .collect();
    let strange = |row: &TargetRow| {
        let known = left.iter().any(|known| known.id() == row.id());
        !known && found.contains_key(&(row.into, row.key.clone()))
    };
    let mut wanted = parts.iter().flat_map(|part| part.want).filter(is_header);
    !left.is_empty() && !wanted.any(strange)
}

/// The new backend has marked a header as only an end of the cart does.
pub(super) fn is_marked(mapping: &Mapping, parts: &[Part<'_>], found: &FoundRows) -> bool {
    let left = parts
        .iter()
        .flat_map(|part| part.left)
        .map(|left| &left.row);
    let mut headers = left.filter(|row| mapping.intos[row.into].role == Role::Header);
    headers.any(|row| {
        let columns = mapping.intos[row.into].columns.iter();
        let there = found.get(&(row.into, row.key.clone()));
        let marked = |i: usize| there.is_some_and(|there| !there.holds(i, &row.cells[i]));
        let mut marks = columns
            .enumerate()
            .filter(|(_, column)| column.expr.is_none());
        marks.any(|(i, _)| marked(i))
    })
}

/// When the source last changed a cart: by `changed_at`, else by the commit of its last change.
pub(super) fn time(mapper: &Mapper, image: &Image) -> Option<i64> {
    match mapper.mapping.changed_at {
        Some(column) => {
            let dated = image.tables.get(mapper.layout().dated_in())?.iter();
            let cells = dated.filter_map(|row| row.cells.get(column));
            cells
                .filter_map(|cell| merge::of_cell(&mapper.mapping, cell))
                .max()
        }
        None => {
            let stamps = image.tables.iter().flatten().map(|row| row.stamp);
            stamps.max().filter(|stamp| *stamp != 0)
        }
    }
}

fn image_of(cart: &UnitCart, side: Side) -> Option<&Image> {
    match side {
        Side::Base => cart.known.entry.as_ref().map(|entry| &entry.image),
        Side::Ours => cart.image.as_ref(),
    }
}

/// What was found, in the spelling of what it is compared with.
fn theirs(
    mapping: &Mapping,
    parts: &[Part<'_>],
    found: &FoundRows,
    lines: &HashMap<(usize, RowKey), Line>,
) -> Vec<Theirs> {
    let mut known: HashMap<_, Vec<&Cells>> = HashMap::new();
    for part in parts {
        let left = part.left.iter().map(|left| &left.row);
        for row in part.want.iter().chain(left) {
            known.entry(row.id()).or_default().push(&row.cells);
        }
        for kept in part.kept {
            let cells = kept.cells.iter();
            known
                .entry((kept.into, &kept.key))
                .or_default()
                .extend(cells);
        }
    }
    let spelled = |row: &Found, i: usize, known: &[&Cells]| {
        let there = &row.cells[i];
        let same = known.iter().any(|cells| cells[i] == *there);
        let alike = known
            .iter()
            .map(|cells| &cells[i])
            .find(|cell| row.holds(i, cell));
        alike.filter(|_| !same).unwrap_or(there).clone()
    };
    let rows = found.iter().map(|((into, key), row)| {
        let meant = &mapping.intos[*into];
        let known = known.get(&(*into, key)).map_or(&[][..], Vec::as_slice);
        let cells = (0..meant.columns.len()).map(|i| spelled(row, i, known));
        let left = known.last().copied().unwrap_or(&row.cells);
        Theirs {
            into: *into,
            key: key.clone(),
            cells: cells.collect(),
            found: row.cells.clone(),
            token: row.token.clone(),
            closed: meant.role != Role::Header && row.finished(meant, left),
            line: lines.get(&(*into, key.clone())).cloned(),
        }
    });
    rows.collect()
}

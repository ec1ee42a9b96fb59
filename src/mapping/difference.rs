//! The difference of `map(old)` and `map(new)`: the writes that take a cart's target rows from the
//! one to the other, and nothing else.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::map::{RowKey, TargetRow};
use super::plan::{Into, Lock, Mapping, Role};
use crate::cart::image::{Cell, Cells};
use crate::switch::{self, Mutant};

/// A target row as we last left it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Left {
    pub row: TargetRow,
    /// The lock token then; none for locks that compare the row.
    pub token: Option<Box<str>>,
}

/// A write to one target row under its guard.
#[derive(Clone, Debug)]
pub struct RowWrite {
    pub into: Arc<Into>,
    /// Index of `into` in the mapping; none if the mapping in force no longer has it.
    pub index: Option<usize>,
    pub key: RowKey,
    pub op: RowOp,
    /// The token that the row must carry.
    pub token: Option<Box<str>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RowOp {
    Insert {
        new: Cells,
    },
    Update {
        old: Cells,
        new: Cells,
        /// Columns that differ, in order; none where only the lock column moves.
        changed: Vec<usize>,
    },
    Delete {
        old: Cells,
    },
    /// Nothing to write, but the row must be as we left it.
    Check {
        old: Cells,
    },
}

impl RowWrite {
    /// What the row holds afterwards, if it is there; none where it is only looked at.
    pub fn written(&self) -> Option<Option<&Cells>> {
        match &self.op {
            RowOp::Insert { new } | RowOp::Update { new, .. } => Some(Some(new)),
            RowOp::Delete { .. } => Some(None),
            RowOp::Check { .. } => None,
        }
    }
}

/// The writes for one cart, or for carts between which rows moved.
#[derive(Clone, Debug, Default)]
pub struct Patch {
    pub writes: Vec<RowWrite>,
    /// Keys of all lines that these carts have or are about to have, where one is inserted: the
    /// identity guard looks past them.
    pub own: Vec<(usize, RowKey)>,
    /// A row changed its cart: parents are deleted only after rows have moved away from them.
    pub moves: bool,
}

impl Patch {
    pub fn is_empty(&self) -> bool {
        self.writes.is_empty()
    }

    /// It writes something, and does not only look.
    pub fn has_effect(&self) -> bool {
        let looks = |write: &RowWrite| matches!(write.op, RowOp::Check { .. });
        !self.writes.iter().all(looks)
    }
}

/// Two carts give the same target row.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{table}: two carts give the same target row")]
pub struct SharedRow {
    pub table: String,
}

/// The rows of one cart before and after.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sides<'a> {
    pub old: &'a [Left],
    pub new: &'a [TargetRow],
    /// Deletes of rows in tables that the mapping no longer has.
    pub dropped: &'a [RowWrite],
}

/// The patch over a unit: usually one cart.
pub fn difference(mapping: &Mapping, unit: &[Sides<'_>]) -> Result<Patch, SharedRow> {
    let mut patch = Patch::default();
    let mut touched = vec![false; unit.len()];
    match same_rows(unit) {
        Some(sides) => {
            for (left, new) in sides.old.iter().zip(sides.new) {
                if let Some(op) = update(&mapping.intos[new.into], left, new) {
                    touched[0] = true;
                    patch
                        .writes
                        .push(write_of(mapping, new, op, left.token.clone()));
                }
            }
        }
        None => compare(mapping, unit, &mut touched, &mut patch)?,
    }
    for (cart, sides) in unit.iter().enumerate() {
        touched[cart] |= !sides.dropped.is_empty();
        patch.writes.extend(sides.dropped.iter().cloned());
    }
    guard_headers(mapping, unit, &touched, &mut patch);
    patch.own = own_lines(mapping, unit, &patch);
    Ok(patch)
}

/// A cart alone whose rows are the same on both sides, in one order and each once: nearly all are.
fn same_rows<'s, 'a>(unit: &'s [Sides<'a>]) -> Option<&'s Sides<'a>> {
    let [sides] = unit else {
        return None;
    };
    let same = |(left, new): (&Left, &TargetRow)| left.row.id() == new.id();
    let paired = sides.old.len() == sides.new.len() && sides.old.iter().zip(sides.new).all(same);
    let once = sides.new.is_sorted_by(|a, b| a.id() < b.id());
    (paired && once).then_some(sides)
}

/// None where nothing is to be written.
fn update(into: &Into, left: &Left, new: &TargetRow) -> Option<RowOp> {
    let changed = changed(into, &left.row.cells, &new.cells);
    (!changed.is_empty()).then(|| RowOp::Update {
        old: left.row.cells.clone(),
        new: new.cells.clone(),
        changed,
    })
}

fn write_of(mapping: &Mapping, row: &TargetRow, op: RowOp, token: Option<Box<str>>) -> RowWrite {
    RowWrite {
        into: mapping.intos[row.into].clone(),
        index: Some(row.into),
        key: row.key.clone(),
        op,
        token,
    }
}

fn compare(
    mapping: &Mapping,
    unit: &[Sides<'_>],
    touched: &mut [bool],
    patch: &mut Patch,
) -> Result<(), SharedRow> {
    let mut old: BTreeMap<(usize, &RowKey), (usize, &Left)> = BTreeMap::new();
    for (cart, sides) in unit.iter().enumerate() {
        for left in sides.old {
            old.insert(left.row.id(), (cart, left));
        }
    }
    let mut seen = BTreeMap::new();
    for (cart, sides) in unit.iter().enumerate() {
        for new in sides.new {
            let into = &mapping.intos[new.into];
            if seen.insert(new.id(), cart).is_some() {
                return Err(SharedRow {
                    table: into.full_name(),
                });
            }
            let write = match old.get(&new.id()) {
                None => Some((
                    RowOp::Insert {
                        new: new.cells.clone(),
                    },
                    None,
                )),
                Some((from, left)) => {
                    if *from != cart {
                        patch.moves = true;
                        touched[*from] = true;
                        touched[cart] = true;
                    }
                    update(into, left, new).map(|op| (op, left.token.clone()))
                }
            };
            if let Some((op, token)) = write {
                touched[cart] = true;
                patch.writes.push(write_of(mapping, new, op, token));
            }
        }
    }
    for (id, (cart, left)) in &old {
        if !seen.contains_key(id) {
            touched[*cart] = true;
            let old = left.row.cells.clone();
            let write = write_of(
                mapping,
                &left.row,
                RowOp::Delete { old },
                left.token.clone(),
            );
            patch.writes.push(write);
        }
    }
    Ok(())
}

fn own_lines(mapping: &Mapping, unit: &[Sides<'_>], patch: &Patch) -> Vec<(usize, RowKey)> {
    if switch::mutant(Mutant::OwnLinesClash) {
        return Vec::new();
    }
    let inserts = |into: usize| {
        let inserted = |w: &RowWrite| w.index == Some(into) && matches!(w.op, RowOp::Insert { .. });
        mapping.intos[into].line.is_some() && patch.writes.iter().any(inserted)
    };
    let lines: Vec<bool> = (0..mapping.intos.len()).map(inserts).collect();
    let old = unit.iter().flat_map(|s| s.old).map(|left| &left.row);
    let new = unit.iter().flat_map(|s| s.new);
    old.chain(new)
        .filter(|row| lines[row.into])
        .map(|row| (row.into, row.key.clone()))
        .collect()
}

/// The header is always part of it: a patch that writes only lines still checks the header, and
/// moves its counter, since the cart as a whole has a new version.
fn guard_headers(mapping: &Mapping, unit: &[Sides<'_>], touched: &[bool], patch: &mut Patch) {
    if switch::mutant(Mutant::LinesAlone) {
        return;
    }
    for (sides, _) in unit.iter().zip(touched).filter(|(_, touched)| **touched) {
        for left in sides.old {
            let into = &mapping.intos[left.row.into];
            let written = |w: &RowWrite| w.index == Some(left.row.into) && w.key == left.row.key;
            if into.role != Role::Header || patch.writes.iter().any(written) {
                continue;
            }
            let old = left.row.cells.clone();
            let op = match into.lock {
                Lock::Counter(_) | Lock::Clock(_) => RowOp::Update {
                    new: old.clone(),
                    old,
                    changed: Vec::new(),
                },
                Lock::Mapped(_) | Lock::Xmin | Lock::Row => RowOp::Check { old },
            };
            patch.writes.push(RowWrite {
                into: into.clone(),
                index: Some(left.row.into),
                key: left.row.key.clone(),
                op,
                token: left.token.clone(),
            });
        }
    }
}

/// Columns to write. What an older mapping did not know of the row is written once.
fn changed(into: &Into, old: &[Cell], new: &[Cell]) -> Vec<usize> {
    (0..into.columns.len())
        .filter(|&i| !into.columns[i].once && new[i] != Cell::Missing && old[i] != new[i])
        .collect()
}

#[cfg(test)]
mod tests;

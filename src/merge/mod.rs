//! The merge of a cart that both sides have written: what the source has changed since cartage last
//! wrote the cart, put into what the target holds now. Pure: no I/O, no clock.
//!
//! There are three sides. `base` is `map` of the image that was applied, `ours` is `map` of the image
//! to be applied, `theirs` is what was found. What the source has not changed (`base` and `ours`
//! agree) stays as it was found, whoever wrote it; so a merge that is done again changes nothing.
//! Nothing is undone for the sake of what the source said before: `base` moves with the image, and a
//! later change of the source is again a difference.

mod below;
mod clock;
mod fields;
mod identity;
mod kept;
mod lines;
mod mend;
mod quantity;
mod record;
mod removal;
mod slot;
mod stored;
mod take;
#[cfg(test)]
mod tests;

pub use below::Link;
pub use clock::of_cell;
pub use identity::{Line, touched};
pub use kept::{Kept, decode, encode};
pub use mend::{Mended, is_quiet, restore, yielding};
pub use record::Decision;
pub use stored::{Stored, encode_inputs};
pub use take::{take_source, take_target};

use serde::{Deserialize, Serialize};

use crate::cart::image::Cells;
use crate::mapping::difference::{Left, RowOp, RowWrite};
use crate::mapping::map::{RowKey, TargetRow};
use crate::mapping::plan::{Lock, Mapping, Role};
use slot::{Outcome, Slots};

/// What is known of one cart of the unit.
#[derive(Clone, Copy, Debug)]
pub struct Part<'a> {
    pub base: &'a [Left],
    pub ours: &'a [TargetRow],
    /// Rows that an earlier merge left other than `map` says.
    pub kept: &'a [Kept],
    /// When the source last changed it, microseconds since 1970 UTC.
    pub time: Option<i64>,
}

/// A target row as it was found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Theirs {
    pub into: usize,
    pub key: RowKey,
    /// Values in the spelling of the other sides where the server takes them for equal.
    pub cells: Cells,
    /// Values as they were read: what a write is guarded by.
    pub found: Cells,
    pub token: Option<Box<str>>,
    /// The new backend has closed it: it is not written.
    pub closed: bool,
    /// The line as which it was found, where no row of ours has its key.
    pub line: Option<Line>,
}

/// Whose image a row stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Side {
    Base,
    Ours,
}

/// What `deleted` makes of a living row of a part; none where that cannot be told.
pub type Fated<'a> = dyn Fn(usize, Side, &TargetRow) -> Option<Cells> + 'a;

/// Everything that a merge looks at.
pub struct Inputs<'a> {
    pub mapping: &'a Mapping,
    pub links: &'a [Link],
    pub parts: &'a [Part<'a>],
    pub theirs: &'a [Theirs],
    pub fated: &'a Fated<'a>,
}

/// What the target is to become.
#[derive(Clone, Debug, Default)]
pub struct Merged {
    pub writes: Vec<RowWrite>,
    /// Lines that the identity guard of an insert looks past: ours, and those that were looked at.
    pub own: Vec<(usize, RowKey)>,
    /// For each part, the rows that are other than `map` says once this is written. Tokens are those
    /// found; a row that is written gets another.
    pub kept: Vec<Vec<Kept>>,
    pub decisions: Vec<Decision>,
    /// Lines whose quantity both sides had changed.
    pub items: u64,
    /// The new backend has written what the source changed, since cartage last looked.
    pub conflict: bool,
}

/// Why a cart cannot be merged.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unmergeable {
    #[error("{table}: {column} is not a number that could be merged")]
    Number { table: String, column: String },
    #[error("{table}: the row exists already, and is not known as this cart's")]
    Taken { table: String },
    #[error("{table}: what `deleted` sets for a line that a merge removes cannot be told")]
    Fate { table: String },
}

/// Merges the carts of a unit.
pub fn merge(inputs: &Inputs<'_>) -> Result<Merged, Unmergeable> {
    let mut slots = Slots::of(inputs);
    let (decisions, items) = decide(inputs, &mut slots)?;
    Ok(finish(inputs, &slots, decisions, items))
}

/// What becomes of each row.
fn decide(inputs: &Inputs<'_>, slots: &mut Slots<'_>) -> Result<(Vec<Decision>, u64), Unmergeable> {
    let mut decisions = Vec::new();
    fields::headers(inputs, slots, &mut decisions);
    let items = lines::merge(inputs, slots, &mut decisions)?;
    below::merge(inputs, slots, &mut decisions)?;
    Ok((decisions, items))
}

fn finish(inputs: &Inputs<'_>, slots: &Slots<'_>, decisions: Vec<Decision>, items: u64) -> Merged {
    let mut writes = writes(inputs.mapping, slots);
    guard_headers(inputs.mapping, slots, &mut writes);
    Merged {
        own: slots.lines(inputs.mapping),
        kept: slots.kept(inputs),
        conflict: slots.conflict(inputs.mapping),
        writes,
        decisions,
        items,
    }
}

/// The writes that make each row what was decided, under what was found.
fn writes(mapping: &Mapping, slots: &Slots<'_>) -> Vec<RowWrite> {
    let mut writes = Vec::new();
    for ((index, key), slot) in &slots.all {
        let into = &mapping.intos[*index];
        let op = match (&slot.outcome, slot.theirs) {
            (Outcome::Put(cells), None) => RowOp::Insert { new: cells.clone() },
            (Outcome::Put(cells), Some(theirs)) => {
                let changed = fields::differing(into, cells, &theirs.cells);
                if changed.is_empty() {
                    continue;
                }
                RowOp::Update {
                    old: theirs.found.clone(),
                    new: cells.clone(),
                    changed,
                }
            }
            (Outcome::Gone, Some(theirs)) => RowOp::Delete {
                old: theirs.found.clone(),
            },
            _ => continue,
        };
        writes.push(RowWrite {
            into: into.clone(),
            index: Some(*index),
            key: key.clone(),
            op,
            token: slot.theirs.and_then(|theirs| theirs.token.clone()),
        });
    }
    writes
}

/// The header is always part of it: what was found of the cart is only known to stand together while
/// the header is as it was found.
fn guard_headers(mapping: &Mapping, slots: &Slots<'_>, writes: &mut Vec<RowWrite>) {
    let written: Vec<usize> = writes
        .iter()
        .filter_map(|w| Some(slots.all.get(&(w.index?, w.key.clone()))?.part))
        .collect();
    for ((index, key), slot) in &slots.all {
        let into = &mapping.intos[*index];
        let is_written = |w: &RowWrite| w.index == Some(*index) && w.key == *key;
        let Some(theirs) = slot.theirs.filter(|_| into.role == Role::Header) else {
            continue;
        };
        if writes.iter().any(is_written) {
            continue;
        }
        let old = theirs.found.clone();
        let moves = written.contains(&slot.part);
        let op = match into.lock {
            Lock::Counter(_) | Lock::Clock(_) if moves => RowOp::Update {
                new: old.clone(),
                old,
                changed: Vec::new(),
            },
            _ => RowOp::Check { old },
        };
        writes.push(RowWrite {
            into: into.clone(),
            index: Some(*index),
            key: key.clone(),
            op,
            token: theirs.token.clone(),
        });
    }
}

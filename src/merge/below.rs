//! Rows that are neither header nor line, by key; and what follows for a row from what became of the
//! one that it hangs below.

use serde::{Deserialize, Serialize};

use super::clock::{self, Later};
use super::fields::{self, Row};
use super::record::{Decision, note};
use super::removal::removed;
use super::slot::{Outcome, Slot, Slots, marks};
use super::{Inputs, Unmergeable};
use crate::cart::image::{Cell, Cells};
use crate::mapping::map::RowKey;
use crate::mapping::plan::{Into, Mapping, Role};

/// A foreign key between two tables of the mapping, other than the header's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// Indices of `[[into]]`.
    pub child: usize,
    pub parent: usize,
    /// Columns of the child, in the order of the parent's key.
    pub columns: Vec<usize>,
}

/// What became of a parent.
enum Parent {
    There,
    /// It was not there, and is put in.
    New,
    /// It is part of the row under this key.
    Folded(RowKey),
    Gone,
}

pub(super) fn merge(
    inputs: &Inputs<'_>,
    slots: &mut Slots<'_>,
    decisions: &mut Vec<Decision>,
) -> Result<(), Unmergeable> {
    for index in parents_first(inputs.mapping, inputs.links) {
        let into = &inputs.mapping.intos[index];
        let is_line = into.role == Role::Line && into.line.is_some();
        if into.role == Role::Header || is_line {
            continue;
        }
        let of = |slot: &&Slot<'_>| slot.into == index;
        let rows: Vec<Slot<'_>> = slots.all.values().filter(of).cloned().collect();
        for slot in rows {
            let outcome = row(inputs, slots, into, &slot, decisions)?;
            slots.set(&slot, outcome);
        }
    }
    Ok(())
}

fn row(
    inputs: &Inputs<'_>,
    slots: &Slots<'_>,
    into: &Into,
    slot: &Slot<'_>,
    decisions: &mut Vec<Decision>,
) -> Result<Outcome, Unmergeable> {
    if slot.is_strange(into) {
        return Err(Unmergeable::Taken {
            table: into.full_name(),
        });
    }
    let touched = slot.is_touched(into);
    let theirs = slot.theirs;
    if touched && theirs.is_some_and(|theirs| theirs.closed) {
        decisions.push(note(into, &slot.key, "closed"));
        return Ok(Outcome::Stays);
    }
    let Some(ours) = slot.ours.filter(|_| slot.ours_lives(into)) else {
        return leave(inputs, slots, into, slot, decisions);
    };
    let mut cells = ours.cells.clone();
    let mut base: Option<Cells> = slot.base_cells().map(Cells::from);
    let mut new = false;
    for link in inputs.links.iter().filter(|link| link.child == slot.into) {
        match parent(slots, link, &ours.cells) {
            Parent::There => {}
            Parent::New => new = true,
            Parent::Folded(home) => {
                // To this row it is one and the same parent.
                for side in [Some(&mut cells), base.as_mut()].into_iter().flatten() {
                    point(side, link, &ours.cells, &home);
                }
            }
            Parent::Gone => {
                if touched {
                    decisions.push(note(into, &slot.key, "left out with its line"));
                }
                return Ok(if touched {
                    Outcome::Stays
                } else {
                    Outcome::Untouched
                });
            }
        }
    }
    let Some(theirs) = theirs else {
        return Ok(match touched || new {
            true => {
                if slot.base_lives(into) && touched {
                    decisions.push(note(into, &slot.key, "changed, not deleted"));
                }
                Outcome::Put(cells)
            }
            false => Outcome::Untouched,
        });
    };
    if !touched {
        return Ok(Outcome::Untouched);
    }
    let time = clock::of_row(inputs.mapping, slots, slot);
    let later = Later::between(inputs.parts[slot.part].time, time);
    let sides = Row {
        base: base.as_deref(),
        ours: &cells,
        theirs: &theirs.cells,
    };
    let mut result = fields::merge(inputs.mapping, slot, sides, &[], later, decisions);
    if !slot.theirs_lives(into) {
        let set = std::sync::Arc::make_mut(&mut result);
        marks(into).for_each(|i| set[i] = cells[i].clone());
    }
    Ok(Outcome::Put(result))
}

/// A row that the source does not have, or no longer: it goes, unless the new backend has changed it
/// and what it hangs below stays.
fn leave(
    inputs: &Inputs<'_>,
    slots: &Slots<'_>,
    into: &Into,
    slot: &Slot<'_>,
    decisions: &mut Vec<Decision>,
) -> Result<Outcome, Unmergeable> {
    if !slot.is_touched(into) || !slot.theirs_lives(into) {
        return Ok(match slot.is_touched(into) {
            true => Outcome::Stays,
            false => Outcome::Untouched,
        });
    }
    let (Some(base), Some(theirs)) = (slot.base, slot.theirs) else {
        return Ok(Outcome::Stays);
    };
    let orphan = inputs.links.iter().any(|link| {
        let is_child = link.child == slot.into;
        is_child && matches!(parent(slots, link, &theirs.cells), Parent::Gone)
    });
    if !orphan && !fields::differing(into, &base.row.cells, &theirs.cells).is_empty() {
        decisions.push(note(into, &slot.key, "changed, not deleted"));
        return Ok(Outcome::Stays);
    }
    // `keep` and what it leaves is a ghost of the same values, which is no change.
    removed(inputs, into, slot, std::slice::from_ref(slot))
}

fn parent(slots: &Slots<'_>, link: &Link, cells: &[Cell]) -> Parent {
    let key: Option<Vec<Box<str>>> = link
        .columns
        .iter()
        .map(|&i| cells[i].text().map(Box::from))
        .collect();
    // Without a parent, or below one that is not the cart's, nothing follows.
    let slot = key.and_then(|key| slots.all.get(&(link.parent, key.into())));
    let Some(slot) = slot else {
        return Parent::There;
    };
    match (&slot.folded, &slot.outcome, slot.theirs) {
        (Some(home), ..) => Parent::Folded(home.clone()),
        (None, Outcome::Put(_), None) => Parent::New,
        (None, Outcome::Put(_), Some(_)) => Parent::There,
        (None, Outcome::Gone, _) | (None, _, None) => Parent::Gone,
        (None, _, Some(_)) => Parent::There,
    }
}

/// Lets a row that refers to the parent of `from` refer to another one.
fn point(cells: &mut Cells, link: &Link, from: &[Cell], home: &RowKey) {
    if link.columns.iter().any(|&i| cells[i] != from[i]) {
        return;
    }
    let set = std::sync::Arc::make_mut(cells);
    for (&column, part) in link.columns.iter().zip(&**home) {
        set[column] = Cell::Text((**part).into());
    }
}

/// The tables of the mapping in an order in which each comes after those that it hangs below.
fn parents_first(mapping: &Mapping, links: &[Link]) -> Vec<usize> {
    let mut order: Vec<usize> = Vec::new();
    let mut waiting: Vec<usize> = (0..mapping.intos.len()).collect();
    while !waiting.is_empty() {
        let waits = |into: usize| {
            let mut above = links.iter().filter(|link| link.child == into);
            above.any(|link| link.parent != into && waiting.contains(&link.parent))
        };
        let ready: Vec<usize> = waiting
            .iter()
            .copied()
            .filter(|&into| !waits(into))
            .collect();
        let next = match ready.is_empty() {
            // They refer to each other in a circle.
            true => waiting.clone(),
            false => ready,
        };
        waiting.retain(|into| !next.contains(into));
        order.extend(next);
    }
    order
}

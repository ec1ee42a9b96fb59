//! Rows that were changed behind cartage's back, told from those that the new backend has written by
//! their lock tokens: the first become what the source wants again, the others are merged.
//!
//! A row that has no token of its own is judged by its header's: whoever keeps to the lock moves that
//! with each write of the cart.

use super::fields::differing;
use super::record::{Decision, note};
use super::slot::{Outcome, Slot, Slots};
use super::{Inputs, Merged, Part, Unmergeable, decide, finish, guard_headers, writes};
use crate::mapping::difference::{Left, RowOp};
use crate::mapping::map::TargetRow;
use crate::mapping::plan::{Into, Lock, Mapping, Role};
use crate::switch::{self, Mutant};

const DRIFT: &str = "repaired";
const YIELDED: &str = "left to the new backend";

/// What a repair makes of a cart.
#[derive(Clone, Debug)]
pub struct Mended {
    pub merged: Merged,
    /// Rows that are changed back, put back or taken out.
    pub back: usize,
    /// Rows that the new backend has written, and that stay as it wrote them.
    pub yielded: usize,
}

/// Whether nobody who keeps to the locks has written the cart since cartage did. A header that is gone
/// has no token: whether that is so is decided elsewhere.
pub fn is_quiet(inputs: &Inputs<'_>) -> bool {
    let slots = Slots::of(inputs);
    let quiet = |slot: &Slot<'_>| {
        let into = &inputs.mapping.intos[slot.into];
        match (moved(into, slot), slot.left(), slot.theirs) {
            (Some(moved), ..) => !moved,
            // Without a token of its own a header tells nothing.
            (None, Some(_), Some(_)) => into.role != Role::Header,
            _ => true,
        }
    };
    slots.all.values().all(quiet)
}

/// Whether the lock of a row says that it was written. None where the row cannot tell.
fn moved(into: &Into, slot: &Slot<'_>) -> Option<bool> {
    let (left, theirs) = (slot.left()?, slot.theirs?);
    match &into.lock {
        Lock::Counter(_) | Lock::Clock(_) | Lock::Xmin => {
            Some(slot.token() != theirs.token.as_deref())
        }
        Lock::Mapped(name) => {
            let at = into
                .columns
                .iter()
                .position(|column| column.name == *name)?;
            Some(left[at] != theirs.cells[at])
        }
        Lock::Row => None,
    }
}

/// Every row becomes what the source wants, or what an earlier merge made of it; a line of the same
/// product that cartage does not know is taken out.
pub fn restore(inputs: &Inputs<'_>) -> Result<Mended, Unmergeable> {
    let mapping = inputs.mapping;
    let mut slots = Slots::of(inputs);
    let mut decisions = Vec::new();
    for slot in slots.all.values_mut() {
        let into = &mapping.intos[slot.into];
        if slot.base.is_none() && slot.kept.is_none() && slot.is_strange(into) {
            let table = into.full_name();
            return Err(Unmergeable::Taken { table });
        }
        slot.outcome = restored(into, slot);
        told(into, slot, &mut decisions);
    }
    let mut writes = writes(mapping, &slots);
    let back = writes.len();
    if !switch::mutant(Mutant::RepairUnguarded) {
        guard_headers(mapping, &slots, &mut writes);
    }
    let merged = Merged {
        own: slots.lines(mapping),
        kept: slots.kept(inputs),
        conflict: false,
        items: 0,
        writes,
        decisions,
    };
    Ok(Mended {
        merged,
        back,
        yielded: 0,
    })
}

fn restored(into: &Into, slot: &Slot<'_>) -> Outcome {
    let wanted = match (slot.kept, slot.ours) {
        (Some(kept), _) => kept.cells.as_ref(),
        (None, Some(ours)) => Some(&ours.cells),
        (None, None) => None,
    };
    // A ghost's row may be gone for good.
    let lives = slot.kept.is_some() || slot.ours.is_some_and(|row| row.origin.is_some());
    match (wanted, slot.theirs) {
        (Some(cells), Some(theirs)) if !differing(into, cells, &theirs.cells).is_empty() => {
            Outcome::Put(cells.clone())
        }
        (Some(cells), None) if lives => Outcome::Put(cells.clone()),
        (None, Some(_)) if slot.is_ours() => Outcome::Gone,
        // The same line under another key, by whoever does not move the header's version.
        (None, Some(theirs))
            if slot.kept.is_none() && theirs.line.is_some() && slot.theirs_lives(into) =>
        {
            Outcome::Gone
        }
        _ => Outcome::Untouched,
    }
}

fn told(into: &Into, slot: &Slot<'_>, decisions: &mut Vec<Decision>) {
    match (&slot.outcome, slot.theirs) {
        (Outcome::Put(cells), Some(theirs)) => {
            for at in differing(into, cells, &theirs.cells) {
                decisions.push(Decision {
                    column: Some(into.columns[at].name.clone()),
                    base: slot.base_cells().map(|cells| cells[at].clone()),
                    ours: slot.ours.map(|row| row.cells[at].clone()),
                    theirs: Some(theirs.cells[at].clone()),
                    result: Some(cells[at].clone()),
                    ..note(into, &slot.key, DRIFT)
                });
            }
        }
        (Outcome::Put(_), None) | (Outcome::Gone, Some(_)) => {
            decisions.push(note(into, &slot.key, DRIFT));
        }
        _ => {}
    }
}

/// The new backend has written the cart: only rows whose own tokens say that it did not touch them are
/// brought back, all else is merged and stays as it was found.
pub fn yielding(inputs: &Inputs<'_>) -> Result<Mended, Unmergeable> {
    let mapping = inputs.mapping;
    let former = Slots::of(inputs);
    let mut bases: Vec<Vec<Left>> = Vec::new();
    for part in inputs.parts {
        let mut base = part.base.to_vec();
        for left in &mut base {
            let slot = &former.all[&(left.row.into, left.row.key.clone())];
            if let Some(found) = drift(mapping, slot) {
                *left = found;
            }
        }
        bases.push(base);
    }
    let parts: Vec<Part<'_>> = inputs
        .parts
        .iter()
        .zip(&bases)
        .map(|(part, base)| Part { base, ..*part })
        .collect();
    let inputs = Inputs {
        mapping,
        links: inputs.links,
        parts: &parts,
        theirs: inputs.theirs,
        fated: inputs.fated,
    };
    let mut slots = Slots::of(&inputs);
    let (mut decisions, items) = decide(&inputs, &mut slots)?;
    let others: Vec<Slot<'_>> = slots
        .all
        .values()
        .filter(|slot| is_others(mapping, slot))
        .cloned()
        .collect();
    for slot in &others {
        slots.set(slot, Outcome::Stays);
        decisions.push(note(&mapping.intos[slot.into], &slot.key, YIELDED));
    }
    let merged = finish(&inputs, &slots, decisions, items);
    let looks = |op: &RowOp| match op {
        RowOp::Check { .. } => true,
        RowOp::Update { changed, .. } => changed.is_empty(),
        RowOp::Insert { .. } | RowOp::Delete { .. } => false,
    };
    let back = merged.writes.iter().filter(|w| !looks(&w.op)).count();
    Ok(Mended {
        back,
        yielded: others.len(),
        merged,
    })
}

/// A row that differs from what cartage left under the very token that it left, as if cartage had left
/// it so.
fn drift(mapping: &Mapping, slot: &Slot<'_>) -> Option<Left> {
    let into = &mapping.intos[slot.into];
    let (base, theirs) = (slot.base?, slot.theirs?);
    let differs = !differing(into, &base.row.cells, &theirs.cells).is_empty();
    let drifted = slot.kept.is_none() && differs && moved(into, slot) == Some(false);
    drifted.then(|| Left {
        row: TargetRow {
            cells: theirs.cells.clone(),
            ..base.row.clone()
        },
        token: theirs.token.clone(),
    })
}

/// The new backend has written it, or taken it out.
fn is_others(mapping: &Mapping, slot: &Slot<'_>) -> bool {
    let into = &mapping.intos[slot.into];
    let is_ghost = slot.base.is_some_and(|left| left.row.origin.is_none());
    match (slot.left(), slot.theirs) {
        (Some(left), Some(theirs)) => !differing(into, left, &theirs.cells).is_empty(),
        (Some(_), None) => !is_ghost,
        (None, Some(theirs)) => !slot.is_ours() && theirs.line.is_some() && slot.theirs_lives(into),
        (None, None) => false,
    }
}

//! Rows that a merge takes out of a cart.

use std::sync::Arc;

use super::slot::{Outcome, Slot};
use super::{Inputs, Side, Unmergeable};
use crate::mapping::difference::Left;
use crate::mapping::plan::{Fate, Into};

/// What `deleted` makes of a row that is there. `rows` are those whose source tells what it sets.
pub(super) fn removed(
    inputs: &Inputs<'_>,
    into: &Into,
    slot: &Slot<'_>,
    rows: &[Slot<'_>],
) -> Result<Outcome, Unmergeable> {
    let Some(theirs) = slot.theirs else {
        return Ok(Outcome::Stays);
    };
    let sets = match &into.deleted {
        Fate::Delete => return Ok(Outcome::Gone),
        Fate::Keep => return Ok(Outcome::Stays),
        Fate::Set(sets) => sets,
    };
    let ghost = |slot: &Slot<'_>| {
        let ours = slot.ours.filter(|row| row.origin.is_none());
        ours.map(|row| row.cells.clone())
    };
    let fated = |slot: &Slot<'_>| {
        let ours = slot.ours.map(|row| (Side::Ours, row));
        let base = slot.base.map(|left: &Left| (Side::Base, &left.row));
        let mut living = ours.into_iter().chain(base);
        living.find_map(|(side, row)| (inputs.fated)(slot.part, side, row))
    };
    let all = || std::iter::once(slot).chain(rows);
    let marked = all().find_map(ghost).or_else(|| all().find_map(fated));
    let marked = marked.ok_or_else(|| Unmergeable::Fate {
        table: into.full_name(),
    })?;
    let mut cells = theirs.cells.clone();
    let set = Arc::make_mut(&mut cells);
    for (column, _) in sets {
        set[*column] = marked[*column].clone();
    }
    Ok(Outcome::Put(cells))
}

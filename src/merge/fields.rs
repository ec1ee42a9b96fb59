//! Single values of a row: the side that changed one has it, and where both did, the rule.

use std::cmp::Ordering;

use super::Inputs;
use super::clock::{self, Later};
use super::record::{Decision, note};
use super::slot::{Outcome, Slot, Slots};
use crate::cart::image::{Cell, Cells};
use crate::config::FieldRule;
use crate::mapping::plan::{Into, Mapping, Role};

/// One row's sides, each as far as it has the row.
#[derive(Clone, Copy)]
pub(super) struct Row<'a> {
    pub base: Option<&'a [Cell]>,
    pub ours: &'a [Cell],
    pub theirs: &'a [Cell],
}

/// Merges the values of a row; those in `except` stay as found.
pub(super) fn merge(
    mapping: &Mapping,
    slot: &Slot<'_>,
    row: Row<'_>,
    except: &[usize],
    later: Later,
    decisions: &mut Vec<Decision>,
) -> Cells {
    let into = &mapping.intos[slot.into];
    let each = (0..into.columns.len()).map(|i| {
        let column = &into.columns[i];
        let (ours, theirs) = (&row.ours[i], &row.theirs[i]);
        let base = row.base.map(|base| &base[i]);
        if column.once || *ours == Cell::Missing || except.contains(&i) {
            return theirs.clone();
        }
        if base == Some(ours) || ours == theirs {
            return theirs.clone();
        }
        // What an older mapping did not know of the row is written once.
        if base == Some(theirs) || base == Some(&Cell::Missing) {
            return ours.clone();
        }
        let rule = column.merge.unwrap_or(mapping.merge.fields);
        let (result, name) = match rule {
            FieldRule::Source => (ours, "source"),
            FieldRule::Target => (theirs, "target"),
            FieldRule::Latest => match later.of(ours, theirs) {
                Ordering::Less => (theirs, "latest: target"),
                _ => (ours, "latest: source"),
            },
        };
        decisions.push(Decision {
            column: Some(column.name.clone()),
            base: base.cloned(),
            ours: Some(ours.clone()),
            theirs: Some(theirs.clone()),
            result: Some(result.clone()),
            ..note(into, &slot.key, name)
        });
        result.clone()
    });
    each.collect()
}

/// Columns, other than those written once, in which a row is not as `cells` say.
pub(super) fn differing(into: &Into, cells: &[Cell], there: &[Cell]) -> Vec<usize> {
    (0..into.columns.len())
        .filter(|&i| !into.columns[i].once && cells[i] != Cell::Missing && cells[i] != there[i])
        .collect()
}

/// The headers of the unit. That they are there and open was seen before.
pub(super) fn headers(inputs: &Inputs<'_>, slots: &mut Slots<'_>, decisions: &mut Vec<Decision>) {
    let mapping = inputs.mapping;
    let is_header = |slot: &&Slot<'_>| mapping.intos[slot.into].role == Role::Header;
    let headers: Vec<Slot<'_>> = slots.all.values().filter(is_header).cloned().collect();
    for slot in headers {
        let outcome = match (slot.ours, slot.theirs) {
            (None, None) => Outcome::Untouched,
            (Some(ours), None) => Outcome::Put(ours.cells.clone()),
            // The end of a cart goes before what was written into it.
            (None, Some(_)) => Outcome::Gone,
            (Some(ours), Some(theirs)) => {
                let later = Later::between(
                    inputs.parts[slot.part].time,
                    clock::of_row(mapping, slots, &slot),
                );
                let row = Row {
                    base: slot.base_cells(),
                    ours: &ours.cells,
                    theirs: &theirs.cells,
                };
                Outcome::Put(merge(mapping, &slot, row, &[], later, decisions))
            }
        };
        slots.set(&slot, outcome);
    }
}

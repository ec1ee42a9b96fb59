//! One side's rows by the word of a human, whatever the rules say.

use super::fields::differing;
use super::identity::Shape;
use super::record::{Decision, note};
use super::slot::{Outcome, Slot, Slots};
use super::{Inputs, Merged, Part, Side, Unmergeable, guard_headers, merge};
use crate::cart::image::Cell;
use crate::mapping::difference::Left;
use crate::mapping::map::TargetRow;
use crate::mapping::plan::Role;

const SOURCE: &str = "taken: source";
const TARGET: &str = "taken: target";

/// The cart becomes what the source wants, over all that was found of its rows and of its lines:
/// what was found is taken for what cartage had left, so that all that differs is the source's change.
/// Lines of products that the source does not have are nobody's to remove.
pub fn take_source(inputs: &Inputs<'_>) -> Result<Merged, Unmergeable> {
    let slots = Slots::of(inputs);
    if let Some(slot) = slots.all.values().find(|slot| is_others(inputs, slot)) {
        let table = inputs.mapping.intos[slot.into].full_name();
        return Err(Unmergeable::Taken { table });
    }
    let decisions = decisions(inputs, &slots, SOURCE);
    let mut found: Vec<Vec<Left>> = inputs.parts.iter().map(|_| Vec::new()).collect();
    for slot in slots.all.values() {
        let Some(theirs) = slot.theirs else { continue };
        let ours = slot.ours.map(|row| row.origin);
        let base = slot.base.map(|left| left.row.origin);
        found[slot.part].push(Left {
            row: TargetRow {
                into: slot.into,
                key: slot.key.clone(),
                cells: theirs.cells.clone(),
                // One that cartage does not know lives, as far as it is not marked.
                origin: ours.or(base).unwrap_or(Some((usize::MAX, 0))),
            },
            token: theirs.token.clone(),
        });
    }
    let parts: Vec<Part<'_>> = inputs
        .parts
        .iter()
        .zip(&found)
        .map(|(part, found)| Part {
            base: found,
            kept: &[],
            ..*part
        })
        .collect();
    // A row of the new backend's has no source that tells what `deleted` sets: one of ours does.
    let fated = |part: usize, side: Side, row: &TargetRow| {
        let own = |row: &TargetRow| row.origin != Some((usize::MAX, 0));
        let mut of_table = inputs.parts[part]
            .ours
            .iter()
            .filter(|other| other.into == row.into && other.origin.is_some());
        let told = match own(row) {
            true => (inputs.fated)(part, side, row),
            false => None,
        };
        told.or_else(|| of_table.find_map(|other| (inputs.fated)(part, Side::Ours, other)))
    };
    let merged = merge(&Inputs {
        mapping: inputs.mapping,
        links: inputs.links,
        parts: &parts,
        theirs: inputs.theirs,
        fated: &fated,
    })?;
    Ok(Merged {
        decisions,
        conflict: true,
        items: 0,
        ..merged
    })
}

/// The cart stays as it was found, and that is what later changes of the source are put into.
pub fn take_target(inputs: &Inputs<'_>) -> Merged {
    let mut slots = Slots::of(inputs);
    let decisions = decisions(inputs, &slots, TARGET);
    for slot in slots.all.values_mut() {
        slot.outcome = Outcome::Stays;
    }
    let mut writes = Vec::new();
    guard_headers(inputs.mapping, &slots, &mut writes);
    Merged {
        own: Vec::new(),
        kept: slots.kept(inputs),
        conflict: true,
        items: 0,
        writes,
        decisions,
    }
}

/// There is a row under a key of ours that cartage has not put there, and nothing says that it is of
/// this cart: it may be of one that is finished. Of a header its key says so.
fn is_others(inputs: &Inputs<'_>, slot: &Slot<'_>) -> bool {
    let into = &inputs.mapping.intos[slot.into];
    let (Some(ours), Some(theirs)) = (slot.ours, slot.theirs) else {
        return false;
    };
    if into.role == Role::Header || !slot.is_strange(into) {
        return false;
    }
    match Shape::of(into).filter(Shape::tells_lines) {
        Some(shape) => {
            let of = |cells: &[Cell]| shape.identity(&slot.key, cells);
            of(&ours.cells) != of(&theirs.cells)
        }
        None => true,
    }
}

/// What one side has other than the other.
fn decisions(inputs: &Inputs<'_>, slots: &Slots<'_>, rule: &'static str) -> Vec<Decision> {
    let mut out = Vec::new();
    for slot in slots.all.values() {
        let into = &inputs.mapping.intos[slot.into];
        let (Some(ours), Some(theirs)) = (slot.ours, slot.theirs) else {
            if slot.ours.is_some() || slot.theirs.is_some() {
                out.push(note(into, &slot.key, rule));
            }
            continue;
        };
        for at in differing(into, &ours.cells, &theirs.cells) {
            let result = match rule {
                SOURCE => &ours.cells[at],
                _ => &theirs.cells[at],
            };
            out.push(Decision {
                column: Some(into.columns[at].name.clone()),
                base: slot.base_cells().map(|cells| cells[at].clone()),
                ours: Some(ours.cells[at].clone()),
                theirs: Some(theirs.cells[at].clone()),
                result: Some(result.clone()),
                ..note(into, &slot.key, rule)
            });
        }
    }
    out
}

//! One target row as all sides have it, and what becomes of it.

use std::collections::BTreeMap;

use super::fields::differing;
use super::identity::Line;
use super::{Inputs, Kept, Theirs, clock};
use crate::cart::image::{Cell, Cells};
use crate::mapping::difference::Left;
use crate::mapping::map::{RowKey, TargetRow};
use crate::mapping::plan::{Fate, Into, Mapping, Role};
use crate::switch::{self, Mutant};

/// What was decided for a row.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The source has not changed it: nobody asked.
    #[default]
    Untouched,
    /// It stays as it was found, or away.
    Stays,
    /// It holds this, inserted where it is not there.
    Put(Cells),
    Gone,
}

#[derive(Clone, Debug)]
pub(super) struct Slot<'a> {
    pub into: usize,
    pub key: RowKey,
    pub part: usize,
    pub base: Option<&'a Left>,
    pub ours: Option<&'a TargetRow>,
    pub theirs: Option<&'a Theirs>,
    pub kept: Option<&'a Kept>,
    pub outcome: Outcome,
    /// A line of ours that is now part of the row under this key.
    pub folded: Option<RowKey>,
    pub joined: bool,
    /// What an earlier merge left is no longer of interest.
    pub forgotten: bool,
}

impl<'a> Slot<'a> {
    /// A row under a key of ours.
    pub fn is_ours(&self) -> bool {
        self.base.is_some() || self.ours.is_some()
    }

    /// How cartage left the row, where it did.
    pub fn left(&self) -> Option<&'a Cells> {
        match (self.kept, self.base) {
            (Some(kept), _) => kept.cells.as_ref(),
            (None, Some(left)) => Some(&left.row.cells),
            (None, None) => None,
        }
    }

    /// There is another row under a key of ours, and cartage has not put it there: it may be that of
    /// a cart which is finished.
    pub fn is_strange(&self, into: &Into) -> bool {
        let (Some(ours), Some(theirs)) = (self.ours, self.theirs) else {
            return false;
        };
        let is_known = self.base.is_some() || self.kept.is_some();
        !is_known && !differing(into, &ours.cells, &theirs.cells).is_empty()
    }

    pub fn token(&self) -> Option<&'a str> {
        let kept = self.kept.and_then(|kept| kept.token.as_deref());
        kept.or_else(|| self.base?.token.as_deref())
    }

    /// What differences are taken from.
    pub fn base_cells(&self) -> Option<&'a [Cell]> {
        self.base.map(|left| &*left.row.cells)
    }

    /// The source has changed the row.
    pub fn is_touched(&self, into: &Into) -> bool {
        match (self.base, self.ours) {
            (Some(base), Some(ours)) => {
                base.row.origin.is_some() != ours.origin.is_some()
                    || !differing(into, &ours.cells, &base.row.cells).is_empty()
            }
            (base, ours) => base.is_some() != ours.is_some(),
        }
    }

    /// A living row that the new backend has changed or taken away, and the source has not, and of
    /// which no merge knows yet: from then on nothing else tells that it was the new backend.
    fn is_theirs_alone(&self, into: &Into) -> bool {
        let (Some(ours), None) = (self.ours, self.kept) else {
            return false;
        };
        let changed = |theirs: &Theirs| !differing(into, &ours.cells, &theirs.cells).is_empty();
        ours.origin.is_some()
            && !switch::mutant(Mutant::OthersUnseen)
            && self.theirs.is_none_or(changed)
    }

    pub fn ours_lives(&self, into: &Into) -> bool {
        self.ours.is_some_and(|row| !is_dead_row(into, row))
    }

    pub fn base_lives(&self, into: &Into) -> bool {
        self.base.is_some_and(|left| !is_dead_row(into, &left.row))
    }

    /// It is there, and not marked as deleted.
    pub fn theirs_lives(&self, into: &Into) -> bool {
        let Some(theirs) = self.theirs else {
            return false;
        };
        let rows = self.base.map(|left| &left.row).into_iter().chain(self.ours);
        let marked = |row: &TargetRow| {
            let sets = |fate: &Fate| match fate {
                Fate::Set(sets) => sets.iter().all(|(i, _)| row.cells[*i] == theirs.cells[*i]),
                Fate::Delete | Fate::Keep => false,
            };
            is_dead_row(into, row) && (sets(&into.deleted) || sets(&into.ended))
        };
        let mut rows = rows;
        !is_dead(into, &theirs.cells) && !rows.any(marked)
    }

    /// The row as it is once all is written.
    pub fn result(&self) -> Option<Cells> {
        match (&self.outcome, self.theirs) {
            (Outcome::Put(cells), _) => Some(cells.clone()),
            (Outcome::Gone, _) | (_, None) => None,
            (_, Some(theirs)) => Some(theirs.cells.clone()),
        }
    }
}

/// Columns that only a fate sets: null while a row lives.
pub(super) fn marks(into: &Into) -> impl Iterator<Item = usize> + '_ {
    (0..into.columns.len()).filter(|&i| into.columns[i].expr.is_none())
}

fn is_dead(into: &Into, cells: &[Cell]) -> bool {
    marks(into).any(|i| cells[i].text().is_some())
}

/// A ghost that a fate has marked. One that `keep` left is as alive as it was.
fn is_dead_row(into: &Into, row: &TargetRow) -> bool {
    let sets = |fate: &Fate| matches!(fate, Fate::Set(sets) if !sets.is_empty());
    let unmarked = marks(into).next().is_none() && (sets(&into.deleted) || sets(&into.ended));
    is_dead(into, &row.cells) || row.origin.is_none() && unmarked
}

/// All rows of a unit, in the order of tables and keys.
pub(super) struct Slots<'a> {
    pub all: BTreeMap<(usize, RowKey), Slot<'a>>,
}

impl<'a> Slots<'a> {
    pub fn of(inputs: &Inputs<'a>) -> Self {
        let mut slots = Self {
            all: BTreeMap::new(),
        };
        for (part, sides) in inputs.parts.iter().enumerate() {
            for kept in sides.kept {
                slots.at(kept.into, &kept.key, part).kept = Some(kept);
            }
            for left in sides.base {
                slots.at(left.row.into, &left.row.key, part).base = Some(left);
            }
        }
        // A row that moved is its new cart's.
        for (part, sides) in inputs.parts.iter().enumerate() {
            for row in sides.ours {
                let slot = slots.at(row.into, &row.key, part);
                slot.ours = Some(row);
                slot.part = part;
            }
        }
        for theirs in inputs.theirs {
            let part = theirs.line.as_ref().map_or(0, |line| line.part);
            slots.at(theirs.into, &theirs.key, part).theirs = Some(theirs);
        }
        for slot in slots.all.values_mut() {
            slot.joined = slot.kept.is_some_and(|kept| kept.joined);
        }
        slots
    }

    fn at(&mut self, into: usize, key: &RowKey, part: usize) -> &mut Slot<'a> {
        let slot = || Slot {
            into,
            key: key.clone(),
            part,
            base: None,
            ours: None,
            theirs: None,
            kept: None,
            outcome: Outcome::Untouched,
            folded: None,
            joined: false,
            forgotten: false,
        };
        self.all.entry((into, key.clone())).or_insert_with(slot)
    }

    pub fn set(&mut self, slot: &Slot<'_>, outcome: Outcome) {
        if let Some(slot) = self.all.get_mut(&(slot.into, slot.key.clone())) {
            // Of a row that left one line and is another now, what is written counts.
            if outcome != Outcome::Stays || slot.outcome == Outcome::Untouched {
                slot.outcome = outcome;
            }
        }
    }

    /// Keys of lines that the identity guard looks past.
    pub fn lines(&self, mapping: &Mapping) -> Vec<(usize, RowKey)> {
        let is_line = |id: &&(usize, RowKey)| mapping.intos[id.0].line.is_some();
        self.all.keys().filter(is_line).cloned().collect()
    }

    /// Rows that are other than `map` says, by part.
    pub fn kept(&self, inputs: &Inputs<'_>) -> Vec<Vec<Kept>> {
        let mut kept: Vec<Vec<Kept>> = inputs.parts.iter().map(|_| Vec::new()).collect();
        for ((into, key), slot) in &self.all {
            let meant = &inputs.mapping.intos[*into];
            if slot.outcome == Outcome::Untouched && !slot.is_theirs_alone(meant) {
                let before = slot.kept.filter(|_| !slot.forgotten);
                kept[slot.part].extend(before.cloned());
                continue;
            }
            let cells = slot.result();
            let as_meant = match (slot.ours, &cells) {
                (Some(ours), Some(cells)) => differing(meant, &ours.cells, cells).is_empty(),
                // A ghost's row may be gone for good.
                (Some(ours), None) => ours.origin.is_none(),
                (None, cells) => cells.is_none(),
            };
            if !as_meant {
                kept[slot.part].push(Kept {
                    into: *into,
                    key: key.clone(),
                    cells,
                    token: slot.theirs.and_then(|theirs| theirs.token.clone()),
                    time: clock::written(inputs.mapping, slot),
                    joined: slot.joined,
                });
            }
        }
        kept
    }

    /// Whether something that the source changed, or the header, is not as cartage left it.
    pub fn conflict(&self, mapping: &Mapping) -> bool {
        let moved = |slot: &Slot<'_>| {
            let into = &mapping.intos[slot.into];
            let is_ghost = slot.base.is_some_and(|left| left.row.origin.is_none());
            match (slot.left(), slot.theirs) {
                (Some(left), Some(theirs)) => !differing(into, left, &theirs.cells).is_empty(),
                (Some(_), None) => !is_ghost,
                (None, Some(_)) => true,
                (None, None) => false,
            }
        };
        let asked = |slot: &&Slot<'_>| {
            slot.outcome != Outcome::Untouched || mapping.intos[slot.into].role == Role::Header
        };
        self.all.values().filter(asked).any(moved)
    }
}

impl Theirs {
    pub(super) fn label(&self) -> Option<&Line> {
        self.line.as_ref()
    }
}

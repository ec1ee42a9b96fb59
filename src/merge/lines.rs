//! Lines of a cart, told apart by their product and not by the row's key: what the customer put into
//! the cart twice, here and there, is one line.
//!
//! Lines of one product that only the source has made stay apart, as they are in the source. They are
//! folded into one where the new backend has a row of that product, or has folded them itself.

use std::sync::Arc;

use super::clock::{self, Later};
use super::fields::{self, Row};
use super::identity::{Shape, groups};
use super::quantity::{self, Changed, Numbers, Quantity};
use super::record::{Decision, note};
use super::removal::removed;
use super::slot::{Outcome, Slot, Slots, marks};
use super::{Inputs, Unmergeable};
use crate::cart::image::{Cell, Cells};
use crate::mapping::expr::{Decimal, canonical};
use crate::mapping::plan::{Fate, Into};

/// Merges all lines of the unit; gives the number of those whose quantity both sides had changed.
pub(super) fn merge(
    inputs: &Inputs<'_>,
    slots: &mut Slots<'_>,
    decisions: &mut Vec<Decision>,
) -> Result<u64, Unmergeable> {
    let mut items = 0;
    for (index, into) in inputs.mapping.intos.iter().enumerate() {
        let Some(shape) = Shape::of(into) else {
            continue;
        };
        for (_, rows) in groups(slots, index, &shape) {
            let mut merging = Merging {
                inputs,
                slots,
                decisions,
                into,
                shape: &shape,
                items: 0,
            };
            merging.line(&rows)?;
            items += merging.items;
        }
    }
    Ok(items)
}

struct Merging<'m, 's, 'a> {
    inputs: &'m Inputs<'a>,
    slots: &'m mut Slots<'s>,
    decisions: &'m mut Vec<Decision>,
    into: &'m Into,
    shape: &'m Shape,
    items: u64,
}

impl Merging<'_, '_, '_> {
    /// All rows of one product, in the order of their keys.
    fn line(&mut self, rows: &[Slot<'_>]) -> Result<(), Unmergeable> {
        if !rows.iter().any(Slot::is_ours) {
            // It is the new backend's alone.
            for slot in rows {
                self.change(slot, |slot| slot.forgotten = true);
            }
            return Ok(());
        }
        if !rows.iter().any(|slot| slot.is_touched(self.into)) {
            self.point_home(rows);
            return Ok(());
        }
        let lives = |slot: &&Slot<'_>| slot.theirs_lives(self.into);
        let living: Vec<&Slot<'_>> = rows.iter().filter(lives).collect();
        if let Some(closed) = rows.iter().find(|s| s.theirs.is_some_and(|t| t.closed)) {
            self.decisions.push(note(self.into, &closed.key, "closed"));
            for slot in rows {
                self.slots.set(slot, Outcome::Stays);
            }
            return Ok(());
        }
        if rows.iter().any(|slot| self.is_taken(slot)) {
            return Err(Unmergeable::Taken {
                table: self.into.full_name(),
            });
        }
        // A row of which cartage knows nothing.
        let foreign = living.iter().any(|slot| slot.base.is_none());
        let counts = |slot: &Slot<'_>| slot.base_lives(self.into) || slot.ours_lives(self.into);
        let homeless = rows
            .iter()
            .any(|slot| counts(slot) && !slot.theirs_lives(self.into));
        // New lines of the source alone stay as many as they are.
        let known = rows.iter().any(|slot| slot.base_lives(self.into));
        let one = foreign || homeless && (known || !living.is_empty());
        let has_ours = |slot: &&Slot<'_>| slot.ours_lives(self.into);
        let keeper = living
            .first()
            .copied()
            .or_else(|| rows.iter().find(has_ours));
        match keeper.filter(|_| one && rows.len() > 1) {
            Some(keeper) => self.folded(rows, keeper),
            None => rows.iter().try_for_each(|slot| self.alone(slot)),
        }
    }

    /// There is another line under a key of ours, and cartage has not put it there.
    fn is_taken(&self, slot: &Slot<'_>) -> bool {
        let (Some(ours), Some(theirs)) = (slot.ours, slot.theirs) else {
            return false;
        };
        if !self.shape.tells_lines() {
            return slot.is_strange(self.into);
        }
        let of = |cells: &[Cell]| self.shape.identity(&slot.key, cells);
        slot.base.is_none() && slot.kept.is_none() && of(&ours.cells) != of(&theirs.cells)
    }

    /// Lines that were folded before, and that nobody asks about now.
    fn point_home(&mut self, rows: &[Slot<'_>]) {
        let Some(home) = rows.iter().find(|slot| slot.theirs_lives(self.into)) else {
            return;
        };
        for slot in rows.iter().filter(|slot| slot.theirs.is_none()) {
            let home = home.key.clone();
            self.change(slot, |slot| slot.folded = Some(home));
        }
    }

    /// A row that is a line by itself.
    fn alone(&mut self, slot: &Slot<'_>) -> Result<(), Unmergeable> {
        if !slot.is_touched(self.into) {
            return Ok(());
        }
        let rows = std::slice::from_ref(slot);
        let quantity = self.quantity(rows, slot)?;
        self.note_quantity(slot, &quantity, rows)?;
        match self.is_gone(rows, &quantity) {
            true => self.remove(slot, rows),
            false => self.keep(slot, slot, &quantity),
        }
    }

    /// Rows that are one line: it goes into the row that is there; where several are, into that of the
    /// least key, which is the same one whoever looks.
    fn folded(&mut self, rows: &[Slot<'_>], keeper: &Slot<'_>) -> Result<(), Unmergeable> {
        // Whose values go into it.
        let has_ours = |slot: &&Slot<'_>| slot.ours_lives(self.into);
        let source = match has_ours(&keeper) {
            true => keeper,
            false => rows.iter().find(has_ours).unwrap_or(keeper),
        };
        let quantity = self.quantity(rows, keeper)?;
        self.note_quantity(keeper, &quantity, rows)?;
        for slot in rows.iter().filter(|slot| slot.key != keeper.key) {
            if slot.theirs_lives(self.into) {
                self.decisions.push(Decision {
                    result: Some(Cell::Text(keeper.key.join("|").into())),
                    ..note(self.into, &slot.key, "folded")
                });
                self.remove(slot, rows)?;
            } else {
                self.slots.set(slot, Outcome::Stays);
            }
            let home = keeper.key.clone();
            let is_ours = slot.ours.is_some();
            self.change(slot, |slot| {
                if is_ours || slot.ours.is_none() {
                    slot.folded = Some(home);
                }
            });
        }
        if self.is_gone(rows, &quantity) {
            self.remove(keeper, rows)?;
            for slot in rows {
                self.change(slot, |slot| slot.folded = None);
            }
            return Ok(());
        }
        self.keep(keeper, source, &quantity)
    }

    /// Whether the line has nothing left. A quantity of 0 that one side says, and that the other has
    /// not touched, is a line all the same.
    fn is_gone(&self, rows: &[Slot<'_>], quantity: &Quantity) -> bool {
        let nothing = quantity.value.is_zero() || quantity.value.is_negative();
        let ours = rows.iter().any(|slot| slot.ours_lives(self.into));
        let theirs = rows.iter().any(|slot| slot.theirs_lives(self.into));
        nothing
            && match quantity.changed {
                Changed::Both => true,
                Changed::Source => !ours,
                Changed::Target => !theirs,
            }
    }

    /// `slot` is the row that stays, `source` that of ours whose values it takes.
    fn keep(
        &mut self,
        slot: &Slot<'_>,
        source: &Slot<'_>,
        quantity: &Quantity,
    ) -> Result<(), Unmergeable> {
        let lives = slot.theirs_lives(self.into);
        let ours = source.ours.filter(|_| source.ours_lives(self.into));
        let mut cells: Cells = match (ours, slot.theirs) {
            (Some(ours), None) => ours.cells.clone(),
            (Some(ours), Some(theirs)) => {
                let mapping = self.inputs.mapping;
                let time = clock::of_row(mapping, self.slots, slot);
                let later = Later::between(self.inputs.parts[source.part].time, time);
                let base = source.base_cells().filter(|_| source.base_lives(self.into));
                let row = Row {
                    base,
                    ours: &ours.cells,
                    theirs: &theirs.cells,
                };
                let mut except = vec![self.shape.quantity];
                if slot.key != source.key {
                    except = self.shape.same();
                }
                fields::merge(mapping, slot, row, &except, later, self.decisions)
            }
            // The source has removed it, and the new backend had added to it.
            (None, Some(theirs)) => theirs.cells.clone(),
            (None, None) => return Ok(()),
        };
        let set = Arc::make_mut(&mut cells);
        set[self.shape.quantity] = self.spelled(&quantity.value)?;
        if let (false, Some(ours)) = (lives, ours) {
            marks(self.into).for_each(|i| set[i] = ours.cells[i].clone());
        }
        let joined = quantity.joined;
        self.slots.set(slot, Outcome::Put(cells));
        self.change(slot, |slot| slot.joined = joined);
        Ok(())
    }

    /// Takes a line out of the cart, as `deleted` says.
    fn remove(&mut self, slot: &Slot<'_>, rows: &[Slot<'_>]) -> Result<(), Unmergeable> {
        if !slot.theirs_lives(self.into) {
            self.slots.set(slot, Outcome::Stays);
            return Ok(());
        }
        let outcome = removed(self.inputs, self.into, slot, rows)?;
        let outcome = match (outcome, slot.theirs, &self.into.deleted) {
            (Outcome::Stays, Some(theirs), Fate::Keep) => {
                let mut cells = theirs.cells.clone();
                let zero = self.spelled(&Decimal::new(0, 0))?;
                Arc::make_mut(&mut cells)[self.shape.quantity] = zero;
                Outcome::Put(cells)
            }
            (outcome, ..) => outcome,
        };
        self.slots.set(slot, outcome);
        Ok(())
    }

    fn quantity(&self, rows: &[Slot<'_>], at: &Slot<'_>) -> Result<Quantity, Unmergeable> {
        let numbers = self.numbers(rows)?;
        let (mapping, column) = (self.inputs.mapping, &self.into.columns[self.shape.quantity]);
        let Some(line) = &self.into.line else {
            return Err(self.not_a_number());
        };
        let time = clock::of_row(mapping, self.slots, at);
        let later = Later::between(self.inputs.parts[at.part].time, time);
        // A line that has gone since is no longer what was added up.
        let joined = |slot: &Slot<'_>| slot.joined && slot.theirs_lives(self.into);
        let rule = quantity::rule(column, mapping.merge.quantity);
        let joined = rows.iter().any(joined);
        Ok(quantity::merge(rule, line, &numbers, joined, later))
    }

    fn numbers(&self, rows: &[Slot<'_>]) -> Result<Numbers, Unmergeable> {
        let mut numbers = Numbers {
            base: Decimal::new(0, 0),
            ours: Decimal::new(0, 0),
            theirs: Decimal::new(0, 0),
        };
        for slot in rows {
            let theirs = slot.theirs.map(|theirs| &*theirs.cells);
            if let Some(cells) = slot.base_cells().filter(|_| slot.base_lives(self.into)) {
                numbers.base = numbers.base.add(&self.number(cells)?);
            }
            if let Some(row) = slot.ours.filter(|_| slot.ours_lives(self.into)) {
                numbers.ours = numbers.ours.add(&self.number(&row.cells)?);
            }
            if let Some(cells) = theirs.filter(|_| slot.theirs_lives(self.into)) {
                numbers.theirs = numbers.theirs.add(&self.number(cells)?);
            }
        }
        Ok(numbers)
    }

    /// Null counts as 0.
    fn number(&self, cells: &[Cell]) -> Result<Decimal, Unmergeable> {
        match cells[self.shape.quantity].text() {
            None => Ok(Decimal::new(0, 0)),
            Some(text) => Decimal::parse(text).ok_or_else(|| self.not_a_number()),
        }
    }

    fn not_a_number(&self) -> Unmergeable {
        Unmergeable::Number {
            table: self.into.full_name(),
            column: self.into.columns[self.shape.quantity].name.clone(),
        }
    }

    fn spelled(&self, value: &Decimal) -> Result<Cell, Unmergeable> {
        let ty = &self.into.columns[self.shape.quantity].ty;
        let text = canonical(&value.to_string(), ty).map_err(|_| self.not_a_number())?;
        Ok(Cell::Text((*text).into()))
    }

    fn note_quantity(
        &mut self,
        slot: &Slot<'_>,
        quantity: &Quantity,
        rows: &[Slot<'_>],
    ) -> Result<(), Unmergeable> {
        if quantity.changed != Changed::Both {
            return Ok(());
        }
        self.items += 1;
        let numbers = self.numbers(rows)?;
        self.decisions.push(Decision {
            column: Some(self.into.columns[self.shape.quantity].name.clone()),
            base: Some(self.spelled(&numbers.base)?),
            ours: Some(self.spelled(&numbers.ours)?),
            theirs: Some(self.spelled(&numbers.theirs)?),
            result: Some(self.spelled(&quantity.value)?),
            ..note(self.into, &slot.key, quantity.rule)
        });
        Ok(())
    }

    fn change(&mut self, slot: &Slot<'_>, change: impl FnOnce(&mut Slot<'_>)) {
        if let Some(slot) = self.slots.all.get_mut(&(slot.into, slot.key.clone())) {
            change(slot);
        }
    }
}

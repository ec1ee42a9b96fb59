//! Which rows are one line: those of one product in one cart, whatever their keys.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::slot::{Slot, Slots};
use super::{Inputs, Part};
use crate::cart::image::Cell;
use crate::mapping::map::{RowKey, TargetRow};
use crate::mapping::plan::{Into, Mapping, Role};

/// One line of a cart.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Line {
    pub into: usize,
    /// The cart of the unit that has it.
    pub part: usize,
    /// What the columns that identify it hold: the cart's key and the product.
    pub identity: Vec<Box<str>>,
}

/// The columns that identify a line, and its quantity.
pub(super) struct Shape {
    pub quantity: usize,
    identity: Vec<Column>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Column {
    Key(usize),
    Value(usize),
}

impl Shape {
    pub fn of(into: &Into) -> Option<Self> {
        let line = into.line.as_ref().filter(|_| into.role == Role::Line)?;
        let value = |name: &str| into.columns.iter().position(|c| c.name == name);
        let column = |name: &str| {
            let key = into.key.iter().position(|k| k.name == name);
            key.map(Column::Key)
                .or_else(|| value(name).map(Column::Value))
        };
        let named = line.cart.iter().map(|(column, _)| column.as_str());
        let named = named.chain([line.product.as_str()]);
        let identity = match line.cart.is_empty() {
            true => Vec::new(),
            false => named.map(column).collect::<Option<_>>()?,
        };
        Some(Self {
            quantity: value(&line.quantity)?,
            identity,
        })
    }

    /// Lines are told apart by what they are, and not by their keys alone.
    pub fn tells_lines(&self) -> bool {
        !self.identity.is_empty()
    }

    /// Where nothing says which cart a line is of, its key alone tells it.
    pub fn identity(&self, key: &RowKey, cells: &[Cell]) -> Vec<Box<str>> {
        if self.identity.is_empty() {
            return key.to_vec();
        }
        let text = |column: &Column| match *column {
            Column::Key(at) => key[at].clone(),
            Column::Value(at) => cells[at].text().unwrap_or_default().into(),
        };
        self.identity.iter().map(text).collect()
    }

    /// Columns by which lines are one, and which therefore stay as they are in the row that is kept.
    pub fn same(&self) -> Vec<usize> {
        let value = |column: &Column| match *column {
            Column::Key(_) => None,
            Column::Value(at) => Some(at),
        };
        let columns = self.identity.iter().filter_map(value);
        columns.chain([self.quantity]).collect()
    }
}

/// The lines that the source has changed, each with a row of ours: the new backend's rows of them have
/// to be looked for.
pub fn touched<'a>(mapping: &'a Mapping, parts: &'a [Part<'a>]) -> Vec<(Line, &'a TargetRow)> {
    let inputs = Inputs {
        mapping,
        links: &[],
        parts,
        theirs: &[],
        fated: &|_, _, _| None,
    };
    let slots = Slots::of(&inputs);
    let mut lines = Vec::new();
    for (index, into) in mapping.intos.iter().enumerate() {
        let Some(shape) = Shape::of(into).filter(|shape| !shape.identity.is_empty()) else {
            continue;
        };
        for (line, rows) in groups(&slots, index, &shape) {
            // What hangs below a line must find the row that it became.
            let asked = |slot: &Slot<'_>| slot.is_touched(into) || slot.kept.is_some();
            if !rows.iter().any(asked) {
                continue;
            }
            let row = |slot: &Slot<'a>| slot.ours.or(slot.base.map(|left| &left.row));
            if let Some(row) = rows.iter().find_map(row) {
                lines.push((line, row));
            }
        }
    }
    lines
}

/// The rows of each line, in the order of their keys. A row that is another product's now is so for
/// all sides as long as it is there; one that is not, because it was folded, has left the one line and
/// is new in the other.
pub(super) fn groups<'a>(
    slots: &Slots<'a>,
    index: usize,
    shape: &Shape,
) -> BTreeMap<Line, Vec<Slot<'a>>> {
    let mut groups: BTreeMap<Line, Vec<Slot<'a>>> = BTreeMap::new();
    let mut add = |slot: Slot<'a>, identity: Vec<Box<str>>| {
        let line = Line {
            into: index,
            part: slot.part,
            identity,
        };
        groups.entry(line).or_default().push(slot);
    };
    for ((_, key), slot) in slots.all.iter().filter(|((into, _), _)| *into == index) {
        let of = |cells: &[Cell]| shape.identity(key, cells);
        let base = slot.base.map(|left| of(&left.row.cells));
        let ours = slot.ours.map(|row| of(&row.cells));
        let theirs = slot.theirs.map(|theirs| match theirs.label() {
            Some(line) => line.identity.clone(),
            None => of(&theirs.cells),
        });
        let kept = slot.kept.and_then(|kept| kept.cells.as_ref());
        match (base, ours) {
            (Some(base), Some(ours)) if base != ours && theirs.is_none() => {
                let left = Slot {
                    ours: None,
                    ..slot.clone()
                };
                let come = Slot {
                    base: None,
                    kept: None,
                    ..slot.clone()
                };
                add(left, base);
                add(come, ours);
            }
            // What the source calls the row goes before what the new backend does.
            (base, ours) => {
                let kept = kept.map(|cells| of(cells));
                if let Some(identity) = ours.or(base).or(theirs).or(kept) {
                    add(slot.clone(), identity);
                }
            }
        }
    }
    groups
}

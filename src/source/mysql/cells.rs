//! A row of the log as the cells of the layout's table.

use super::event::rows::{Action, Row, Value};
use super::tables::{Mapped, Place};
use super::value;
use crate::cart::image::{self, Cell, Cells};
use crate::cart::layout::Layout;
use crate::mysql::value::ValueError;
use crate::source::change::{Change, Op};
use crate::switch::{self, Mutant};

/// Why a row cannot be told as it is.
#[derive(Debug)]
pub enum Untold {
    /// The log lacks these columns, by which the row and its cart are found.
    Lacks(Vec<usize>),
    /// The log has only what changed in this document.
    Diff(usize),
    Value(ValueError),
}

/// Nothing is known of the row but that it is there.
pub fn hidden(table: usize, layout: &Layout) -> Change {
    let cells: Cells = vec![Cell::Missing; layout.tables[table].columns.len()].into();
    Change {
        table,
        op: Op::Update {
            old: Some(cells.clone()),
            new: cells,
        },
    }
}

pub fn change(mapped: &Mapped, action: Action, row: &Row<'_>) -> Result<Change, Untold> {
    let is_missing = |cell: &Cell| matches!(cell, Cell::Missing);
    let lacks = |cells: &Cells| {
        let missing = |i: &&usize| is_missing(&cells[**i]);
        let lacks: Vec<usize> = mapped.needed.iter().filter(missing).copied().collect();
        match lacks.is_empty() {
            true => Ok(()),
            false => Err(Untold::Lacks(lacks)),
        }
    };
    let op = match action {
        Action::Write => {
            let new = cells(mapped, &row.after, None)?;
            lacks(&new)?;
            Op::Insert { new }
        }
        Action::Delete => {
            let old = cells(mapped, &row.before, None)?;
            lacks(&old)?;
            Op::Delete { old }
        }
        Action::Update => {
            let old = cells(mapped, &row.before, None)?;
            lacks(&old)?;
            // What the log leaves out after a change is as it was before it.
            let mut new = cells(mapped, &row.after, Some((&row.before, &old)))?;
            if new.iter().any(is_missing) {
                let cells = new.iter().zip(&*old).map(|(new, old)| match new {
                    Cell::Missing => old.clone(),
                    _ => new.clone(),
                });
                new = cells.collect();
            }
            Op::Update {
                old: Some(old),
                new,
            }
        }
    };
    Ok(Change {
        table: mapped.table,
        op,
    })
}

/// `before`: the row as it was, in its bytes and as cells. The same bytes are the same value, and most
/// columns of a row stay as they are.
fn cells(
    mapped: &Mapped,
    values: &[Value<'_>],
    before: Option<(&[Value<'_>], &Cells)>,
) -> Result<Cells, Untold> {
    let cell = |i: usize, place: &Place| {
        let value = values.get(place.column);
        match value {
            Some(Value::Absent) if switch::mutant(Mutant::AbsentIsNull) => Ok(Cell::Null),
            None | Some(Value::Absent) => Ok(Cell::Missing),
            Some(Value::Null) => Ok(Cell::Null),
            // Of an empty list of changes only its length is there: the document is as it was.
            Some(Value::Partial(bytes)) if bytes.iter().all(|b| *b == 0) => Ok(Cell::Missing),
            Some(Value::Partial(_)) => Err(Untold::Diff(i)),
            Some(Value::Here(bytes)) => match before {
                Some((values, cells)) if values.get(place.column) == value => Ok(cells[i].clone()),
                _ => {
                    let wire = &mapped.wires[place.column];
                    value::cell(&place.known, wire, bytes).map_err(Untold::Value)
                }
            },
        }
    };
    image::made(mapped.places.len(), |cells| {
        for (i, (to, place)) in cells.iter_mut().zip(&mapped.places).enumerate() {
            if let Some(place) = place {
                *to = cell(i, place)?;
            }
        }
        Ok(())
    })
}

//! From one mapping to the next: images and target rows of before, in the terms of the mapping in
//! force. Names carry over; what the old one did not hold is missing.

use std::sync::Arc;

use super::difference::{Left, RowOp, RowWrite};
use super::lookup::Lookup;
use super::map::{MapError, Mapper, TargetRow};
use super::plan::{Into, Mapping};
use crate::cart::answers::{Answer, Answers, Given, Question};
use crate::cart::image::{Cell, Cells, Ghost, Image, Moment, Row};
use crate::cart::layout::{Column, Layout};
use crate::merge::Kept;

/// A cart of an older mapping in the terms of the new one.
#[derive(Debug)]
pub struct Converted {
    /// None where the image lacks columns that the new mapping reads.
    pub image: Option<Image>,
    pub left: Vec<Left>,
    /// Deletes of rows in tables that the new mapping no longer writes.
    pub dropped: Vec<RowWrite>,
}

/// Converts a cart. `tokens` are those of `old.map(image)`, in its order.
pub fn convert(
    old: &Mapper,
    new: &Mapper,
    image: &Image,
    tokens: Vec<Option<Box<str>>>,
) -> Result<Converted, MapError> {
    let tables = match_tables(old.layout(), new.layout());
    let intos: Vec<Option<usize>> = old
        .mapping
        .intos
        .iter()
        .map(|into| match_into(into, &new.mapping))
        .collect();
    let mut left = Vec::new();
    let mut dropped = Vec::new();
    let tokens = tokens.into_iter().chain(std::iter::repeat(None));
    for (row, token) in old.map(image)?.into_iter().zip(tokens) {
        let before = &old.mapping.intos[row.into];
        match intos[row.into] {
            None => dropped.push(drop_row(before, row, token)),
            Some(at) => left.push(Left {
                row: TargetRow {
                    into: at,
                    cells: move_cells(before, &new.mapping.intos[at], &row.cells),
                    origin: row
                        .origin
                        .and_then(|(table, i)| Some((tables.get(table)?.as_ref()?.0, i))),
                    key: row.key,
                },
                token,
            }),
        }
    }
    left.sort_by(|a, b| a.row.id().cmp(&b.row.id()));
    let image = move_image(old, new, image, &tables, &intos);
    Ok(Converted {
        image,
        left,
        dropped,
    })
}

/// Rows that a merge has left, in the terms of the new mapping; those of tables that it no longer
/// writes are forgotten.
pub fn convert_kept(old: &Mapper, new: &Mapper, kept: Vec<Kept>) -> Vec<Kept> {
    let each = kept.into_iter().filter_map(|row| {
        let before = old.mapping.intos.get(row.into)?;
        let at = match_into(before, &new.mapping)?;
        let after = &new.mapping.intos[at];
        Some(Kept {
            into: at,
            cells: row.cells.map(|cells| move_cells(before, after, &cells)),
            ..row
        })
    });
    each.collect()
}

/// For each old table: its new index, and for each new column the old one.
type Tables = Vec<Option<(usize, Vec<Option<usize>>)>>;

fn match_tables(old: &Layout, new: &Layout) -> Tables {
    old.tables
        .iter()
        .map(|before| {
            let at = new
                .tables
                .iter()
                .position(|t| t.schema == before.schema && t.name == before.name)?;
            let columns = new.tables[at]
                .columns
                .iter()
                .map(|c| before.column(&c.name))
                .collect();
            Some((at, columns))
        })
        .collect()
}

/// The same target table under the same key columns.
fn match_into(old: &Into, new: &Mapping) -> Option<usize> {
    let keys = |into: &Into| into.key.iter().map(|k| k.name.clone()).collect::<Vec<_>>();
    new.intos.iter().position(|into| {
        into.schema == old.schema && into.table == old.table && keys(into) == keys(old)
    })
}

fn move_cells(old: &Into, new: &Into, cells: &[Cell]) -> Cells {
    new.columns
        .iter()
        .map(|column| {
            let known = old
                .columns
                .iter()
                .position(|c| c.name == column.name && !c.once);
            known.map_or(Cell::Missing, |i| cells[i].clone())
        })
        .collect()
}

fn move_image(
    old: &Mapper,
    new: &Mapper,
    image: &Image,
    tables: &Tables,
    intos: &[Option<usize>],
) -> Option<Image> {
    let mut moved = Image::empty(new.layout());
    moved.life = image.life;
    for (at, table) in new.layout().tables.iter().enumerate() {
        let from = tables
            .iter()
            .position(|t| t.as_ref().is_some_and(|(i, _)| *i == at))?;
        let (_, columns) = tables[from].as_ref()?;
        let same_key = {
            let before = &old.layout().tables[from];
            let names = |t: &crate::cart::layout::Table| {
                t.key
                    .iter()
                    .map(|&k| t.columns[k].name.clone())
                    .collect::<Vec<_>>()
            };
            names(before) == names(table)
        };
        if !same_key || columns.iter().any(Option::is_none) {
            return None;
        }
        for row in &image.tables[from] {
            let cells = columns
                .iter()
                .map(|c| c.map_or(Cell::Missing, |i| row.cells[i].clone()))
                .collect();
            moved.tables[at].push(Row {
                cells,
                stamp: row.stamp,
            });
        }
    }
    moved.answers = move_answers(&old.mapping, &new.mapping, image);
    for ghost in &image.ghosts {
        if let Some(at) = intos[ghost.into] {
            moved.ghosts.push(Ghost {
                into: at,
                cells: move_cells(
                    &old.mapping.intos[ghost.into],
                    &new.mapping.intos[at],
                    &ghost.cells,
                ),
                ..ghost.clone()
            });
        }
    }
    for moment in &image.moments {
        if let Some(into) = intos[moment.into] {
            moved.moments.push(Moment {
                into,
                ..moment.clone()
            });
        }
    }
    moved
        .moments
        .sort_by(|a, b| (a.into, &a.key).cmp(&(b.into, &b.key)));
    Some(moved)
}

/// Answers of lookups that find the same rows stay; what they do not hold is asked anew.
fn move_answers(old: &Mapping, new: &Mapping, image: &Image) -> Answers {
    let places: Vec<Option<(usize, Vec<usize>)>> = old
        .lookups
        .iter()
        .map(|before| {
            let same = |l: &&Arc<Lookup>| l.name == before.name && l.finds_as(before);
            let at = new.lookups.iter().position(|l| same(&l))?;
            let place = |c: &Column| {
                let mut get = before.get.iter();
                get.position(|g| g.name == c.name && g.ty.name == c.ty.name)
            };
            let cells = new.lookups[at].get.iter().map(place);
            Some((at, cells.collect::<Option<Vec<usize>>>()?))
        })
        .collect();
    let moved = image.answers.iter().filter_map(|answer| {
        let (at, places) = places.get(answer.question.lookup)?.as_ref()?;
        let given = match &answer.given {
            Given::Row(cells) => {
                let each = places.iter().map(|&c| cells.get(c).cloned());
                Given::Row(each.collect::<Option<Vec<Cell>>>()?.into())
            }
            other => other.clone(),
        };
        let question = Question {
            lookup: *at,
            ..answer.question.clone()
        };
        Some(Answer { question, given })
    });
    moved.collect()
}

fn drop_row(into: &Arc<Into>, row: TargetRow, token: Option<Box<str>>) -> RowWrite {
    RowWrite {
        into: into.clone(),
        index: None,
        key: row.key,
        op: RowOp::Delete { old: row.cells },
        token,
    }
}

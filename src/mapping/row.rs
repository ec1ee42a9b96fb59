//! One target row: its key and its cells, as the expressions give them.

use super::expr::{Env, EvalError, Expr, Parts, bind};
use super::former::FormerRow;
use super::map::{MapError, RowKey};
use super::plan::{Into, MappedColumn};
use crate::cart::image::{self, Cell, Cells};

/// Where the expressions of a target row are evaluated.
#[derive(Clone, Copy)]
pub(super) struct At<'a> {
    pub env: Env<'a>,
    pub parts: Parts<'a>,
}

impl<'a> From<Env<'a>> for At<'a> {
    fn from(env: Env<'a>) -> Self {
        Self {
            env,
            parts: Parts::default(),
        }
    }
}

pub(super) fn row_key(
    into: &Into,
    at: &At<'_>,
    former: Option<&FormerRow<'_>>,
) -> Result<RowKey, MapError> {
    if let Some(former) = former
        && into.key.iter().all(|column| former.still(&column.expr))
    {
        return Ok(former.target.key.clone());
    }
    into.key
        .iter()
        .map(|column| {
            let why = |why| failed(into, &column.name, why);
            let value = column
                .expr
                .evaluate_shaped(&at.env, at.parts)
                .map_err(why)?;
            let bound = bind(&value, &column.ty, at.env.time_zone).map_err(why)?;
            bound
                .map(|text| text.into())
                .ok_or_else(|| MapError::NullKey {
                    table: into.full_name(),
                    column: column.name.clone(),
                })
        })
        .collect()
}

pub(super) fn row_cells(
    into: &Into,
    at: &At<'_>,
    former: Option<&FormerRow<'_>>,
    beside: Option<&FormerRow<'_>>,
) -> Result<Cells, MapError> {
    fn there<'f>(former: &'f FormerRow<'_>, i: usize, expr: &Expr) -> Option<&'f Cell> {
        let cell = former.target.cells.get(i);
        cell.filter(|cell| !matches!(cell, Cell::Missing) && former.still(expr))
    }
    if let Some(former) = former {
        let stays = |(i, column): (usize, &MappedColumn)| match &column.expr {
            Some(expr) => there(former, i, expr).is_some(),
            None => true,
        };
        if into.columns.iter().enumerate().all(stays) {
            return Ok(former.target.cells.clone());
        }
    }
    image::made(into.columns.len(), |cells| {
        for (i, (to, column)) in cells.iter_mut().zip(&into.columns).enumerate() {
            let Some(expr) = &column.expr else {
                *to = Cell::Null;
                continue;
            };
            let mut known = former.into_iter().chain(beside);
            *to = match known.find_map(|known| there(known, i, expr)) {
                Some(known) => known.clone(),
                None => cell(into, i, expr, at)?,
            };
        }
        Ok(())
    })
}

pub(super) fn cell(into: &Into, column: usize, expr: &Expr, at: &At<'_>) -> Result<Cell, MapError> {
    let column = &into.columns[column];
    let why = |why| failed(into, &column.name, why);
    let value = expr.evaluate_shaped(&at.env, at.parts).map_err(why)?;
    let bound = bind(&value, &column.ty, at.env.time_zone).map_err(why)?;
    Ok(bound.map_or(Cell::Null, |text| shared(&text, &at.env)))
}

/// A value that comes as it is from the source's row shares that row's text.
fn shared(text: &str, env: &Env<'_>) -> Cell {
    let same = |cell: &&Cell| cell.text().is_some_and(|there| std::ptr::eq(there, text));
    let found = env.row.cells.iter().find(same);
    found.cloned().unwrap_or_else(|| Cell::Text(text.into()))
}

pub(super) fn failed(into: &Into, column: &str, why: EvalError) -> MapError {
    MapError::Value {
        table: into.full_name(),
        column: column.to_owned(),
        why,
    }
}

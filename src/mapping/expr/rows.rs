//! Which rows of the image belong to the row of an expression.

use super::error::EvalError;
use super::scope::Env;
use crate::cart::image::{Cell, Row};
use crate::cart::layout::{Layout, Table};

/// The rows of `table` where all of them belong to the row: to the header.
pub fn all<'a>(env: &Env<'a>, per: usize, table: usize) -> Option<&'a [Row]> {
    let rows = || env.image.tables.get(table).map_or(&[][..], Vec::as_slice);
    (per == Layout::HEADER).then(rows)
}

/// The rows of `table` that belong to the row: for the header all, for others its children.
pub fn belonging<'a>(env: &Env<'a>, per: usize, table: usize) -> Result<Vec<&'a Row>, EvalError> {
    if let Some(all) = all(env, per, table) {
        return Ok(all.iter().collect());
    }
    let rows = env.image.tables.get(table).map_or(&[][..], Vec::as_slice);
    let (Some(own), Some(other)) = (env.layout.tables.get(per), env.layout.tables.get(table))
    else {
        return Ok(Vec::new());
    };
    let Some((_, by)) = &other.parent else {
        return Ok(Vec::new());
    };
    let key = cells(own, env.row, &own.key)?;
    let mut found = Vec::new();
    for row in rows {
        if agree(&cells(other, row, by)?, &key) {
            found.push(row);
        }
    }
    Ok(found)
}

/// The parent of the row, if it has one.
pub fn parent<'a>(env: &Env<'a>, per: usize) -> Result<Option<&'a Row>, EvalError> {
    let Some(own) = env.layout.tables.get(per) else {
        return Ok(None);
    };
    let Some((parent, by)) = &own.parent else {
        return Ok(None);
    };
    let wanted = cells(own, env.row, by)?;
    let Some(table) = env.layout.tables.get(*parent) else {
        return Ok(None);
    };
    for row in env.image.tables.get(*parent).into_iter().flatten() {
        if agree(&cells(table, row, &table.key)?, &wanted) {
            return Ok(Some(row));
        }
    }
    Ok(None)
}

/// The text of a cell; an error where the log did not carry it.
pub fn cell<'a>(table: &Table, row: &'a Row, column: usize) -> Result<Option<&'a str>, EvalError> {
    match row.cells.get(column) {
        Some(Cell::Text(text)) => Ok(Some(text)),
        Some(Cell::Null) => Ok(None),
        Some(Cell::Missing) | None => Err(EvalError::Missing {
            table: table.alias.clone(),
            column: table
                .columns
                .get(column)
                .map_or_else(String::new, |c| c.name.clone()),
        }),
    }
}

/// What stands in columns by which rows find each other.
fn cells<'a>(
    table: &Table,
    row: &'a Row,
    columns: &[usize],
) -> Result<Vec<Option<&'a str>>, EvalError> {
    columns
        .iter()
        .map(|&c| {
            let text = cell(table, row, c)?;
            Ok(text.map(|text| table.columns[c].ty.key_text(text)))
        })
        .collect()
}

/// Null agrees with nothing, as in a foreign key.
fn agree(a: &[Option<&str>], b: &[Option<&str>]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.is_some() && a == b)
}

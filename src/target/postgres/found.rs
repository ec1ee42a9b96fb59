//! Target rows by key: one query a table.

use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Error, Row};

use super::statement::{self, output, quote};
use super::{closed, printed};
use crate::cart::image::{Cell, Cells};
use crate::mapping::expr::canonical;
use crate::mapping::map::{RowKey, TargetRow};
use crate::mapping::plan::{Into, Lock, Mapping};
use crate::sqltype::SqlType;
use crate::target::found::{Ask, Found, FoundRows};

/// `wanted` are the rows to ask for, each key once, by the place of their `[[into]]`.
pub async fn find(
    target: &Client,
    mapping: &Mapping,
    rows: &[&TargetRow],
    wanted: Vec<Vec<&TargetRow>>,
    ask: Ask,
) -> Result<FoundRows, Error> {
    let mut found = FoundRows::default();
    found.reserve(rows.len());
    for (index, wanted) in wanted
        .into_iter()
        .enumerate()
        .filter(|(_, w)| !w.is_empty())
    {
        let into = &mapping.intos[index];
        let params: Vec<Vec<&str>> = (0..into.key.len())
            .map(|part| wanted.iter().map(|row| &*row.key[part]).collect())
            .collect();
        let params: Vec<&(dyn ToSql + Sync)> =
            params.iter().map(|p| p as &(dyn ToSql + Sync)).collect();
        for row in target.query(&select(into, ask), &params).await? {
            let ord: i64 = row.try_get(0)?;
            let Some(expected) = usize::try_from(ord - 1).ok().and_then(|i| wanted.get(i)) else {
                continue;
            };
            let there = Found {
                cells: cells(into, expected, &row)?,
                json: row.try_get(1)?,
                token: row.try_get::<_, Option<&str>>(2)?.map(Box::from),
                closed: row.try_get(3)?,
                closed_by_others: row.try_get(4)?,
                alike: Vec::new(),
            };
            found.insert((index, expected.key.clone()), there);
        }
    }
    if mapping.intos.iter().any(|into| printed::has_foreign(into)) {
        let cells = |id: &(usize, RowKey)| found.get(id).map(|row| &row.cells);
        for alike in printed::alike(target, mapping, rows.iter().copied(), cells).await? {
            if let Some(row) = found.get_mut(&alike.row) {
                row.alike.push((alike.column, alike.ours));
            }
        }
    }
    Ok(found)
}

/// Values in the form in which they are compared. What is printed as it was expected is in that form
/// already; where all of a row is, its cells are those that were expected.
fn cells(into: &Into, expected: &TargetRow, row: &Row) -> Result<Cells, Error> {
    let mut texts: Vec<Option<&str>> = Vec::with_capacity(into.columns.len());
    for i in 0..into.columns.len() {
        texts.push(row.try_get(5 + i)?);
    }
    let same = |(cell, text): (&Cell, &Option<&str>)| match (cell, text) {
        (Cell::Text(cell), Some(text)) => cell == text,
        (Cell::Null, None) => true,
        _ => false,
    };
    if expected.cells.len() == texts.len() && expected.cells.iter().zip(&texts).all(same) {
        return Ok(expected.cells.clone());
    }
    let cells = into.columns.iter().zip(&texts).enumerate();
    let cells = cells.map(|(i, (column, text))| match text {
        None => Cell::Null,
        Some(text) => match expected.cells.get(i) {
            Some(Cell::Text(cell)) if cell == text => Cell::Text(cell.clone()),
            _ => {
                let canonical = canonical(text, &column.ty);
                Cell::Text(canonical.map_or_else(|_| (*text).into(), |text| text.into()))
            }
        },
    });
    Ok(cells.collect())
}

fn select(into: &Into, ask: Ask) -> String {
    let token = match &into.lock {
        _ if !ask.is_whole() => "NULL::text".to_owned(),
        Lock::Counter(column) | Lock::Clock(column) => format!("t.{}::text", quote(column)),
        Lock::Xmin => "t.xmin::text".to_owned(),
        Lock::Mapped(_) | Lock::Row => "NULL::text".to_owned(),
    };
    let holds = |sql: Option<String>| match sql {
        Some(sql) if ask.is_whole() => format!("coalesce(({sql}), false)"),
        _ => "false".to_owned(),
    };
    let closed = holds(into.closed.as_ref().map(|closed| closed.sql.clone()));
    let by_others = holds(closed::by_others(into));
    let json = match ask {
        Ask::State | Ask::Locked => "to_json(t)::text",
        Ask::Values => "NULL::text",
    };
    let lock = match ask {
        Ask::Locked => " FOR UPDATE OF t",
        Ask::State | Ask::Values => "",
    };
    let columns: String = into
        .columns
        .iter()
        .map(|c| format!(", {}", printed_column(&c.name, &c.ty)))
        .collect();
    format!(
        "SELECT d.ord, {json}, {token}, {closed}, {by_others}{columns} FROM {} AS t, {} WHERE {}{lock}",
        statement::table(into),
        statement::keys(into),
        statement::key_match(into)
    )
}

/// A column's value as its type's output function prints it. Where a cast to text does that too, the
/// server is spared the longer way: a whole shop is read by it.
pub(super) fn printed_column(column: &str, ty: &SqlType) -> String {
    let is_plain = matches!(
        ty.base.as_str(),
        "smallint"
            | "integer"
            | "bigint"
            | "numeric"
            | "uuid"
            | "date"
            | "text"
            | "character varying"
            | "timestamp without time zone"
            | "timestamp with time zone"
    );
    match is_plain {
        true => format!("t.{}::text", quote(column)),
        false => output(column),
    }
}

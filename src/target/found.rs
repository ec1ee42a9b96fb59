//! Target rows by key as they are now: one query a table, values in the form in which they are
//! compared.

use std::collections::{HashMap, HashSet};

use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Error};

use super::closed;
use super::printed;
use super::statement::{self, output, quote};
use crate::cart::image::{Cell, Cells};
use crate::mapping::expr::canonical;
use crate::mapping::map::{RowKey, TargetRow};
use crate::mapping::plan::{Into, Lock, Mapping};

/// A target row as found.
#[derive(Clone, Debug)]
pub struct Found {
    /// In the order of the `[[into]]`'s columns.
    pub cells: Cells,
    pub token: Option<Box<str>>,
    pub closed: bool,
    /// It is closed by more than what cartage left in its own columns, where these are as it left
    /// them.
    pub closed_by_others: bool,
    /// The whole row, for a human to see.
    pub json: Option<String>,
    /// Texts of columns that are one value with what was found, by the server's word.
    alike: Vec<(usize, Box<str>)>,
}

impl Found {
    /// The new backend has closed it.
    pub fn finished(&self, into: &Into, left: &[Cell]) -> bool {
        let others = self.closed_by_others || !closed::as_left(into, left, self);
        self.closed && others && closed::guards(into).is_some()
    }

    /// The row holds this in a column.
    pub fn holds(&self, column: usize, cell: &Cell) -> bool {
        let alike = |text: &str| self.alike.iter().any(|(i, a)| *i == column && **a == *text);
        self.cells[column] == *cell || cell.text().is_some_and(alike)
    }
}

pub type FoundRows = HashMap<(usize, RowKey), Found>;

/// What is asked of each row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ask {
    /// The mapped columns alone.
    Values,
    /// Its token, whether it is closed, and all of it as JSON, too.
    State,
}

pub async fn find<'a>(
    target: &Client,
    mapping: &Mapping,
    rows: impl Iterator<Item = &'a TargetRow>,
    ask: Ask,
) -> Result<FoundRows, Error> {
    let rows: Vec<&TargetRow> = rows.collect();
    let mut keys: HashMap<usize, Vec<&RowKey>> = HashMap::new();
    let mut asked = HashSet::new();
    for row in &rows {
        if asked.insert(row.id()) {
            keys.entry(row.into).or_default().push(&row.key);
        }
    }
    let mut found = FoundRows::new();
    for (index, keys) in keys {
        let into = &mapping.intos[index];
        let params: Vec<Vec<&str>> = (0..into.key.len())
            .map(|part| keys.iter().map(|key| &*key[part]).collect())
            .collect();
        let params: Vec<&(dyn ToSql + Sync)> =
            params.iter().map(|p| p as &(dyn ToSql + Sync)).collect();
        for row in target.query(&select(into, ask), &params).await? {
            let ord: i64 = row.try_get(0)?;
            let Some(key) = usize::try_from(ord - 1).ok().and_then(|i| keys.get(i)) else {
                continue;
            };
            let cells = into
                .columns
                .iter()
                .enumerate()
                .map(|(i, column)| {
                    let text: Option<&str> = row.try_get(5 + i)?;
                    Ok(text.map_or(Cell::Null, |text| {
                        let canonical = canonical(text, &column.ty);
                        Cell::Text(canonical.map_or_else(|_| text.into(), |text| text.into()))
                    }))
                })
                .collect::<Result<Cells, Error>>()?;
            let there = Found {
                cells,
                json: row.try_get(1)?,
                token: row.try_get::<_, Option<&str>>(2)?.map(Box::from),
                closed: row.try_get(3)?,
                closed_by_others: row.try_get(4)?,
                alike: Vec::new(),
            };
            found.insert((index, (*key).clone()), there);
        }
    }
    let cells = |id: &(usize, RowKey)| found.get(id).map(|row| &row.cells);
    for alike in printed::alike(target, mapping, rows.into_iter(), cells).await? {
        if let Some(row) = found.get_mut(&alike.row) {
            row.alike.push((alike.column, alike.ours));
        }
    }
    Ok(found)
}

fn select(into: &Into, ask: Ask) -> String {
    let token = match &into.lock {
        _ if ask == Ask::Values => "NULL::text".to_owned(),
        Lock::Counter(column) | Lock::Clock(column) => format!("t.{}::text", quote(column)),
        Lock::Xmin => "t.xmin::text".to_owned(),
        Lock::Mapped(_) | Lock::Row => "NULL::text".to_owned(),
    };
    let holds = |sql: Option<String>| match sql {
        Some(sql) if ask == Ask::State => format!("coalesce(({sql}), false)"),
        _ => "false".to_owned(),
    };
    let closed = holds(into.closed.as_ref().map(|closed| closed.sql.clone()));
    let by_others = holds(closed::by_others(into));
    let json = match ask {
        Ask::State => "to_json(t)::text",
        Ask::Values => "NULL::text",
    };
    let columns: String = into
        .columns
        .iter()
        .map(|c| format!(", {}", output(&c.name)))
        .collect();
    format!(
        "SELECT d.ord, {json}, {token}, {closed}, {by_others}{columns} FROM {} AS t, {} WHERE {}",
        statement::table(into),
        statement::keys(into),
        statement::key_match(into)
    )
}

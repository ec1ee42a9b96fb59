//! Target rows by key: one query a table.

use std::collections::HashMap;

use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Error};

use super::statement::{self, output, quote};
use super::{closed, printed};
use crate::cart::image::{Cell, Cells};
use crate::mapping::expr::canonical;
use crate::mapping::map::{RowKey, TargetRow};
use crate::mapping::plan::{Into, Lock, Mapping};
use crate::target::found::{Ask, Found, FoundRows};

pub async fn find(
    target: &Client,
    mapping: &Mapping,
    rows: &[&TargetRow],
    keys: HashMap<usize, Vec<&RowKey>>,
    ask: Ask,
) -> Result<FoundRows, Error> {
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
    for alike in printed::alike(target, mapping, rows.iter().copied(), cells).await? {
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

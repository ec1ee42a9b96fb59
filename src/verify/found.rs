//! Target rows by key, one query a table, in the form in which values are compared.

use std::collections::HashMap;

use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Error};

use crate::cart::image::{Cell, Cells};
use crate::mapping::expr::canonical;
use crate::mapping::map::{RowKey, TargetRow};
use crate::mapping::plan::Mapping;
use crate::target::statement;

/// Cells in the order of the `[[into]]`'s columns.
pub type Found = HashMap<(usize, RowKey), Cells>;

pub async fn find<'a>(
    target: &Client,
    mapping: &Mapping,
    rows: impl Iterator<Item = &'a TargetRow>,
) -> Result<Found, Error> {
    let mut keys: HashMap<usize, Vec<&RowKey>> = HashMap::new();
    for row in rows {
        keys.entry(row.into).or_default().push(&row.key);
    }
    let mut found = Found::new();
    for (index, keys) in keys {
        let into = &mapping.intos[index];
        let params: Vec<Vec<&str>> = (0..into.key.len())
            .map(|part| keys.iter().map(|key| &*key[part]).collect())
            .collect();
        let params: Vec<&(dyn ToSql + Sync)> =
            params.iter().map(|p| p as &(dyn ToSql + Sync)).collect();
        let columns: String = into
            .columns
            .iter()
            .map(|column| format!(", {}", statement::output(&column.name)))
            .collect();
        let sql = format!(
            "SELECT d.ord{columns} FROM {} AS t, {} WHERE {}",
            statement::table(into),
            statement::keys(into),
            statement::key_match(into)
        );
        for row in target.query(&sql, &params).await? {
            let ord: i64 = row.try_get(0)?;
            let Some(key) = usize::try_from(ord - 1).ok().and_then(|i| keys.get(i)) else {
                continue;
            };
            let cells = into
                .columns
                .iter()
                .enumerate()
                .map(|(i, column)| {
                    let text: Option<&str> = row.try_get(1 + i)?;
                    Ok(text.map_or(Cell::Null, |text| {
                        let canonical = canonical(text, &column.ty);
                        Cell::Text(canonical.unwrap_or_else(|_| text.into()))
                    }))
                })
                .collect::<Result<Cells, Error>>()?;
            found.insert((index, (*key).clone()), cells);
        }
    }
    Ok(found)
}

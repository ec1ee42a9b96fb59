//! The statement by which a recorded row is put back on MySQL or MariaDB.

use mysql_async::prelude::Queryable as _;
use serde_json::Value;

use super::place::{Place, names};
use super::session::Session;
use super::statement::bump;
use crate::mapping::map::RowKey;
use crate::mapping::plan::Into;
use crate::mysql::sql::identifier;
use crate::sqltype::Class;
use crate::target::error::TargetError;
use crate::target::put::Put;

pub async fn put(
    session: &Session,
    into: &Into,
    key: &RowKey,
    put: Put<'_>,
    columns: &[String],
) -> Result<u64, TargetError> {
    let mut state = session.lock().await;
    let work = async {
        let place = Place::of(&mut state, into).await?;
        let (table, is_row) = (place.name(), place.is_row(key)?);
        let sql = match put {
            Put::Delete => format!("DELETE FROM {table} WHERE {is_row}"),
            Put::Insert { row } => {
                let values = values(&place, row, columns)?;
                let names = names(columns.iter().map(String::as_str));
                format!(
                    "INSERT INTO {table} ({}) VALUES ({})",
                    names.join(", "),
                    values.join(", ")
                )
            }
            Put::Set { row, .. } => {
                let values = values(&place, row, columns)?;
                let mut sets: Vec<String> = columns
                    .iter()
                    .zip(values)
                    .map(|(name, value)| format!("{} = {value}", identifier(name)))
                    .collect();
                sets.extend(bump(&place)?);
                if sets.is_empty() {
                    return Ok(1);
                }
                format!("UPDATE {table} SET {} WHERE {is_row}", sets.join(", "))
            }
        };
        state.session.conn.query_drop(sql).await?;
        Ok(state.session.conn.affected_rows())
    };
    session.hold(work).await
}

fn values(place: &Place<'_>, row: &Value, columns: &[String]) -> Result<Vec<String>, TargetError> {
    let value = |name: &String| {
        let document = place.column(name)?.ty.class == Class::Json;
        let text = match &row[name.as_str()] {
            Value::Null => None,
            Value::String(text) if !document => Some(text.clone()),
            value => Some(value.to_string()),
        };
        place.value(name, text.as_deref())
    };
    columns.iter().map(value).collect()
}

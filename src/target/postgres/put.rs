//! The SQL by which a recorded row is put back. Postgres itself reads its JSON as the table's row type.

use super::statement::{bump, quote, table};
use crate::mapping::map::RowKey;
use crate::mapping::plan::Into;
use crate::target::put::Put;
use crate::target::words::Param;

/// The statement and its parameters; none where there is nothing to set.
pub fn statement(
    into: &Into,
    key: &RowKey,
    put: Put<'_>,
    columns: &[String],
) -> Option<(String, Vec<Param<'static>>)> {
    let table = table(into);
    let mut params: Vec<Param<'static>> = Vec::new();
    let mut text = |value: String| {
        params.push(Param::from(value));
        format!("${}::text", params.len())
    };
    let names: Vec<String> = columns.iter().map(|name| quote(name)).collect();
    let sql = match put {
        Put::Insert { row } => format!(
            "INSERT INTO {table} ({0}) OVERRIDING SYSTEM VALUE \
             SELECT {0} FROM json_populate_record(NULL::{table}, {1}::json)",
            names.join(", "),
            text(row.to_string())
        ),
        Put::Set { row, .. } => {
            let mut sets: Vec<String> = Vec::new();
            if !names.is_empty() {
                sets.push(format!(
                    "({0}) = (SELECT {0} FROM json_populate_record(NULL::{table}, {1}::json))",
                    names.join(", "),
                    text(row.to_string())
                ));
            }
            sets.extend(bump(&into.lock));
            if sets.is_empty() {
                return None;
            }
            let sets = sets.join(", ");
            let condition = condition(into, key, &mut text);
            format!("UPDATE {table} AS t SET {sets} WHERE {condition}")
        }
        Put::Delete => {
            let condition = condition(into, key, &mut text);
            format!("DELETE FROM {table} AS t WHERE {condition}")
        }
    };
    Some((sql, params))
}

fn condition(into: &Into, key: &RowKey, text: &mut impl FnMut(String) -> String) -> String {
    let parts = into.key.iter().zip(&**key);
    let parts: Vec<String> = parts
        .map(|(column, value)| {
            let value = text(value.to_string());
            format!("t.{} = {value}::{}", quote(&column.name), column.ty.name)
        })
        .collect();
    parts.join(" AND ")
}

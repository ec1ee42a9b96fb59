//! Rows of one shape that MariaDB changes by one prepared statement: their values go in one message,
//! as arrays (`COM_STMT_BULK_EXECUTE`), and nothing is parsed for each row. MySQL has no such command.

use mysql_async::Value;
use mysql_async::prelude::Queryable as _;

use super::place::{Place, names};
use super::session::State;
use super::statement::{bump, kept};
use crate::mapping::difference::RowWrite;
use crate::mapping::plan::Lock;
use crate::mysql::sql::identifier;
use crate::mysql::types::Kind as ColumnKind;
use crate::target::error::TargetError;
use crate::target::shape::{Kind, Shape, new_of};

/// Rows from which on it is worth a message of its own. Tests have few rows.
pub(super) const FEWEST: usize = if cfg!(feature = "switches") { 2 } else { 8 };

/// A statement, and a list of values for each row.
pub(super) struct Arrays {
    pub sql: String,
    pub rows: Vec<Vec<Value>>,
}

impl Arrays {
    /// How the rows are changed; none where a value has no form that is the same in an array as in the
    /// text of a statement.
    pub fn of(
        place: &Place<'_>,
        shape: &Shape,
        rows: &[&RowWrite],
    ) -> Result<Option<Self>, TargetError> {
        let Some(sql) = change(place, shape)? else {
            return Ok(None);
        };
        let rows = rows.iter().map(|row| values(place, shape, row));
        let rows: Option<Vec<Vec<Value>>> = rows.collect::<Result<_, TargetError>>()?;
        Ok(rows.map(|rows| Self { sql, rows }))
    }

    /// Has the rows changed, in portions of no more than so many bytes, and returns how many were met.
    pub async fn execute(
        self,
        state: &mut State,
        packet: usize,
    ) -> Result<u64, mysql_async::Error> {
        let conn = &mut state.session.conn;
        let mut met = 0;
        let mut rows = self.rows.into_iter().peekable();
        while rows.peek().is_some() {
            let mut portion = Vec::new();
            let mut bytes = 0;
            while let Some(row) =
                rows.next_if(|row| portion.is_empty() || bytes + length(row) <= packet)
            {
                bytes += length(&row);
                portion.push(row);
            }
            conn.exec_batch(&*self.sql, portion).await?;
            met += conn.affected_rows();
        }
        Ok(met)
    }
}

/// Bytes of a row in a message, with the marks of its values.
fn length(row: &[Value]) -> usize {
    row.iter().map(|v| v.bin_len() as usize + 1).sum()
}

/// The statement of a shape. The order of what it is given is that of [`values`].
fn change(place: &Place<'_>, shape: &Shape) -> Result<Option<String>, TargetError> {
    let mut conditions = Vec::new();
    for part in &place.into.key {
        let name = identifier(&part.name);
        conditions.push(format!("{name} = ?"));
        if matches!(place.column(&part.name)?.kind, ColumnKind::Text(_)) {
            conditions.push(format!(
                "CAST(CONVERT({name} USING utf8mb4) AS BINARY) = CAST(? AS BINARY)"
            ));
        }
    }
    if let (true, Lock::Counter(column)) = (shape.token, &shape.into.lock) {
        conditions.push(format!("{} = ?", identifier(column)));
    }
    let condition = conditions.join(" AND ");
    let table = place.name();
    Ok(match shape.kind {
        Kind::Delete => Some(format!("DELETE FROM {table} WHERE {condition}")),
        Kind::Update if !shape.sets.is_empty() => {
            let columns = shape
                .sets
                .iter()
                .map(|&i| place.into.columns[i].name.as_str());
            let mut sets: Vec<String> = names(columns).iter().map(|n| format!("{n} = ?")).collect();
            sets.extend(bump(place)?);
            sets.extend(kept(place, shape)?);
            Some(format!(
                "UPDATE {table} SET {} WHERE {condition}",
                sets.join(", ")
            ))
        }
        Kind::Update | Kind::Check | Kind::Insert => None,
    })
}

fn values(
    place: &Place<'_>,
    shape: &Shape,
    row: &RowWrite,
) -> Result<Option<Vec<Value>>, TargetError> {
    let mut values = Vec::new();
    let new = new_of(row).unwrap_or_default();
    for &i in &shape.sets {
        let column = place.column(&place.into.columns[i].name)?;
        values.push(match new[i].text() {
            Some(text) => set(&column.kind, text),
            // In place of null, servers put the present time into a column that takes none.
            None if !column.nullable => None,
            None => Some(Value::NULL),
        });
    }
    for (part, text) in place.into.key.iter().zip(place.kept(&row.key)?) {
        let column = place.column(&part.name)?;
        let value = compared(&column.kind, &text);
        if matches!(column.kind, ColumnKind::Text(_)) {
            values.push(value.clone());
        }
        values.push(value);
    }
    match &shape.into.lock {
        _ if !shape.token => {}
        Lock::Counter(column) => {
            let token = row.token.as_deref();
            values.push(token.and_then(|t| compared(&place.column(column).ok()?.kind, t)));
        }
        Lock::Mapped(_) | Lock::Row => {}
        Lock::Clock(_) | Lock::Xmin => return Ok(None),
    }
    Ok(values.into_iter().collect())
}

/// A value that a column is set to.
fn set(kind: &ColumnKind, text: &str) -> Option<Value> {
    match kind {
        ColumnKind::Integer { .. } => compared(kind, text),
        ColumnKind::Text(_)
        | ColumnKind::Decimal
        | ColumnKind::Date
        | ColumnKind::DateTime { .. }
        | ColumnKind::Time { .. }
        | ColumnKind::Enum(_)
        | ColumnKind::Uuid => Some(text.into()),
        // Sessions are in UTC.
        ColumnKind::Timestamp { .. } => Some(text.strip_suffix("+00").unwrap_or(text).into()),
        _ => None,
    }
}

/// A value that a column is compared with. All of a column are of one kind.
fn compared(kind: &ColumnKind, text: &str) -> Option<Value> {
    match kind {
        ColumnKind::Integer { unsigned: true, .. } => text.parse().ok().map(Value::UInt),
        ColumnKind::Integer { .. } => text.parse().ok().map(Value::Int),
        // Text of another charset would be converted as a literal is, or not.
        ColumnKind::Text(_) if text.is_ascii() => Some(text.into()),
        _ => None,
    }
}

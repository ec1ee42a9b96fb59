//! Rows of one shape that MariaDB writes by one prepared statement: their values go in one message,
//! as arrays (`COM_STMT_BULK_EXECUTE`), and nothing is parsed for each row. MySQL has no such command.

use mysql_async::Value;
use mysql_async::prelude::Queryable as _;

use super::place::{Place, names};
use super::session::State;
use super::statement::{born, bump, kept, written};
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
    /// How the rows are written; none where a value has no form that is the same in an array as in the
    /// text of a statement.
    pub fn of(
        place: &Place<'_>,
        shape: &Shape,
        rows: &[&RowWrite],
    ) -> Result<Option<Self>, TargetError> {
        let sql = match shape.kind {
            Kind::Insert => insert(place, shape)?,
            Kind::Update if shape.sets.is_empty() => return Ok(None),
            Kind::Delete | Kind::Update => change(place, shape)?,
            Kind::Check => return Ok(None),
        };
        let rows = rows.iter().map(|row| values(place, shape, row));
        let rows: Option<Vec<Vec<Value>>> = rows.collect::<Result<_, TargetError>>()?;
        Ok(rows.map(|rows| Self { sql, rows }))
    }

    /// Has the rows written, in portions of no more than so many bytes, and returns how many were met.
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

/// The statement that puts a row in. The order of what it is given is that of [`values`].
fn insert(place: &Place<'_>, shape: &Shape) -> Result<String, TargetError> {
    let mut names = written(place, shape);
    let mut values = vec!["?".to_owned(); names.len()];
    if let Some((column, born)) = born(place)? {
        names.push(identifier(column));
        values.push(born);
    }
    let (names, values) = (names.join(", "), values.join(", "));
    Ok(format!(
        "INSERT INTO {} ({names}) VALUES ({values})",
        place.name()
    ))
}

/// The statement that changes a row.
fn change(place: &Place<'_>, shape: &Shape) -> Result<String, TargetError> {
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
    let (table, condition) = (place.name(), conditions.join(" AND "));
    if shape.kind == Kind::Delete {
        return Ok(format!("DELETE FROM {table} WHERE {condition}"));
    }
    let columns = shape.sets.iter().map(|&i| &*place.into.columns[i].name);
    let mut sets: Vec<String> = names(columns).iter().map(|n| format!("{n} = ?")).collect();
    sets.extend(bump(place)?);
    sets.extend(kept(place, shape)?);
    Ok(format!(
        "UPDATE {table} SET {} WHERE {condition}",
        sets.join(", ")
    ))
}

fn values(
    place: &Place<'_>,
    shape: &Shape,
    row: &RowWrite,
) -> Result<Option<Vec<Value>>, TargetError> {
    let mut values = Vec::new();
    let born = shape.kind == Kind::Insert;
    let key = place.into.key.iter().zip(place.kept(&row.key)?);
    let key: Vec<(&ColumnKind, Box<str>)> = key
        .map(|(part, text)| Ok((&place.column(&part.name)?.kind, text)))
        .collect::<Result<_, TargetError>>()?;
    if born {
        values.extend(key.iter().map(|(kind, text)| set(kind, text)));
    }
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
    for (kind, text) in key.iter().filter(|_| !born) {
        let value = compared(kind, text);
        if matches!(kind, ColumnKind::Text(_)) {
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

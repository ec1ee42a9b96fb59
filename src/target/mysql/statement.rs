//! The SQL of writes. A row is updated or deleted by a statement of its own, with each value in the
//! form that its column takes: in a list of rows that is joined, the columns of the list would have
//! types of their own, which are not those of the table. Many statements go in one message.

use super::place::{Place, names};
use crate::mapping::difference::RowWrite;
use crate::mapping::plan::Lock;
use crate::mysql::sql::identifier;
use crate::mysql::types::Kind as ColumnKind;
use crate::target::error::TargetError;
use crate::target::shape::{Kind, Shape, new_of};

/// A write of one row that is there. Without a value to set, none.
pub(super) fn change(
    place: &Place<'_>,
    shape: &Shape,
    row: &RowWrite,
) -> Result<Option<String>, TargetError> {
    let condition = condition(place, shape, row)?;
    let table = place.name();
    Ok(match shape.kind {
        Kind::Delete => Some(format!("DELETE FROM {table} WHERE {condition}")),
        Kind::Update => {
            let sets = sets(place, shape, row)?;
            (!sets.is_empty())
                .then(|| format!("UPDATE {table} SET {} WHERE {condition}", sets.join(", ")))
        }
        Kind::Check | Kind::Insert => None,
    })
}

/// What is set. The lock comes last: values are set one after another there, and those that come
/// later see those before.
fn sets(place: &Place<'_>, shape: &Shape, row: &RowWrite) -> Result<Vec<String>, TargetError> {
    let mut sets = values(place, shape, row)?
        .into_iter()
        .map(|(name, value)| format!("{} = {value}", identifier(name)))
        .collect::<Vec<_>>();
    sets.extend(bump(place)?);
    if !sets.is_empty() {
        sets.extend(kept(place, shape)?);
    }
    Ok(sets)
}

/// What moves the row's version.
pub(super) fn bump(place: &Place<'_>) -> Result<Option<String>, TargetError> {
    Ok(match &place.into.lock {
        Lock::Counter(column) => {
            let column = identifier(column);
            Some(format!("{column} = {column} + 1"))
        }
        Lock::Clock(name) => {
            let (column, now, step) = (identifier(name), now(place, name)?, step(place, name)?);
            // One that is no time would break off the addition.
            Some(format!(
                "{column} = GREATEST({now}, coalesce(CASE WHEN DAYOFMONTH({column}) * \
                 MONTH({column}) * YEAR({column}) > 0 THEN {column} + INTERVAL {step} MICROSECOND \
                 END, {now}))"
            ))
        }
        Lock::Mapped(_) | Lock::Xmin | Lock::Row => None,
    })
}

/// Mapped columns that the server would set beside ours (`ON UPDATE`): they would look as if the new
/// backend had changed them.
pub(super) fn kept(place: &Place<'_>, shape: &Shape) -> Result<Vec<String>, TargetError> {
    let mut kept = Vec::new();
    for (i, column) in shape.into.columns.iter().enumerate() {
        if !column.once && !shape.sets.contains(&i) && place.column(&column.name)?.touched {
            let column = identifier(&column.name);
            kept.push(format!("{column} = {column}"));
        }
    }
    Ok(kept)
}

/// The row is the one meant, and has the token that we know. What else it must hold was compared
/// when it was locked.
fn condition(place: &Place<'_>, shape: &Shape, row: &RowWrite) -> Result<String, TargetError> {
    let is_row = place.is_row(&row.key)?;
    let (column, equals) = match &shape.into.lock {
        _ if !shape.token => return Ok(is_row),
        Lock::Counter(column) => (column, "="),
        Lock::Clock(column) => (column, "<=>"),
        // The server has nothing of the kind.
        Lock::Xmin => return Ok("FALSE".into()),
        Lock::Mapped(_) | Lock::Row => return Ok(is_row),
    };
    let token = match row.token.as_deref() {
        Some(token) => place.value(column, Some(token))?,
        None => "NULL".into(),
    };
    Ok(format!(
        "{is_row} AND {} {equals} {token}",
        identifier(column)
    ))
}

/// The columns that an insert gives values for, keys first.
pub(super) fn written(place: &Place<'_>, shape: &Shape) -> Vec<String> {
    let into = place.into;
    let keys = into.key.iter().map(|k| k.name.as_str());
    let columns = shape.sets.iter().map(|&i| into.columns[i].name.as_str());
    names(keys.chain(columns))
}

/// The version that a row is put in with.
pub(super) fn born<'p>(place: &'p Place<'_>) -> Result<Option<(&'p str, String)>, TargetError> {
    Ok(match &place.into.lock {
        Lock::Counter(column) => Some((column.as_str(), "1".to_owned())),
        Lock::Clock(column) => Some((column.as_str(), now(place, column)?)),
        Lock::Mapped(_) | Lock::Xmin | Lock::Row => None,
    })
}

/// `INSERT INTO … VALUES`, and the rows that follow it.
pub(super) fn insert(
    place: &Place<'_>,
    shape: &Shape,
    rows: &[&RowWrite],
) -> Result<(String, Vec<String>), TargetError> {
    let mut names = written(place, shape);
    let born = born(place)?;
    names.extend(born.iter().map(|(column, _)| identifier(column)));
    let rows = rows.iter().map(|row| {
        let mut all = place.key_values(&row.key)?;
        all.extend(
            values(place, shape, row)?
                .into_iter()
                .map(|(_, value)| value),
        );
        all.extend(born.iter().map(|(_, value)| value.clone()));
        Ok(format!("({})", all.join(", ")))
    });
    let rows = rows.collect::<Result<_, TargetError>>()?;
    let head = format!(
        "INSERT INTO {} ({}) VALUES ",
        place.name(),
        names.join(", ")
    );
    Ok((head, rows))
}

fn values<'p>(
    place: &'p Place<'_>,
    shape: &Shape,
    row: &RowWrite,
) -> Result<Vec<(&'p str, String)>, TargetError> {
    let new = new_of(row).unwrap_or_default();
    let sets = shape.sets.iter().map(|&i| {
        let name = place.into.columns[i].name.as_str();
        Ok((name, place.value(name, new[i].text())?))
    });
    sets.collect()
}

/// Digits of a second that a clock keeps.
fn digits(place: &Place<'_>, column: &str) -> Result<u8, TargetError> {
    Ok(match place.column(column)?.kind {
        ColumnKind::DateTime { fraction } | ColumnKind::Timestamp { fraction } => fraction.min(6),
        _ => 6,
    })
}

fn now(place: &Place<'_>, column: &str) -> Result<String, TargetError> {
    Ok(format!("CURRENT_TIMESTAMP({})", digits(place, column)?))
}

/// The least by which the clock can move, in microseconds.
fn step(place: &Place<'_>, column: &str) -> Result<u32, TargetError> {
    Ok(10_u32.pow(6 - u32::from(digits(place, column)?)))
}

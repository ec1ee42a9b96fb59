//! The identity guard in MySQL's SQL. What another transaction has not committed yet cannot be seen,
//! but the headers are locked, which its lines refer to.

use std::collections::HashSet;

use mysql_async::prelude::Queryable as _;
use mysql_async::{Row, Value};

use super::found::CHUNK;
use super::json;
use super::place::{Place, cell, names, portions};
use super::session::{Session, State};
use crate::cart::image::Cell;
use crate::mapping::difference::RowWrite;
use crate::mapping::map::RowKey;
use crate::mysql::sql;
use crate::target::error::TargetError;
use crate::target::rivals::identity;
use crate::target::shape::{Kind, Shape, new_of};

/// The lines in the way of an insert, as JSON.
pub async fn of(
    session: &Session,
    write: &RowWrite,
    own: &[&[Box<str>]],
) -> Result<Vec<String>, TargetError> {
    let mut state = session.lock().await;
    let shape = Shape::of(write);
    let work = async {
        let place = Place::of(&mut state, &write.into).await?;
        let found = lines(&mut state, &place, &shape, &[write], own).await?;
        let rows = found.iter().map(|row| json::row(&place.table.columns, row));
        Ok(rows.collect())
    };
    session.hold(work).await
}

/// The keys of the lines that are the same as this one.
pub async fn keys(session: &Session, write: &RowWrite) -> Result<Vec<RowKey>, TargetError> {
    let mut state = session.lock().await;
    let shape = Shape::of(write);
    let work = async {
        let place = Place::of(&mut state, &write.into).await?;
        let found = lines(&mut state, &place, &shape, &[write], &[]).await?;
        let (keys, columns) = (place.keys()?, &place.table.columns);
        let key = |row: &Vec<Value>| {
            let parts = keys.iter().map(|&at| {
                let cell = cell(&row[at], &columns[at])?;
                Ok(Box::from(cell.text().unwrap_or_default()))
            });
            parts.collect::<Result<RowKey, TargetError>>()
        };
        found.iter().map(key).collect()
    };
    session.hold(work).await
}

/// Lines that are the same as one of these and none of ours, with all their columns.
pub(super) async fn lines(
    state: &mut State,
    place: &Place<'_>,
    shape: &Shape,
    rows: &[&RowWrite],
    own: &[&[Box<str>]],
) -> Result<Vec<Vec<Value>>, TargetError> {
    let into = place.into;
    let Some(identity) = identity(into).filter(|_| shape.kind == Kind::Insert) else {
        return Ok(Vec::new());
    };
    let written = |name: &&&str| {
        into.key.iter().any(|k| k.name == **name)
            || shape.sets.iter().any(|&i| into.columns[i].name == **name)
    };
    let identity: Vec<&str> = identity.iter().filter(written).copied().collect();
    let named = names(identity.iter().copied());
    let mut values = Vec::new();
    for row in rows {
        let parts = identity.iter().map(|name| part(place, shape, row, name));
        let parts = parts.collect::<Result<Vec<String>, TargetError>>()?;
        values.push(sql::one_of(&named, &parts));
    }
    let mut ours = HashSet::new();
    for key in own {
        ours.insert(place.normal(key.iter().map(|part| &**part))?);
    }
    let keys = place.keys()?;
    let columns = &place.table.columns;
    let all = names(columns.iter().map(|c| c.name.as_str())).join(", ");
    let mut found = Vec::new();
    for portion in portions(values, CHUNK, state.packet().await?) {
        let sql = format!(
            "SELECT {all} FROM {} WHERE {}",
            place.name(),
            sql::among(&named, &portion)
        );
        let rows: Vec<Row> = state.session.conn.exec(sql, ()).await?;
        for row in rows {
            let row = row.unwrap();
            let key = keys.iter().map(|&at| cell(&row[at], &columns[at]));
            let key = key.collect::<Result<Vec<Cell>, TargetError>>()?;
            if !ours.contains(&place.normal(key.iter().filter_map(Cell::text))?) {
                found.push(row);
            }
        }
    }
    Ok(found)
}

/// What a line has in a column of its identity.
fn part(
    place: &Place<'_>,
    shape: &Shape,
    row: &RowWrite,
    name: &str,
) -> Result<String, TargetError> {
    let into = place.into;
    let key = into.key.iter().position(|k| k.name == name);
    let set = shape.sets.iter().find(|&&i| into.columns[i].name == name);
    let text = match (key, set) {
        (Some(at), _) => Some(&*row.key[at]),
        (None, Some(&i)) => new_of(row).and_then(|new| new[i].text()),
        (None, None) => None,
    };
    match text {
        Some(text) => place.value(name, Some(text)),
        None => Ok("NULL".into()),
    }
}

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

/// Lines that one statement looks for, where it is to say which of them it found.
const LINES: usize = 100;
const UNION: &str = " UNION ALL ";

/// The keys of the lines that are the same as one of these, each with the place of that one.
pub async fn keys(
    session: &Session,
    shape: &Shape,
    writes: &[&RowWrite],
) -> Result<Vec<(usize, RowKey)>, TargetError> {
    let mut state = session.lock().await;
    let work = async {
        let place = Place::of(&mut state, &shape.into).await?;
        let Some(wanted) = Wanted::of(&place, shape, writes)? else {
            return Ok(Vec::new());
        };
        let (keys, columns) = (place.keys()?, &place.table.columns);
        // Whether two texts are one product is the server's to say.
        let select = |(nth, value): (usize, &String)| {
            format!(
                "SELECT {nth}, {} FROM {} WHERE {}{UNION}",
                place.key_names().join(", "),
                place.name(),
                sql::among(&wanted.columns, std::slice::from_ref(value))
            )
        };
        let selects = wanted.values.iter().enumerate().map(select).collect();
        let mut found = Vec::new();
        for portion in portions(selects, LINES, state.packet().await?) {
            let sql = portion.concat();
            let sql = sql.strip_suffix(UNION).unwrap_or(&sql);
            let rows: Vec<Row> = state.session.conn.exec(sql, ()).await?;
            for row in rows {
                let mut values = row.unwrap().into_iter();
                let nth = values.next().map(mysql_async::from_value_opt::<usize>);
                let parts = keys.iter().zip(values).map(|(&at, value)| {
                    let cell = cell(&value, &columns[at])?;
                    Ok(Box::from(cell.text().unwrap_or_default()))
                });
                let key = parts.collect::<Result<RowKey, TargetError>>()?;
                found.extend(nth.and_then(Result::ok).map(|nth| (nth, key)));
            }
        }
        Ok(found)
    };
    session.hold(work).await
}

/// The columns that identify lines, and what they are to hold.
struct Wanted {
    columns: Vec<String>,
    values: Vec<String>,
}

impl Wanted {
    fn of(
        place: &Place<'_>,
        shape: &Shape,
        rows: &[&RowWrite],
    ) -> Result<Option<Self>, TargetError> {
        let into = place.into;
        let Some(identity) = identity(into).filter(|_| shape.kind == Kind::Insert) else {
            return Ok(None);
        };
        let written = |name: &&&str| {
            into.key.iter().any(|k| k.name == **name)
                || shape.sets.iter().any(|&i| into.columns[i].name == **name)
        };
        let identity: Vec<&str> = identity.iter().filter(written).copied().collect();
        let columns = names(identity.iter().copied());
        let mut values = Vec::new();
        for row in rows {
            let parts = identity.iter().map(|name| part(place, shape, row, name));
            let parts = parts.collect::<Result<Vec<String>, TargetError>>()?;
            values.push(sql::one_of(&columns, &parts));
        }
        Ok(Some(Self { columns, values }))
    }
}

/// Lines that are the same as one of these and none of ours, with all their columns.
pub(super) async fn lines(
    state: &mut State,
    place: &Place<'_>,
    shape: &Shape,
    rows: &[&RowWrite],
    own: &[&[Box<str>]],
) -> Result<Vec<Vec<Value>>, TargetError> {
    let Some(wanted) = Wanted::of(place, shape, rows)? else {
        return Ok(Vec::new());
    };
    let mut ours = HashSet::new();
    for key in own {
        ours.insert(place.normal(key.iter().map(|part| &**part))?);
    }
    let keys = place.keys()?;
    let columns = &place.table.columns;
    let all = names(columns.iter().map(|c| c.name.as_str())).join(", ");
    let mut found = Vec::new();
    for portion in portions(wanted.values, CHUNK, state.packet().await?) {
        let sql = format!(
            "SELECT {all} FROM {} WHERE {}",
            place.name(),
            sql::among(&wanted.columns, &portion)
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

//! Target rows by key.

use std::collections::HashMap;

use mysql_async::prelude::Queryable as _;
use mysql_async::{Row, Value};

use super::place::{Place, cell, names, portions};
use super::session::{Session, State};
use super::{alike, json};
use crate::cart::image::{Cell, Cells};
use crate::mapping::map::{RowKey, TargetRow};
use crate::mapping::plan::{Into, Mapping};
use crate::mysql::sql;
use crate::mysql::value::of_query;
use crate::switch::{self, Mutant};
use crate::target::closed;
use crate::target::error::TargetError;
use crate::target::found::{Ask, Found, FoundRows};

/// Keys that one statement asks for.
pub(super) const CHUNK: usize = 500;

/// A row that is looked for, and values that it may hold in a spelling of its own.
#[derive(Clone, Copy)]
pub(super) struct Asked<'a> {
    pub key: &'a RowKey,
    pub cells: Option<&'a [Cell]>,
}

/// How it is looked for.
#[derive(Clone, Copy)]
pub(super) struct Look {
    /// All of it is wanted, for a human to see.
    pub json: bool,
    /// It is locked until the transaction ends.
    pub lock: bool,
}

pub async fn find(
    session: &Session,
    mapping: &Mapping,
    rows: &[&TargetRow],
    wanted: Vec<Vec<&TargetRow>>,
    ask: Ask,
) -> Result<FoundRows, TargetError> {
    let mut state = session.lock().await;
    let look = Look {
        json: ask.is_whole(),
        lock: ask == Ask::Locked,
    };
    let work = async {
        let mut found = FoundRows::default();
        let asked_for = wanted
            .iter()
            .enumerate()
            .filter(|(_, rows)| !rows.is_empty());
        for index in asked_for.map(|(index, _)| index) {
            let asked = rows.iter().filter(|row| row.into == index);
            let asked: Vec<Asked<'_>> = asked
                .map(|row| Asked {
                    key: &row.key,
                    cells: Some(&row.cells),
                })
                .collect();
            let there = rows_of(&mut state, &mapping.intos[index], &asked, look).await?;
            found.extend(there.into_iter().map(|(key, row)| ((index, key), row)));
        }
        Ok(found)
    };
    session.hold(work).await
}

/// The rows of a table that are there, by their keys as they were asked for. A row whose key only the
/// collation of a text takes for the same is another one.
pub(super) async fn rows_of(
    state: &mut State,
    into: &Into,
    asked: &[Asked<'_>],
    look: Look,
) -> Result<HashMap<RowKey, Found>, TargetError> {
    let place = Place::of(state, into).await?;
    let reading = Reading::of(&place, look)?;
    let mut keys: HashMap<Vec<String>, &RowKey> = HashMap::new();
    for row in asked {
        let normal = place.normal(row.key.iter().map(|part| &**part))?;
        keys.insert(normal, row.key);
    }
    let parts = place.key_parts(keys.values().copied())?;
    let mut found = HashMap::new();
    for portion in portions(parts, CHUNK, state.packet().await?) {
        let sql = reading.select(&portion);
        let rows: Vec<Row> = state.session.conn.exec(sql, ()).await?;
        for row in rows {
            let (key, there) = reading.row(&row.unwrap())?;
            if let Some(key) = keys.get(&key) {
                found.insert((*key).clone(), there);
            }
        }
    }
    alike::add(state, &place, asked, &mut found).await?;
    Ok(found)
}

/// Which columns are read, and where in an answer they stand.
struct Reading<'a> {
    place: &'a Place<'a>,
    look: Look,
    /// Of the table.
    read: Vec<usize>,
    keys: Vec<usize>,
    columns: Vec<usize>,
    token: Option<usize>,
    closed: Vec<usize>,
}

impl<'a> Reading<'a> {
    fn of(place: &'a Place<'a>, look: Look) -> Result<Self, TargetError> {
        let into = place.into;
        let mut read: Vec<usize> = match look.json {
            true => (0..place.table.columns.len()).collect(),
            false => Vec::new(),
        };
        let mut at = |column: usize| {
            let known = read.iter().position(|c| *c == column);
            known.unwrap_or_else(|| {
                read.push(column);
                read.len() - 1
            })
        };
        let keys = place.keys()?.into_iter().map(&mut at).collect();
        let columns = into.columns.iter().map(|c| place.at(&c.name));
        let columns = columns.map(|c| c.map(&mut at)).collect::<Result<_, _>>()?;
        let token = place.token()?.map(&mut at);
        let closed = into.closed.iter().flat_map(|closed| &closed.columns);
        let closed = closed.map(|c| place.at(c).map(&mut at));
        Ok(Self {
            closed: closed.collect::<Result<_, _>>()?,
            place,
            look,
            keys,
            columns,
            token,
            read,
        })
    }

    fn select(&self, keys: &[String]) -> String {
        let table = &self.place.table;
        let read = names(self.read.iter().map(|c| table.columns[*c].name.as_str()));
        format!(
            "SELECT {} FROM {} WHERE {}{}",
            read.join(", "),
            self.place.name(),
            sql::among(&self.place.key_names(), keys),
            if self.look.lock { " FOR UPDATE" } else { "" }
        )
    }

    /// A row of the answer, under its key in the form in which keys are told apart.
    fn row(&self, values: &[Value]) -> Result<(Vec<String>, Found), TargetError> {
        let (table, into) = (&self.place.table, self.place.into);
        let column = |at: usize| &table.columns[self.read[at]];
        let cells = |places: &[usize]| {
            let cells = places.iter().map(|&at| cell(&values[at], column(at)));
            cells.collect::<Result<Cells, TargetError>>()
        };
        let key = cells(&self.keys)?;
        let token = match self.token {
            Some(at) => of_query(&values[at], column(at))?.text().map(Box::from),
            None => None,
        };
        let judged = cells(&self.closed)?;
        let closed = into.closed.as_ref();
        let there = Found {
            cells: cells(&self.columns)?,
            token,
            closed: closed.is_some_and(|c| c.condition.holds(&judged) == Some(true)),
            closed_by_others: by_others(into, &judged),
            json: match self.look.json {
                true => Some(json::row(&table.columns, values)),
                false => None,
            },
            alike: Vec::new(),
        };
        let key = self.place.normal(key.iter().filter_map(Cell::text))?;
        Ok((key, there))
    }
}

/// Whether columns that are not ours close the row; `cells` are those that the condition names.
fn by_others(into: &Into, cells: &[Cell]) -> bool {
    let Some(closed) = &into.closed else {
        return false;
    };
    let is_ours = |name: &str| closed::ours(into).any(|i| into.columns[i].name == name);
    match switch::mutant(Mutant::ClosedIsClosed) {
        true => closed.condition.holds(cells) == Some(true),
        false => closed.by_others(cells, is_ours),
    }
}

/// Locks rows by key against whatever refers to them: a line that is being put into a cart holds its
/// header until it commits, and no new one comes meanwhile.
pub(super) async fn lock(
    state: &mut State,
    into: &Into,
    keys: &[RowKey],
) -> Result<(), TargetError> {
    let place = Place::of(state, into).await?;
    let parts = place.key_parts(keys.iter())?;
    for portion in portions(parts, CHUNK, state.packet().await?) {
        let sql = format!(
            "SELECT 1 FROM {} WHERE {} FOR UPDATE",
            place.name(),
            sql::among(&place.key_names(), &portion)
        );
        state.session.conn.query_drop(sql).await?;
    }
    Ok(())
}

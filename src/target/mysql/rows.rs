//! The rows of a batch under their guards, inside the transaction that its writer has opened. After an
//! error the writer rolls it back.

use std::ops::Range;
use std::sync::Arc;

use mysql_async::Error;
use mysql_async::prelude::Queryable as _;

use super::arrays::{self, Arrays};
use super::found::{self, Asked, Look, rows_of};
use super::place::{Place, portions};
use super::session::State;
use super::{rivals, statement};
use crate::mapping::difference::{Patch, RowWrite};
use crate::mapping::map::RowKey;
use crate::mapping::plan::{Closed, Into, Lock};
use crate::switch::{self, Mutant};
use crate::target::closed;
use crate::target::found::Found;
use crate::target::group::{Group, has_triggers};
use crate::target::rivals::line_headers;
use crate::target::shape::{Kind, Shape, has_token, old_of};
use crate::target::tables::Tables;
use crate::target::writer::{Tokens, WriteError, next};

/// Rows that one statement inserts.
const ROWS: usize = 1000;

/// Writes the groups in their order, and returns the tokens that they left. `arrays` is whether the
/// server takes values as such.
pub(super) async fn write(
    state: &mut State,
    patches: &[&Patch],
    groups: &[Group<'_>],
    tables: &Tables,
    arrays: bool,
) -> Result<Tokens, WriteError> {
    let guarded: Vec<usize> = groups.iter().filter_map(|g| g.rows[0].1.index).collect();
    for (into, columns) in line_headers(patches, &guarded) {
        let rows = columns.first().map_or(0, Vec::len);
        let key = |row: usize| columns.iter().map(|c| c[row].into()).collect();
        let keys: Vec<RowKey> = (0..rows).map(key).collect();
        found::lock(state, into, &keys).await?;
    }
    // Without triggers no write changes what a later one is guarded by: each row is written once.
    let at_once = !has_triggers(groups, tables);
    if at_once {
        let read: Vec<&Group<'_>> = groups.iter().filter(|g| is_read(&g.shape)).collect();
        for table in tables_of(&read) {
            guard(state, &table).await?;
        }
    }
    let mut waiting = Vec::new();
    for group in groups {
        if !at_once && is_read(&group.shape) {
            // It may be what the writes before it, or their triggers, have made it.
            send(state, &mut waiting).await?;
            guard(state, &[group]).await?;
        }
        guard_identity(state, patches, group).await?;
        waiting.extend(statements(state, group, arrays).await?);
    }
    send(state, &mut waiting).await?;
    tokens(state, patches, groups, tables).await
}

/// Groups by their tables.
fn tables_of<'g, 'a>(groups: &[&'g Group<'a>]) -> Vec<Vec<&'g Group<'a>>> {
    let mut tables: Vec<Vec<&Group<'_>>> = Vec::new();
    for group in groups {
        let same = |of: &&mut Vec<&Group<'_>>| Arc::ptr_eq(&of[0].shape.into, &group.shape.into);
        match tables.iter_mut().find(same) {
            Some(table) => table.push(group),
            None => tables.push(vec![group]),
        }
    }
    tables
}

/// Whether rows are locked and looked at before they are written: the server cannot judge what
/// closes a row, nor whether it holds what we have left there.
fn is_read(shape: &Shape) -> bool {
    let into = &shape.into;
    let by_others = |closed: &Closed| {
        let is_ours = |name: &String| closed::ours(into).any(|i| into.columns[i].name == *name);
        switch::mutant(Mutant::ClosedIsClosed) || !closed.columns.iter().all(is_ours)
    };
    match shape.kind {
        Kind::Insert => false,
        Kind::Check => true,
        Kind::Delete | Kind::Update => {
            !shape.compares.is_empty() || closed::guards(into).is_some_and(by_others)
        }
    }
}

/// Locks the rows of groups of one table, each of which must be as we left it.
async fn guard(state: &mut State, groups: &[&Group<'_>]) -> Result<(), WriteError> {
    let Some(first) = groups.first() else {
        return Ok(());
    };
    let into = &first.shape.into;
    let rows = groups.iter().flat_map(|group| &group.rows);
    let asked = rows.map(|(_, row)| Asked {
        key: &row.key,
        cells: old_of(row),
    });
    let asked: Vec<Asked<'_>> = asked.collect();
    let look = Look {
        json: false,
        lock: true,
    };
    let found = rows_of(state, into, &asked, look).await?;
    for group in groups {
        let met = |row: &RowWrite| {
            found
                .get(&row.key)
                .is_some_and(|there| is_left(group, row, there))
        };
        let met = group.rows.iter().filter(|(_, row)| met(row)).count();
        missing(into, group.rows.len(), met)?;
    }
    Ok(())
}

/// Whether a row is as we left it, as far as its group compares it.
fn is_left(group: &Group<'_>, row: &RowWrite, there: &Found) -> bool {
    let (shape, into) = (&group.shape, &group.shape.into);
    let token = match &into.lock {
        _ if !shape.token => true,
        Lock::Clock(_) => there.token == row.token,
        _ => there.token.is_some() && there.token == row.token,
    };
    let old = old_of(row).unwrap_or_default();
    let open = !there.closed_by_others || closed::guards(into).is_none();
    token && open && shape.compares.iter().all(|&i| there.holds(i, &old[i]))
}

/// No line is put in where the new backend has put the same one.
async fn guard_identity(
    state: &mut State,
    patches: &[&Patch],
    group: &Group<'_>,
) -> Result<(), WriteError> {
    let shape = &group.shape;
    if shape.kind != Kind::Insert || shape.into.line.is_none() {
        return Ok(());
    }
    let rows: Vec<&RowWrite> = group.rows.iter().map(|(_, row)| *row).collect();
    let index = rows.first().and_then(|row| row.index);
    let own = patches.iter().flat_map(|patch| &patch.own);
    let own = own.filter(|(into, _)| Some(*into) == index);
    let own: Vec<&[Box<str>]> = own.map(|(_, key)| &**key).collect();
    let place = Place::of(state, &shape.into).await?;
    let found = rivals::lines(state, &place, shape, &rows, &own).await?;
    missing(
        &shape.into,
        rows.len(),
        rows.len().saturating_sub(found.len()),
    )
}

fn missing(into: &Into, rows: usize, met: usize) -> Result<(), WriteError> {
    if met == rows || switch::mutant(Mutant::MissedRows) {
        return Ok(());
    }
    Err(WriteError::Guard {
        table: into.full_name(),
        missed: rows.saturating_sub(met) as u64,
        rows: rows as u64,
    })
}

/// A statement, and the rows of its group that it writes.
struct Statement<'g, 'a> {
    what: What,
    group: &'g Group<'a>,
    rows: Range<usize>,
}

enum What {
    Text(String),
    Arrays(Arrays),
}

async fn statements<'g, 'a>(
    state: &mut State,
    group: &'g Group<'a>,
    arrays: bool,
) -> Result<Vec<Statement<'g, 'a>>, WriteError> {
    let shape = &group.shape;
    let place = Place::of(state, &shape.into).await?;
    let mut statements = Vec::new();
    if arrays && group.rows.len() >= arrays::FEWEST {
        let rows: Vec<&RowWrite> = group.rows.iter().map(|(_, row)| *row).collect();
        if let Some(arrays) = Arrays::of(&place, shape, &rows)? {
            statements.push(Statement {
                what: What::Arrays(arrays),
                group,
                rows: 0..rows.len(),
            });
            return Ok(statements);
        }
    }
    if shape.kind != Kind::Insert {
        for (at, (_, row)) in group.rows.iter().enumerate() {
            let sql = statement::change(&place, shape, row)?;
            statements.extend(sql.map(|sql| Statement {
                what: What::Text(sql),
                group,
                rows: at..at + 1,
            }));
        }
        return Ok(statements);
    }
    let rows: Vec<&RowWrite> = group.rows.iter().map(|(_, row)| *row).collect();
    let (head, values) = statement::insert(&place, shape, &rows)?;
    let mut from = 0;
    for portion in portions(values, ROWS, state.packet().await?) {
        let rows = from..from + portion.len();
        from = rows.end;
        let sql = format!("{head}{}", portion.join(", "));
        statements.push(Statement {
            what: What::Text(sql),
            group,
            rows,
        });
    }
    Ok(statements)
}

/// Sends what waits, as many statements in a message as it takes. Each must have met its rows: a
/// later one may have failed because of rows that an earlier one has missed.
async fn send(state: &mut State, waiting: &mut Vec<Statement<'_, '_>>) -> Result<(), WriteError> {
    let packet = state.packet().await?;
    let mut message = String::new();
    let mut sent = Vec::new();
    for statement in waiting.drain(..) {
        match statement.what {
            What::Text(sql) => {
                if !message.is_empty() && message.len() + sql.len() + 2 > packet {
                    run(state, &mut message, &mut sent).await?;
                }
                if !message.is_empty() {
                    message.push_str("; ");
                }
                message.push_str(&sql);
                sent.push((statement.group, statement.rows));
            }
            What::Arrays(arrays) => {
                run(state, &mut message, &mut sent).await?;
                let (group, rows) = (statement.group, statement.rows);
                match arrays.execute(state, packet).await {
                    Ok(met) => judge(&[(group, rows)], &[met])?,
                    Err(error) => return Err(clash(state, group, rows, error).await?),
                }
            }
        }
    }
    run(state, &mut message, &mut sent).await
}

/// Rows of a group that a statement writes.
type Sent<'g, 'a> = (&'g Group<'a>, Range<usize>);

/// Has a message done, whose statements write these rows.
async fn run(
    state: &mut State,
    message: &mut String,
    sent: &mut Vec<Sent<'_, '_>>,
) -> Result<(), WriteError> {
    let sent = std::mem::take(sent);
    if sent.is_empty() {
        return Ok(());
    }
    let (counts, error) = met(state, std::mem::take(message)).await;
    judge(&sent, &counts)?;
    let Some(error) = error else {
        return Ok(());
    };
    Err(match sent.get(counts.len()) {
        Some((group, rows)) => clash(state, group, rows.clone(), error).await?,
        None => error.into(),
    })
}

/// The rows that each statement met, up to the one that failed.
async fn met(state: &mut State, message: String) -> (Vec<u64>, Option<Error>) {
    let mut counts = Vec::new();
    let mut answer = match state.session.conn.query_iter(message).await {
        Ok(answer) => answer,
        Err(error) => return (counts, Some(error)),
    };
    loop {
        let count = answer.affected_rows();
        // The driver keeps the error of a later statement until it is asked for the rows of that one;
        // left there, it would come as the answer to the rollback.
        let last = answer.is_empty();
        if let Err(error) = answer.next().await {
            return (counts, Some(error));
        }
        counts.push(count);
        if last {
            return (counts, None);
        }
    }
}

/// Whether all rows were met, group by group.
fn judge(sent: &[Sent<'_, '_>], counts: &[u64]) -> Result<(), WriteError> {
    let done: Vec<_> = sent.iter().zip(counts).collect();
    for of_group in done.chunk_by(|((one, _), _), ((next, _), _)| std::ptr::eq(*one, *next)) {
        let rows: usize = of_group.iter().map(|((_, rows), _)| rows.len()).sum();
        let met: u64 = of_group.iter().map(|(_, count)| **count).sum();
        let met = usize::try_from(met).unwrap_or(usize::MAX);
        missing(&of_group[0].0.0.shape.into, rows, met)?;
    }
    Ok(())
}

/// What the failure of a statement means: an inserted row may be there already. A clash with another
/// unique key is the server's to name, and so is one with a key that a collation takes for the same.
async fn clash(
    state: &mut State,
    group: &Group<'_>,
    rows: Range<usize>,
    error: Error,
) -> Result<WriteError, WriteError> {
    /// A unique key has the value already.
    const DUPLICATE: &[u16] = &[1022, 1062, 1169, 1586];
    let duplicate = matches!(&error, Error::Server(error) if DUPLICATE.contains(&error.code));
    let shape = &group.shape;
    if !duplicate || shape.kind != Kind::Insert {
        return Ok(error.into());
    }
    let rows = &group.rows[rows];
    let there = match switch::mutant(Mutant::ClashUnnamed) {
        true => 1,
        false => {
            let asked = rows.iter().map(|(_, row)| Asked {
                key: &row.key,
                cells: None,
            });
            let look = Look {
                json: false,
                lock: true,
            };
            let asked: Vec<Asked<'_>> = asked.collect();
            rows_of(state, &shape.into, &asked, look).await?.len()
        }
    };
    missing(&shape.into, rows.len(), rows.len().saturating_sub(there))?;
    Ok(error.into())
}

/// The tokens that the writes left. A counter without triggers is known; anything else is read after
/// all statements (protocol rule 20).
async fn tokens(
    state: &mut State,
    patches: &[&Patch],
    groups: &[Group<'_>],
    tables: &Tables,
) -> Result<Tokens, WriteError> {
    let mut tokens: Tokens = patches.iter().map(|p| vec![None; p.writes.len()]).collect();
    let triggers = has_triggers(groups, tables);
    for group in groups {
        let (kind, into) = (group.shape.kind, &group.shape.into);
        if kind == Kind::Delete || !has_token(&into.lock) {
            continue;
        }
        let known = matches!(into.lock, Lock::Counter(_)) && !triggers;
        if known || kind == Kind::Check {
            for ((patch, at), row) in &group.rows {
                tokens[*patch][*at] = match kind {
                    Kind::Insert => Some("1".into()),
                    Kind::Check => row.token.clone(),
                    _ => row.token.as_deref().and_then(next),
                };
            }
            if known {
                continue;
            }
        }
        let asked = group.rows.iter().map(|(_, row)| Asked {
            key: &row.key,
            cells: None,
        });
        let look = Look {
            json: false,
            lock: false,
        };
        let asked: Vec<Asked<'_>> = asked.collect();
        let found = rows_of(state, into, &asked, look).await?;
        for ((patch, at), row) in &group.rows {
            if let Some(there) = found.get(&row.key) {
                tokens[*patch][*at] = there.token.clone();
            }
        }
    }
    Ok(tokens)
}

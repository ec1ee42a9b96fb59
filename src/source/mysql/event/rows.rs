//! Row events: the rows of one table, one after the other, each before or after its change or both.

use std::ops::Range;

use bytes::Bytes;

use super::kind;
use super::reader::{Bits, Reader};
use super::table_map::{Wire, types};
use crate::source::mysql::SourceError;

const WHAT: &str = "rows";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    Write,
    Update,
    Delete,
}

/// The rows of an event that have not been read yet.
#[derive(Debug)]
pub struct Rows {
    pub table: u64,
    pub action: Action,
    /// JSON may come as what has changed in it.
    partial: bool,
    pub count: usize,
    body: Bytes,
    /// Where in it the bits are that tell which columns are there before and after.
    before: Range<usize>,
    after: Range<usize>,
    /// Where the next row begins.
    at: usize,
}

/// One value of a row, in the event's bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value<'e> {
    /// The log does not have the column.
    Absent,
    Null,
    /// As it is written, its length included.
    Here(&'e [u8]),
    /// What has changed in a JSON document, none where it is unchanged.
    Partial(&'e [u8]),
}

/// A row before and after; what the event does not have is empty.
#[derive(Debug, Default)]
pub struct Row<'e> {
    pub before: Vec<Value<'e>>,
    pub after: Vec<Value<'e>>,
}

impl Rows {
    pub fn read(kind: u8, body: &Bytes) -> Result<Self, SourceError> {
        let mut r = Reader(body);
        let table = r.number(6, WHAT)?;
        r.skip(2, WHAT)?;
        let (action, v1) = match kind {
            kind::WRITE_ROWS_V1 => (Action::Write, true),
            kind::UPDATE_ROWS_V1 => (Action::Update, true),
            kind::DELETE_ROWS_V1 => (Action::Delete, true),
            kind::WRITE_ROWS => (Action::Write, false),
            kind::UPDATE_ROWS | kind::PARTIAL_UPDATE_ROWS => (Action::Update, false),
            kind::DELETE_ROWS => (Action::Delete, false),
            _ => return Err(SourceError::Malformed(WHAT)),
        };
        if !v1 {
            let extra = usize::from(r.u16(WHAT)?);
            r.skip(extra.saturating_sub(2), WHAT)?;
        }
        let count = r.count(WHAT)?;
        let mut bits = |there| {
            let from = body.len() - r.0.len();
            let length = if there { Bits::length(count) } else { 0 };
            r.skip(length, WHAT).map(|()| from..from + length)
        };
        let before = bits(action != Action::Write)?;
        let after = bits(action != Action::Delete)?;
        Ok(Self {
            table,
            action,
            partial: kind == kind::PARTIAL_UPDATE_ROWS,
            count,
            at: after.end,
            before,
            after,
            body: body.clone(),
        })
    }

    pub fn next(&mut self, columns: &[Wire]) -> Result<Option<Row<'_>>, SourceError> {
        let body = &self.body[..];
        let mut r = Reader(&body[self.at..]);
        if r.0.is_empty() {
            return Ok(None);
        }
        if self.count != columns.len() {
            return Err(SourceError::Malformed("number of columns in a row"));
        }
        let there = |at: &Range<usize>| Bits(&body[at.clone()]);
        let mut row = Row::default();
        if self.action != Action::Write {
            row.before = image(&mut r, columns, there(&self.before), false)?;
        }
        if self.action != Action::Delete {
            row.after = image(&mut r, columns, there(&self.after), self.partial)?;
        }
        self.at = body.len() - r.0.len();
        Ok(Some(row))
    }
}

fn image<'e>(
    r: &mut Reader<'e>,
    columns: &[Wire],
    there: Bits<'_>,
    partial: bool,
) -> Result<Vec<Value<'e>>, SourceError> {
    let is_json = |wire: &Wire| wire.ty == types::JSON;
    let mut diffs = Bits::default();
    if partial && r.packed(WHAT)? & 1 != 0 {
        let documents = columns.iter().filter(|wire| is_json(wire)).count();
        diffs = Bits(r.take(Bits::length(documents), WHAT)?);
    }
    let nulls = Bits(r.take(Bits::length(there.ones(columns.len())), WHAT)?);
    let (mut present, mut documents) = (0, 0);
    let mut values = Vec::with_capacity(columns.len());
    for (i, wire) in columns.iter().enumerate() {
        let is_diff = is_json(wire) && diffs.has(documents);
        documents += usize::from(is_json(wire));
        if !there.has(i) {
            values.push(Value::Absent);
            continue;
        }
        let null = nulls.has(present);
        present += 1;
        values.push(match null {
            true => Value::Null,
            false => {
                let value = r.take(wire.length(r.0)?, WHAT)?;
                match is_diff {
                    true => Value::Partial(value),
                    false => Value::Here(value),
                }
            }
        });
    }
    Ok(values)
}

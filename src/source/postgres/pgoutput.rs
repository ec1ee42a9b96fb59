//! The messages of pgoutput, protocol version 1 ("Logical Replication Message Formats").

use std::sync::Arc;

use super::SourceError;
use super::relation::{LogColumn, LogTables, Mapped, Relation, Relations};
use crate::cart::image::{Cell, Cells};
use crate::cart::layout::Layout;
use crate::source::change::{Change, Event, Lsn, Op, TransactionId};
use crate::switch::{self, Mutant};

/// Microseconds from 1970 to 2000, where Postgres begins to count.
const EPOCH: i64 = 946_684_800_000_000;

/// Turns messages into events. It keeps what Relation messages said and whether a transaction is
/// open, so it must see every message of one stream in order.
pub struct Decoder {
    layout: Arc<Layout>,
    relations: Relations,
    /// The end of the log when the mapping was compiled.
    compiled_at: Lsn,
    /// The open transaction committed before that.
    of_before: bool,
    /// Where it committed.
    commit: Lsn,
    in_transaction: bool,
    keepalive_dropped: bool,
}

/// What is left of a message.
struct Reader<'a>(&'a [u8]);

impl Decoder {
    /// `tables` are the layout's, as they were when the log ended at `compiled_at`.
    pub fn new(layout: Arc<Layout>, tables: LogTables, compiled_at: Lsn) -> Self {
        Self {
            layout,
            relations: Relations::new(tables),
            compiled_at,
            of_before: false,
            commit: Lsn::default(),
            in_transaction: false,
            keepalive_dropped: false,
        }
    }

    /// Reads the payload of one CopyData message; many mean nothing to the layout.
    pub fn decode(&mut self, payload: &[u8]) -> Result<Option<Event>, SourceError> {
        let mut reader = Reader(payload);
        match reader.u8("stream message")? {
            b'w' => {
                reader.take(24, "XLogData")?;
                self.message(reader)
            }
            b'k' => {
                let end = Lsn(reader.u64("keepalive")?);
                reader.take(8 + 1, "keepalive")?;
                reader.end("keepalive")?;
                Ok(self.keepalive(end))
            }
            _ => Err(SourceError::Malformed("stream message")),
        }
    }

    /// Whether a keepalive was swallowed since the last call: then another one must be asked for
    /// after the Commit, or an answer that somebody waits for never comes.
    pub fn take_dropped_keepalive(&mut self) -> bool {
        !self.in_transaction && std::mem::take(&mut self.keepalive_dropped)
    }

    /// Between transactions a keepalive's position is how far the walsender has decoded and sent:
    /// it sends in commit order, so whatever committed before has been delivered. Inside a
    /// transaction it may name a point past the open transaction's commit record, of which we hold
    /// only a part; to pass it on would confirm the rest unseen. It cannot be kept for later
    /// either, since transactions between that commit and the point may still have to be sent.
    fn keepalive(&mut self, end: Lsn) -> Option<Event> {
        if self.in_transaction {
            self.keepalive_dropped = true;
            return None;
        }
        Some(Event::Keepalive { end })
    }

    fn message(&mut self, mut r: Reader<'_>) -> Result<Option<Event>, SourceError> {
        match r.u8("message")? {
            b'B' => {
                if std::mem::replace(&mut self.in_transaction, true) {
                    return Err(SourceError::Malformed("Begin inside a transaction"));
                }
                let commit = Lsn(r.u64("Begin")?);
                self.of_before = commit < self.compiled_at;
                self.commit = commit;
                let commit_time = r.i64("Begin")?.saturating_add(EPOCH);
                let xid = r.u32("Begin")?;
                r.end("Begin")?;
                Ok(Some(Event::Begin {
                    id: TransactionId {
                        xid,
                        commit,
                        gtid: None,
                    },
                    commit_time,
                }))
            }
            b'C' => {
                if !std::mem::replace(&mut self.in_transaction, false) {
                    return Err(SourceError::Malformed("Commit outside a transaction"));
                }
                r.take(1 + 8, "Commit")?;
                let end = Lsn(r.u64("Commit")?);
                r.take(8, "Commit")?;
                r.end("Commit")?;
                Ok(Some(Event::Commit { end }))
            }
            b'R' => self.relation(r).map(|()| None),
            b'I' => self.insert(r),
            b'U' => self.update(r),
            b'D' => self.delete(r),
            b'T' => self.truncate(r),
            // Origin, Type and Message say nothing about rows.
            b'O' | b'Y' | b'M' => Ok(None),
            _ => Err(SourceError::Malformed("message of unknown kind")),
        }
    }

    fn relation(&mut self, mut r: Reader<'_>) -> Result<(), SourceError> {
        const WHAT: &str = "Relation";
        let id = r.u32(WHAT)?;
        // An empty name means pg_catalog, which no cart lives in.
        let schema = r.name(WHAT)?;
        let name = r.name(WHAT)?;
        r.u8(WHAT)?;
        let mut columns = Vec::new();
        for _ in 0..r.u16(WHAT)? {
            let key = r.u8(WHAT)? & 1 == 1;
            let name = r.name(WHAT)?;
            let type_oid = r.u32(WHAT)?;
            r.u32(WHAT)?;
            columns.push(LogColumn {
                name,
                type_oid,
                key,
            });
        }
        r.end(WHAT)?;
        let relations = &mut self.relations;
        let names = [schema, name];
        let when = (self.of_before, self.commit);
        relations.announce(&self.layout, id, names, &columns, when)
    }

    fn mapped(&self, id: u32) -> Result<Option<&Mapped>, SourceError> {
        if !self.in_transaction {
            return Err(SourceError::Malformed("change outside a transaction"));
        }
        Ok(match self.relations.get(id)? {
            Relation::Skipped => None,
            Relation::Mapped(mapped) => Some(mapped),
        })
    }

    fn insert(&self, mut r: Reader<'_>) -> Result<Option<Event>, SourceError> {
        let Some(mapped) = self.mapped(r.u32("Insert")?)? else {
            return Ok(None);
        };
        r.expect(b'N', "Insert")?;
        let new = r.new_tuple(mapped)?;
        r.end("Insert")?;
        Ok(Some(change(mapped, Op::Insert { new })))
    }

    fn update(&self, mut r: Reader<'_>) -> Result<Option<Event>, SourceError> {
        let Some(mapped) = self.mapped(r.u32("Update")?)? else {
            return Ok(None);
        };
        let old = match r.u8("Update")? {
            // Nothing of the old row, and what is needed of it may have changed: not known.
            b'N' if !mapped.traceable => Some(vec![Cell::Missing; mapped.width].into()),
            b'N' => None,
            kind @ (b'K' | b'O') => {
                let old = r.tuple(mapped, kind == b'K')?;
                r.expect(b'N', "Update")?;
                Some(old)
            }
            _ => return Err(SourceError::Malformed("Update")),
        };
        let new = r.new_tuple(mapped)?;
        r.end("Update")?;
        Ok(Some(change(mapped, Op::Update { old, new })))
    }

    fn delete(&self, mut r: Reader<'_>) -> Result<Option<Event>, SourceError> {
        let Some(mapped) = self.mapped(r.u32("Delete")?)? else {
            return Ok(None);
        };
        let old = match r.u8("Delete")? {
            kind @ (b'K' | b'O') => r.tuple(mapped, kind == b'K')?,
            _ => return Err(SourceError::Malformed("Delete")),
        };
        r.end("Delete")?;
        Ok(Some(change(mapped, Op::Delete { old })))
    }

    fn truncate(&self, mut r: Reader<'_>) -> Result<Option<Event>, SourceError> {
        let count = r.u32("Truncate")?;
        r.u8("Truncate")?;
        let mut tables = Vec::new();
        for _ in 0..count {
            if let Some(mapped) = self.mapped(r.u32("Truncate")?)? {
                tables.push(mapped.table);
            }
        }
        r.end("Truncate")?;
        Ok((!tables.is_empty()).then_some(Event::Truncate(tables)))
    }
}

fn change(mapped: &Mapped, op: Op) -> Event {
    Event::Change(Change {
        table: mapped.table,
        op,
    })
}

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize, what: &'static str) -> Result<&'a [u8], SourceError> {
        let (head, tail) = self
            .0
            .split_at_checked(count)
            .ok_or(SourceError::Malformed(what))?;
        self.0 = tail;
        Ok(head)
    }

    fn array<const N: usize>(&mut self, what: &'static str) -> Result<[u8; N], SourceError> {
        let (head, tail) = self
            .0
            .split_first_chunk()
            .ok_or(SourceError::Malformed(what))?;
        self.0 = tail;
        Ok(*head)
    }

    fn u8(&mut self, what: &'static str) -> Result<u8, SourceError> {
        Ok(u8::from_be_bytes(self.array(what)?))
    }

    fn u16(&mut self, what: &'static str) -> Result<u16, SourceError> {
        Ok(u16::from_be_bytes(self.array(what)?))
    }

    fn u32(&mut self, what: &'static str) -> Result<u32, SourceError> {
        Ok(u32::from_be_bytes(self.array(what)?))
    }

    fn u64(&mut self, what: &'static str) -> Result<u64, SourceError> {
        Ok(u64::from_be_bytes(self.array(what)?))
    }

    fn i64(&mut self, what: &'static str) -> Result<i64, SourceError> {
        Ok(i64::from_be_bytes(self.array(what)?))
    }

    /// Bytes left over are as wrong as bytes that are missing.
    fn end(&self, what: &'static str) -> Result<(), SourceError> {
        self.0
            .is_empty()
            .then_some(())
            .ok_or(SourceError::Malformed(what))
    }

    fn expect(&mut self, byte: u8, what: &'static str) -> Result<(), SourceError> {
        (self.u8(what)? == byte)
            .then_some(())
            .ok_or(SourceError::Malformed(what))
    }

    fn name(&mut self, what: &'static str) -> Result<&'a str, SourceError> {
        let zero = self.0.iter().position(|b| *b == 0);
        let name = self.take(zero.ok_or(SourceError::Malformed(what))?, what)?;
        self.take(1, what)?;
        std::str::from_utf8(name).map_err(|_| SourceError::Malformed("name"))
    }

    /// The row as it became. A column that the log does not have is not "unchanged": nothing is known
    /// of such a row.
    fn new_tuple(&mut self, mapped: &Mapped) -> Result<Cells, SourceError> {
        let cells = self.tuple(mapped, false)?;
        Ok(match mapped.whole {
            true => cells,
            false => vec![Cell::Missing; mapped.width].into(),
        })
    }

    /// TupleData. Of a tuple that holds only the key the server writes the other columns as
    /// NULL, though nobody knows what they were.
    fn tuple(&mut self, mapped: &Mapped, key_only: bool) -> Result<Cells, SourceError> {
        const WHAT: &str = "TupleData";
        if usize::from(self.u16(WHAT)?) != mapped.places.len() {
            return Err(SourceError::Malformed("number of columns in a tuple"));
        }
        let mut cells = vec![Cell::Missing; mapped.width];
        for (place, key) in mapped.places.iter().zip(&mapped.keys) {
            let text = match self.u8(WHAT)? {
                kind @ (b'n' | b'u') => Err(kind),
                b't' => {
                    let length = self.u32(WHAT)? as usize;
                    Ok(self.take(length, WHAT)?)
                }
                _ => return Err(SourceError::Malformed(WHAT)),
            };
            let Some(cell) = place.and_then(|place| cells.get_mut(place)) else {
                continue;
            };
            if key_only && !key && !switch::mutant(Mutant::UnsentIsNull) {
                continue;
            }
            *cell = match text {
                Ok(bytes) => {
                    let text = std::str::from_utf8(bytes);
                    Cell::Text(text.map_err(|_| SourceError::Malformed("UTF-8"))?.into())
                }
                Err(b'n') => Cell::Null,
                Err(_) if switch::mutant(Mutant::ToastIsNull) => Cell::Null,
                Err(_) => Cell::Missing,
            };
        }
        Ok(cells.into())
    }
}

#[cfg(test)]
mod tests;

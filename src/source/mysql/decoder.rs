//! From the events of the log to those of the pipeline.

mod rows;
mod statements;

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use tracing::warn;

use super::SourceError;
use super::cells::{self, Untold};
use super::event::gtid::{self, Beginning};
use super::event::payload::Payload;
use super::event::query::Query;
use super::event::rows::Rows;
use super::event::table_map::{Head, Wire};
use super::event::{Checksum, Format, Header, compressed, kind, rotation};
use super::event::{Event as LogEvent, reader::Reader};
use super::group::{Group, Prepared, Waiting};
use super::gtid::GtidSet;
use super::identity::IdentityError;
use super::place::{Base, FIRST, Place};
use super::statement::{self, Named, Statement};
use super::tables::{LogTables, Mapped};
use crate::cart::layout::Layout;
use crate::hash::HashMap;
use crate::source::change::{Change, Event, Lsn, TransactionId};
use crate::switch::{self, Mutant};

/// What the decoder is to know beforehand.
#[derive(Clone, Debug)]
pub struct Known {
    pub layout: Arc<Layout>,
    /// The layout's tables as the server described them when the log ended at `compiled_at`.
    pub tables: LogTables,
    pub compiled_at: Lsn,
    /// The same as they were where reading begins, if that is known: what the checkpoint was
    /// written with. Each holds until the log has another definition of its table.
    pub before: Option<LogTables>,
    pub base: Base,
    /// Names of tables are one whatever their case (`lower_case_table_names`).
    pub folds_names: bool,
    /// All transactions before the place where reading begins.
    pub passed: Option<GtidSet>,
    /// When the file in which reading begins was begun, if that is known.
    pub born: Option<u32>,
}

/// What the bytes so far hold next.
#[derive(Debug, PartialEq)]
pub enum Step {
    Event(Event),
    /// That is not known yet; there was much to pass over.
    More,
    /// Nothing.
    Done,
}

/// So much may be passed over in one go.
const STEPS: usize = 64;

/// What decides how a table map is read.
#[derive(Debug)]
struct ReadAs {
    body: Vec<u8>,
    of_before: bool,
    moved: bool,
}

/// Turns the bytes of events into events. It must see every event of one stream in order.
#[derive(Debug)]
pub struct Decoder {
    known: Known,
    checksum: Checksum,
    /// When the file was begun.
    born: Option<u32>,
    /// Where the next event begins.
    at: Place,
    group: Option<Group>,
    maps: HashMap<u64, Option<Arc<Mapped>>>,
    /// Each transaction tells its tables anew, and mostly in the same bytes.
    read_maps: HashMap<u64, (ReadAs, Arc<Mapped>)>,
    /// The rows that are being read, and the packed transaction that they are from.
    rows: Option<(Rows, Arc<Mapped>)>,
    payload: Option<Payload>,
    ready: VecDeque<Event>,
    /// Up to here the log was passed since that was last told.
    passed: Option<Lsn>,
    waiting: Waiting,
    /// Of `tables` and `before`.
    fingerprints: (Arc<str>, Option<Arc<str>>),
    /// Tables of the layout that the log has defined anew on the way to `compiled_at`.
    moved: Vec<bool>,
}

impl Decoder {
    pub fn new(known: Known, start: Place) -> Self {
        let fingerprint = |tables: &LogTables| Arc::from(tables.fingerprint());
        Self {
            fingerprints: (
                fingerprint(&known.tables),
                known.before.as_ref().map(fingerprint),
            ),
            checksum: Checksum::Unknown,
            born: None,
            at: start,
            group: None,
            maps: HashMap::default(),
            read_maps: HashMap::default(),
            rows: None,
            payload: None,
            ready: VecDeque::new(),
            passed: None,
            waiting: Waiting::default(),
            moved: vec![false; known.layout.tables.len()],
            known,
        }
    }

    /// The fingerprint of the tables as they are at this point, as far as that is known.
    pub fn tables(&self) -> Option<Arc<str>> {
        let known = match self.at.lsn() >= self.known.compiled_at {
            true => Some(&self.fingerprints.0),
            false if self.moved.contains(&true) => None,
            false => self.fingerprints.1.as_ref(),
        };
        known.cloned()
    }

    /// When the file at hand was begun.
    pub fn born(&self) -> Option<u32> {
        self.born
    }

    /// All transactions that were passed.
    pub fn set(&self) -> Option<&GtidSet> {
        self.known.passed.as_ref()
    }

    /// Up to here the log was passed, if nobody was told yet. To be asked for when there is nothing
    /// else to do.
    pub fn take_passed(&mut self) -> Option<Lsn> {
        self.passed.take()
    }

    /// Takes the next event's bytes in; all that the last ones held must have been taken out.
    pub fn feed(&mut self, bytes: Bytes) -> Result<(), SourceError> {
        let event = LogEvent::read(bytes, self.checksum)?;
        self.advance(&event.header);
        self.event(event, false)
    }

    /// The next event of the pipeline, if the bytes so far hold one.
    pub fn step(&mut self) -> Result<Step, SourceError> {
        for _ in 0..STEPS {
            if let Some(event) = self.ready.pop_front() {
                return Ok(Step::Event(event));
            }
            if self.rows.is_some() {
                self.row()?;
            } else if let Some(payload) = &mut self.payload {
                match payload.next_event()? {
                    Some(event) => self.event(event, true)?,
                    None => self.payload = None,
                }
            } else {
                return Ok(Step::Done);
            }
        }
        Ok(Step::More)
    }

    /// Where events are. Inside a transaction not all of them say where they end, and what the
    /// server makes up is nowhere.
    fn advance(&mut self, header: &Header) {
        let nowhere = header.is_artificial()
            || header.kind == kind::HEARTBEAT
            || header.end == 0 && matches!(header.kind, kind::FORMAT_DESCRIPTION | kind::ROTATE);
        if nowhere {
            return;
        }
        let begin = self.at.offset;
        let end = begin + u64::from(header.size);
        let low = u64::from(header.end);
        self.at.offset = match header.end {
            0 => end,
            _ if end as u32 == header.end => end,
            // As the log says, past 4 GB too.
            _ if (begin & !0xffff_ffff | low) > begin => begin & !0xffff_ffff | low,
            _ => (begin & !0xffff_ffff) + (1 << 32) + low,
        };
    }

    fn event(&mut self, event: LogEvent, inner: bool) -> Result<(), SourceError> {
        let packed = event.header.kind;
        let event = compressed::unpacked(event)?;
        let (header, body) = (event.header, &event.body);
        if packed != header.kind && switch::mutant(Mutant::PackedPassed) {
            return Ok(());
        }
        match header.kind {
            kind::FORMAT_DESCRIPTION => {
                let format = Format::read(body)?;
                self.checksum = format.checksum;
                self.same_file(header.time)?;
                if format.started && !header.is_artificial() && header.end != 0 {
                    self.unfinished()?;
                }
            }
            kind::ROTATE => {
                let (name, offset) = rotation(body)?;
                let (base, file) = Base::split(&name)
                    .map_err(|_| SourceError::Malformed("name of the next file"))?;
                if base != self.known.base {
                    return Err(SourceError::Malformed("name of the next file"));
                }
                if file != self.at.file {
                    self.born = None;
                    self.known.born = None;
                    self.at.file = file;
                    self.at.offset = offset.max(FIRST);
                    self.pass();
                }
            }
            kind::HEARTBEAT => self.pass(),
            kind::MARIADB_GTID => {
                let beginning = gtid::mariadb(&header, body)?;
                let open = !beginning.standalone;
                self.begin(&header, beginning, open)?;
            }
            kind::GTID => self.begin(&header, gtid::mysql(&header, body, false)?, false)?,
            kind::ANONYMOUS_GTID => {
                self.begin(&header, gtid::mysql(&header, body, true)?, false)?
            }
            kind::GTID_TAGGED => self.begin(&header, gtid::tagged(&header, body)?, false)?,
            kind::QUERY => self.query(&header, Query::read(body, false)?, inner)?,
            kind::EXECUTE_LOAD_QUERY => self.query(&header, Query::read(body, true)?, inner)?,
            kind::XID => self.finish()?,
            kind::XA_PREPARE => self.prepare(body)?,
            kind::TABLE_MAP => self.map(body)?,
            kind::WRITE_ROWS_V1
            | kind::UPDATE_ROWS_V1
            | kind::DELETE_ROWS_V1
            | kind::WRITE_ROWS
            | kind::UPDATE_ROWS
            | kind::DELETE_ROWS
            | kind::PARTIAL_UPDATE_ROWS => self.rows(header.kind, body)?,
            kind::TRANSACTION_PAYLOAD if switch::mutant(Mutant::PackedPassed) => {}
            kind::TRANSACTION_PAYLOAD if !inner => self.payload = Some(Payload::read(body)?),
            kind::INCIDENT => self.incident(body)?,
            kind::STOP
            | kind::INTVAR
            | kind::RAND
            | kind::USER_VAR
            | kind::BEGIN_LOAD_QUERY
            | kind::APPEND_BLOCK
            | kind::DELETE_FILE
            | kind::IGNORABLE
            | kind::ROWS_QUERY
            | kind::PREVIOUS_GTIDS
            | kind::TRANSACTION_CONTEXT
            | kind::VIEW_CHANGE
            | kind::MARIADB_ANNOTATE_ROWS
            | kind::MARIADB_CHECKPOINT
            | kind::MARIADB_GTID_LIST
            | kind::MARIADB_START_ENCRYPTION => {}
            _ if header.is_ignorable() => {}
            kind => {
                let at = self.shown();
                return Err(SourceError::Unknown { kind, at });
            }
        }
        Ok(())
    }

    /// A file begins with a description that tells when that was, also where reading begins later.
    fn same_file(&mut self, born: u32) -> Result<(), SourceError> {
        let known = self.known.born.take();
        self.born = Some(born);
        match known {
            Some(known) if known != born && !switch::mutant(Mutant::AnyFile) => {
                let at = self.known.base.show(self.at.lsn()).to_string();
                Err(IdentityError::OtherFile { at }.into())
            }
            _ => Ok(()),
        }
    }

    /// Where the event began, or its group.
    fn start_of(&self, header: &Header) -> Lsn {
        let offset = self.at.offset.saturating_sub(u64::from(header.size));
        Place { offset, ..self.at }.lsn()
    }

    fn begin(
        &mut self,
        header: &Header,
        beginning: Beginning,
        open: bool,
    ) -> Result<(), SourceError> {
        self.unfinished()?;
        self.group = Some(Group::new(self.start_of(header), beginning, open));
        Ok(())
    }

    /// The log went on although the group did not end: the server went down while it wrote it, and
    /// has rolled it back since.
    fn unfinished(&mut self) -> Result<(), SourceError> {
        if self.group.as_ref().is_some_and(|group| group.told) {
            self.doubt("a transaction of the log was not finished");
            let end = self.at.lsn();
            self.ready.push_back(Event::Commit { end });
        }
        self.group = None;
        Ok(())
    }

    /// What the pipeline knows of the log's end; not in the middle of a transaction, of which it has
    /// only a part.
    fn pass(&mut self) {
        if self.group.is_none() {
            self.passed = Some(self.at.lsn());
        }
    }

    fn finish(&mut self) -> Result<(), SourceError> {
        let Some(group) = self.group.take() else {
            return Err(SourceError::Malformed("commit outside a transaction"));
        };
        self.maps.clear();
        if let (Some(gtid), Some(set)) = (group.gtid, &mut self.known.passed) {
            set.add(gtid);
        }
        let end = self.at.lsn();
        match group.told {
            true => self.ready.push_back(Event::Commit { end }),
            false => self.passed = Some(end),
        }
        Ok(())
    }

    /// Tells the pipeline of the group with its first event.
    fn tell(&mut self, event: Event) {
        let Some(group) = &mut self.group else {
            return;
        };
        if !group.told {
            group.told = true;
            // What was passed before is behind it too.
            self.passed = None;
            self.ready.push_back(Event::Begin {
                id: TransactionId {
                    xid: 0,
                    commit: group.begin,
                    gtid: group.gtid,
                },
                commit_time: group.time,
            });
        }
        self.ready.push_back(event);
    }

    fn tell_change(&mut self, change: Change) {
        if let Some(group) = &mut self.group {
            group.changes += 1;
            if let Some((_, prepared)) = &mut group.prepares {
                return prepared.push(change, self.waiting.room());
            }
        }
        self.tell(Event::Change(change));
    }

    /// Something has changed that the log does not tell. A row of which nothing is known has all
    /// carts read again.
    fn doubt(&mut self, why: &str) {
        warn!(at = self.shown(), "{why}");
        self.tell_change(cells::hidden(Layout::HEADER, &self.known.layout));
    }

    fn is_of_before(&self) -> bool {
        let begin = self.group.as_ref().map(|group| group.begin);
        begin.is_some_and(|begin| begin < self.known.compiled_at)
    }

    /// A fault of a session is told once: whoever starts again after it goes on with all carts read
    /// again.
    fn refuse(&mut self, error: SourceError) -> Result<(), SourceError> {
        match self.is_of_before() {
            true => {
                self.doubt(&error.to_string());
                Ok(())
            }
            false => Err(error),
        }
    }

    fn shown(&self) -> String {
        let group = self.group.as_ref().map(|group| group.begin);
        let at = group.unwrap_or_else(|| self.at.lsn());
        self.known.base.show(at).to_string()
    }
}

#[cfg(test)]
mod tests;

//! The transaction that is being read, and those that are prepared and wait for their verdict.

use std::collections::HashMap;

use super::event::gtid::Beginning;
use super::gtid::Gtid;
use crate::source::change::{Change, Lsn};

/// Bytes of prepared changes that are kept; of what is beyond, it is only known that it was there.
const ROOM: usize = 16 << 20;
/// Prepared transactions that are known of.
const MOST: usize = 10_000;

#[derive(Debug)]
pub struct Group {
    /// Where it begins.
    pub begin: Lsn,
    pub gtid: Option<Gtid>,
    /// Microseconds since 1970.
    pub time: i64,
    /// A commit ends it, not its first statement.
    pub open: bool,
    /// The pipeline knows of it.
    pub told: bool,
    /// The session that wrote it, as far as it is known.
    pub session: Option<u32>,
    /// Changes of mapped tables so far.
    pub changes: u64,
    savepoints: Vec<(String, u64)>,
    /// Its changes, where they wait for a verdict that comes in a group of its own.
    pub prepares: Option<(String, Prepared)>,
}

/// What a prepared transaction has done to the mapped tables.
#[derive(Debug, Default)]
pub struct Prepared {
    pub changes: Vec<Change>,
    bytes: usize,
    /// More than is kept, or what cannot be told.
    pub unknown: bool,
}

impl Group {
    /// `open`: as MariaDB's ids say; MySQL's first statement says it.
    pub fn new(begin: Lsn, beginning: Beginning, open: bool) -> Self {
        Self {
            begin,
            gtid: beginning.gtid,
            time: beginning.time,
            open,
            told: false,
            session: None,
            changes: 0,
            savepoints: Vec::new(),
            prepares: beginning.prepares.map(|xid| (xid, Prepared::default())),
        }
    }

    pub fn savepoint(&mut self, name: String) {
        self.savepoints.retain(|(known, _)| *known != name);
        self.savepoints.push((name, self.changes));
    }

    /// Whether changes that were already handed out are undone by going back to it.
    pub fn undoes(&self, savepoint: &str) -> bool {
        let mut known = self.savepoints.iter().rev();
        let at = known.find(|(name, _)| name == savepoint);
        self.changes > at.map_or(0, |(_, changes)| *changes)
    }
}

impl Prepared {
    /// It has changed mapped tables, as far as is known.
    pub fn has_some(&self) -> bool {
        self.unknown || !self.changes.is_empty()
    }

    pub fn push(&mut self, change: Change, room: usize) {
        let bytes = change.footprint();
        if self.unknown || self.bytes + bytes > room {
            self.unknown = true;
            self.changes = Vec::new();
            return;
        }
        self.bytes += bytes;
        self.changes.push(change);
    }
}

/// By the names of their transactions. Those that were prepared before reading began are not here.
#[derive(Debug, Default)]
pub struct Waiting(HashMap<String, Prepared>);

impl Waiting {
    pub fn room(&self) -> usize {
        let taken: usize = self.0.values().map(|prepared| prepared.bytes).sum();
        ROOM.saturating_sub(taken)
    }

    pub fn put(&mut self, xid: String, prepared: Prepared) {
        if self.0.len() < MOST {
            self.0.insert(xid, prepared);
        }
    }

    pub fn take(&mut self, xid: &str) -> Option<Prepared> {
        self.0.remove(xid)
    }
}

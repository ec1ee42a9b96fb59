//! What every source yields: row changes between the borders of their transactions.

use serde::{Deserialize, Serialize};

use super::mysql::gtid::Gtid;
use crate::cart::image::{Cells, footprint};

/// A byte position in a Postgres log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Lsn(pub u64);

impl std::fmt::Display for Lsn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:X}/{:X}", self.0 >> 32, self.0 as u32)
    }
}

/// The text is not an LSN of the form `16/B374D848`.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not a log position; expected two hexadecimal numbers as in 16/B374D848")]
pub struct NotAnLsn(String);

impl std::str::FromStr for Lsn {
    type Err = NotAnLsn;

    fn from_str(text: &str) -> Result<Self, NotAnLsn> {
        let bad = || NotAnLsn(text.to_owned());
        let (high, low) = text.split_once('/').ok_or_else(bad)?;
        let high = u32::from_str_radix(high, 16).map_err(|_| bad())?;
        let low = u32::from_str_radix(low, 16).map_err(|_| bad())?;
        Ok(Lsn(u64::from(high) << 32 | u64::from(low)))
    }
}

/// A point that totally orders changes: the commit record's LSN, then the change's number inside
/// its transaction, from 1. `(end of the commit record, 0)` is the border after a transaction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Position {
    pub lsn: Lsn,
    pub seq: u32,
}

/// All that the log knows a transaction by; a snapshot picks what its server can tell of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TransactionId {
    /// Postgres: the low 32 bits of its number.
    pub xid: u32,
    /// Where it stands in the log, before its end and after the end of the one before.
    pub commit: Lsn,
    /// MySQL and MariaDB: the global one, where the server gives them out.
    pub gtid: Option<Gtid>,
}

impl TransactionId {
    /// Its server knows it by its place in the log alone.
    pub fn is_anonymous(&self) -> bool {
        self.xid == 0 && self.gtid.is_none()
    }
}

/// What the source's log says, in order.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    Begin {
        /// Its `commit` is the LSN of the commit record, or, where that is not known before the first
        /// change, another point between the end of the transaction before and its own.
        id: TransactionId,
        /// Microseconds since 1970 UTC.
        commit_time: i64,
    },
    Change(Change),
    /// These tables (indices of the layout) were emptied.
    Truncate(Vec<usize>),
    /// The log went on past this point after the commit record.
    Commit {
        end: Lsn,
    },
    /// Every transaction that committed before `end` has been delivered.
    Keepalive {
        end: Lsn,
    },
}

/// One row change of a table of the layout.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Change {
    pub table: usize,
    pub op: Op,
}

impl Change {
    /// About how many bytes it takes in memory.
    pub fn footprint(&self) -> usize {
        let cells = match &self.op {
            Op::Insert { new } => footprint(new),
            Op::Update { old, new } => old.as_deref().map_or(0, footprint) + footprint(new),
            Op::Delete { old } => footprint(old),
        };
        size_of::<Self>() + cells
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Op {
    Insert {
        new: Cells,
    },
    /// `old` is what the log carries of the row before: all of it, its key with the rest
    /// [`Missing`](crate::cart::image::Cell::Missing), or nothing where the key did not change.
    Update {
        old: Option<Cells>,
        new: Cells,
    },
    Delete {
        old: Cells,
    },
}

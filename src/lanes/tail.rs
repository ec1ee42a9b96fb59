//! The tail: transactions that were delivered, and that no snapshot is known to see yet.
//!
//! A commit is in the log before it is visible to a new snapshot; while a synchronous standby is
//! missing, for as long as it likes. A change let go because a later read would see it may only be
//! forgotten once a snapshot has seen it, so what is confirmed to the source does not pass the tail
//! (protocol rule 16).

use std::collections::VecDeque;

use crate::source::change::Lsn;
use crate::source::snapshot::Snapshot;

#[derive(Debug, Default)]
pub struct Tail {
    transactions: VecDeque<(u32, Lsn)>,
}

impl Tail {
    /// A transaction was delivered, with the LSN of its commit record.
    pub fn push(&mut self, xid: u32, commit: Lsn) {
        self.transactions.push_back((xid, commit));
    }

    /// A snapshot was taken; what it sees leaves.
    pub fn seen_by(&mut self, snapshot: &Snapshot) {
        self.transactions.retain(|(xid, _)| !snapshot.sees(*xid));
    }

    pub fn is_empty(&self) -> bool {
        self.transactions.is_empty()
    }

    pub fn xids(&self) -> Vec<u32> {
        self.transactions.iter().map(|(xid, _)| *xid).collect()
    }

    /// Nothing from here on may be confirmed.
    pub fn oldest(&self) -> Option<Lsn> {
        self.transactions.front().map(|(_, commit)| *commit)
    }
}

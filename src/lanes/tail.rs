//! The tail: transactions that were delivered, and that no snapshot is known to see yet.
//!
//! A commit is in the log before it is visible to a new snapshot; while a synchronous standby is
//! missing, for as long as it likes. A change let go because a later read would see it may only be
//! forgotten once a snapshot has seen it, so what is confirmed to the source does not pass the tail
//! (protocol rule 16).

use std::collections::VecDeque;

use crate::source::change::TransactionId;
use crate::source::snapshot::Snapshot;

#[derive(Debug, Default)]
pub struct Tail {
    transactions: VecDeque<TransactionId>,
}

impl Tail {
    /// A transaction was delivered.
    pub fn push(&mut self, transaction: TransactionId) {
        self.transactions.push_back(transaction);
    }

    /// A snapshot was taken; what it sees leaves.
    pub fn seen_by(&mut self, snapshot: &Snapshot) {
        self.transactions.retain(|id| !snapshot.sees(id));
    }

    pub fn ids(&self) -> Vec<TransactionId> {
        self.transactions.iter().copied().collect()
    }

    /// Nothing from its commit on may be confirmed.
    pub fn oldest(&self) -> Option<TransactionId> {
        self.transactions.front().copied()
    }
}

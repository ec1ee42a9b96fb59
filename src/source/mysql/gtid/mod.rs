//! Global transaction ids. MariaDB's and MySQL's are different things, so they are different types:
//! neither is ever read, compared or stored as the other.

pub mod mariadb;
pub mod uuid;

use std::cmp::Ordering;
use std::fmt;

/// The id of one transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Gtid {
    MariaDb(mariadb::Gtid),
    /// The tag, where there is one, is kept with the set; a transaction is told by its number.
    MySql(uuid::Gtid),
}

/// Transactions that a server has, or that a reader has passed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GtidSet {
    MariaDb(mariadb::Position),
    MySql(uuid::Set),
}

/// The text is no set of transaction ids of that kind of server.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the server's list of transaction ids cannot be read: {0}")]
pub struct NotASet(String);

impl GtidSet {
    /// Whether all that `other` has is here too; sets of different kinds have nothing in common.
    pub fn holds(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::MariaDb(all), Self::MariaDb(some)) => some.is_subset(all),
            (Self::MySql(all), Self::MySql(some)) => some.is_subset(all),
            _ => false,
        }
    }

    pub fn contains(&self, gtid: &Gtid) -> bool {
        match (self, gtid) {
            (Self::MariaDb(set), Gtid::MariaDb(gtid)) => set.contains(gtid),
            (Self::MySql(set), Gtid::MySql(gtid)) => set.contains(gtid),
            _ => false,
        }
    }

    /// Takes a transaction in; one of the other kind is none that could be here.
    pub fn add(&mut self, gtid: Gtid) {
        match (self, gtid) {
            (Self::MariaDb(set), Gtid::MariaDb(gtid)) => set.add(gtid),
            (Self::MySql(set), Gtid::MySql(gtid)) => set.add(gtid),
            _ => {}
        }
    }

    pub fn is_empty(&self) -> bool {
        match self {
            Self::MariaDb(set) => set.is_empty(),
            Self::MySql(set) => set.is_empty(),
        }
    }
}

/// Sets are ordered where one holds the other.
fn by_inclusion(in_other: bool, holds_other: bool) -> Option<Ordering> {
    match (in_other, holds_other) {
        (true, true) => Some(Ordering::Equal),
        (true, false) => Some(Ordering::Less),
        (false, true) => Some(Ordering::Greater),
        (false, false) => None,
    }
}

impl fmt::Display for GtidSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MariaDb(set) => set.fmt(f),
            Self::MySql(set) => set.fmt(f),
        }
    }
}

impl fmt::Display for Gtid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MariaDb(gtid) => gtid.fmt(f),
            Self::MySql(gtid) => gtid.fmt(f),
        }
    }
}

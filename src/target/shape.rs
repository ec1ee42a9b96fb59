//! How a target row is written, whatever the words of its server are: what is set, what must be as it
//! was, and which rows can go together.

use std::sync::Arc;

use super::closed;
use crate::cart::image::Cell;
use crate::mapping::difference::{RowOp, RowWrite};
use crate::mapping::plan::{Into, Lock, MappedColumn};
use crate::switch::{self, Mutant};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Delete,
    Check,
    Update,
    Insert,
}

/// How a group of rows is written.
#[derive(Clone, Debug)]
pub struct Shape {
    pub into: Arc<Into>,
    pub kind: Kind,
    /// Columns that are set.
    pub sets: Vec<usize>,
    /// Columns that must hold what we last wrote.
    pub compares: Vec<usize>,
    /// Whether the row must carry its token.
    pub token: bool,
}

impl Shape {
    /// The shape of one write.
    pub fn of(write: &RowWrite) -> Self {
        let into = &write.into;
        let writable = |i: &usize| !into.columns[*i].once;
        let (kind, sets, old) = match &write.op {
            RowOp::Insert { new } => {
                let known = (0..new.len())
                    .filter(|&i| new[i] != Cell::Missing)
                    .collect();
                (Kind::Insert, known, None)
            }
            RowOp::Update { old, changed, .. } => (Kind::Update, changed.clone(), Some(old)),
            RowOp::Delete { old } => (Kind::Delete, Vec::new(), Some(old)),
            RowOp::Check { old } => (Kind::Check, Vec::new(), Some(old)),
        };
        let closed = closed::guards(into);
        let compares = match old {
            None => Vec::new(),
            Some(_) if kind == Kind::Delete && switch::mutant(Mutant::DeleteAnyway) => Vec::new(),
            Some(old) => (0..old.len())
                .filter(writable)
                .filter(|&i| old[i] != Cell::Missing)
                .filter(|&i| {
                    locks(into, &into.columns[i])
                        || closed.is_some_and(|c| c.columns.contains(&into.columns[i].name))
                })
                .collect(),
        };
        Self {
            into: into.clone(),
            kind,
            sets,
            compares,
            token: kind != Kind::Insert && has_token(&into.lock),
        }
    }

    /// Whether another write can go in the same statement.
    pub fn same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.into, &other.into)
            && self.kind == other.kind
            && self.sets == other.sets
            && self.compares == other.compares
    }
}

/// Whether the lock compares this column: a lock that the mapping sets does not move with each
/// write, so it is compared together with the row (protocol rule 20).
fn locks(into: &Into, column: &MappedColumn) -> bool {
    match &into.lock {
        Lock::Mapped(name) if switch::mutant(Mutant::MappedLockAlone) => *name == column.name,
        Lock::Row if switch::mutant(Mutant::FatesUncompared) => column.expr.is_some(),
        Lock::Mapped(_) | Lock::Row => true,
        Lock::Counter(_) | Lock::Clock(_) | Lock::Xmin => false,
    }
}

/// Whether writes are guarded by a token of the row's.
pub fn has_token(lock: &Lock) -> bool {
    matches!(lock, Lock::Counter(_) | Lock::Clock(_) | Lock::Xmin)
}

/// The column that each write moves.
pub fn lock_column(into: &Into) -> Option<&str> {
    match &into.lock {
        Lock::Counter(column) | Lock::Clock(column) => Some(column),
        Lock::Mapped(_) | Lock::Xmin | Lock::Row => None,
    }
}

/// The row as it was.
pub(super) fn old_of(write: &RowWrite) -> Option<&[Cell]> {
    match &write.op {
        RowOp::Update { old, .. } | RowOp::Delete { old } | RowOp::Check { old } => Some(old),
        RowOp::Insert { .. } => None,
    }
}

/// The row as it is to be.
pub(super) fn new_of(write: &RowWrite) -> Option<&[Cell]> {
    match &write.op {
        RowOp::Insert { new } | RowOp::Update { new, .. } => Some(new),
        RowOp::Delete { .. } | RowOp::Check { .. } => None,
    }
}

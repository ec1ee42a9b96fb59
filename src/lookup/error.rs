//! A lookup could not be asked.

use crate::fault::Fault;
use crate::mapping::lookup::End;
use crate::source::{AskError, ConnectError};
use crate::target;
use crate::target::error::TargetError;

#[derive(Debug, thiserror::Error)]
pub enum LookupError {
    #[error("{}: {why}", end.name())]
    Connect { end: End, why: ConnectError },
    #[error("{}: lookup `{lookup}` cannot be asked: {why}", end.name())]
    Ask {
        end: End,
        lookup: String,
        why: AskError,
    },
    #[error("target: {0}")]
    Keys(target::error::ConnectError),
    #[error("target: a key of {table} cannot be allocated: {why}")]
    Allocate { table: String, why: TargetError },
    #[error("target: no sequence belongs to the key of {0}; cartage check says more")]
    NoSequence(String),
}

impl LookupError {
    /// An end that is away comes back; no cart is to blame for it.
    pub fn fault(&self) -> Fault {
        match self {
            Self::Connect { why, .. } => why.fault(),
            Self::Ask { why, .. } => why.fault(),
            Self::Keys(why) => why.fault(),
            Self::Allocate { why, .. } => why.fault(),
            Self::NoSequence(_) => Fault::Stop,
        }
    }
}

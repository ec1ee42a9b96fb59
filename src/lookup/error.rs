//! A lookup could not be asked.

use crate::fault::Fault;
use crate::mapping::lookup::End;
use crate::source::{AskError, ConnectError};

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
}

impl LookupError {
    /// An end that is away comes back; no cart is to blame for it.
    pub fn fault(&self) -> Fault {
        match self {
            Self::Connect { why, .. } => why.fault(),
            Self::Ask { why, .. } => why.fault(),
        }
    }
}

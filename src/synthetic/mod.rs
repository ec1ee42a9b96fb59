//! Synthetic carts: made, changed and removed in the old shop by us, to see that carts arrive and how
//! long it takes.
//!
//! Nothing else of cartage writes into the old database. A row of ours is found by the mark of its
//! cart, or by a value of a marked row, and by nothing else; and each cart is written down in the
//! target before its first row is made, so that whoever comes later can remove it.

pub mod template;
pub mod plan;
mod connect;
pub mod writer;
pub mod round;
pub mod cleanup;
pub mod worker;

use crate::source::{self, AskError};
use crate::target::error::TargetError;
use crate::verify::VerifyError;

#[derive(Debug, thiserror::Error)]
pub enum SyntheticError {
    #[error("source: {0}")]
    Connect(#[from] source::ConnectError),
    #[error("target: {0}")]
    ConnectTarget(#[from] crate::target::error::ConnectError),
    #[error("source: {0}")]
    Source(#[from] AskError),
    #[error("target: {0}")]
    Target(#[from] TargetError),
    #[error(transparent)]
    Verify(#[from] VerifyError),
    #[error("a connection was given up, for the program ends")]
    GivenUp,
    #[error("[synthetic]: {0}")]
    Plan(String),
}

impl From<tokio_postgres::Error> for SyntheticError {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Source(error.into())
    }
}

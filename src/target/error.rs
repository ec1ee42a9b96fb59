//! What goes wrong with a target, of whichever kind it is. What is said of it is the kind's own.

use tokio_postgres::error::SqlState;

use crate::fault::Fault;
use crate::mysql::value::ValueError;
use crate::{mysql, postgres};

/// There is no session.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    #[error(transparent)]
    Postgres(#[from] postgres::connect::ConnectError),
    #[error(transparent)]
    Mysql(#[from] mysql::connect::ConnectError),
}

impl ConnectError {
    /// Whether another attempt may succeed.
    pub fn fault(&self) -> Fault {
        match self {
            Self::Postgres(error) => error.fault(),
            Self::Mysql(error) => error.fault(),
        }
    }
}

/// A statement failed, or its answer cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum TargetError {
    #[error("{}", postgres::fault::describe(.0))]
    Postgres(#[from] tokio_postgres::Error),
    #[error("{}", mysql::fault::describe(.0))]
    Mysql(#[from] mysql_async::Error),
    #[error(transparent)]
    Value(#[from] ValueError),
    #[error("the target has no table {0}, or hides it from our user; the mapping writes it")]
    NoTable(String),
    #[error(
        "the target's table {table} has no column {column}, or hides it from our user; the mapping \
         writes it"
    )]
    NoColumn { table: String, column: String },
    #[error("the target answered a question about {0} with something else")]
    Answer(String),
}

/// Why the server broke a write off that may go through at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stumble {
    Deadlock,
    Serialization,
    /// It may be a lock on a whole table.
    Lock,
    /// A unique index is gone that was to guard lines; the next attempt looks for them itself.
    Index,
}

impl TargetError {
    pub fn fault(&self) -> Fault {
        match self {
            Self::Postgres(error) => postgres::fault::of(error),
            Self::Mysql(error) => mysql::fault::of(error),
            Self::Value(_) | Self::NoTable(_) | Self::NoColumn { .. } | Self::Answer(_) => {
                Fault::Stop
            }
        }
    }

    /// The server's own code for it, as people look it up.
    pub fn code(&self) -> Option<String> {
        match self {
            Self::Postgres(error) => error.code().map(|c| format!("SQLSTATE {}", c.code())),
            Self::Mysql(mysql_async::Error::Server(error)) => Some(format!("error {}", error.code)),
            _ => None,
        }
    }

    /// The server found a value that fits no type, without naming its column.
    pub fn is_of_a_value(&self) -> bool {
        match self {
            Self::Postgres(error) => error.code().is_some_and(|c| c.code().starts_with("22")),
            _ => false,
        }
    }

    pub fn stumble(&self) -> Option<Stumble> {
        match self {
            Self::Postgres(error) => match *error.code()? {
                SqlState::T_R_DEADLOCK_DETECTED => Some(Stumble::Deadlock),
                SqlState::T_R_SERIALIZATION_FAILURE => Some(Stumble::Serialization),
                SqlState::LOCK_NOT_AVAILABLE => Some(Stumble::Lock),
                SqlState::INVALID_COLUMN_REFERENCE => Some(Stumble::Index),
                _ => None,
            },
            Self::Mysql(mysql_async::Error::Server(error)) => match error.code {
                1213 | 1614 | 3101 => Some(Stumble::Deadlock),
                1020 => Some(Stumble::Serialization),
                1205 | 3572 => Some(Stumble::Lock),
                _ => None,
            },
            _ => None,
        }
    }
}

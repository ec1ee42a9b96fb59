//! What goes wrong with a source, of whichever kind it is. What is said of it is the kind's own.

use super::{mysql, postgres};
use crate::fault::Fault;
use crate::postgres::fault;

/// There is no session.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    #[error(transparent)]
    Postgres(#[from] crate::postgres::connect::ConnectError),
    #[error(transparent)]
    Mysql(#[from] crate::mysql::connect::ConnectError),
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

/// A question has no answer, or none that can be read.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    #[error("{}", fault::describe(.0))]
    Postgres(#[from] tokio_postgres::Error),
    #[error("{}", crate::mysql::fault::describe(.0))]
    Mysql(#[from] mysql_async::Error),
    #[error(transparent)]
    Value(#[from] crate::mysql::value::ValueError),
    #[error("the source has no table {0}, or hides it from our user; the mapping reads it")]
    NoTable(String),
    #[error("the source's table {table} has no column {column}; the mapping reads it")]
    NoColumn { table: String, column: String },
    #[error(
        "the source writes no binary log; start the server with `log_bin` and \
         `binlog_format = ROW`"
    )]
    NoLog,
    #[error(transparent)]
    Log(Box<mysql::identity::IdentityError>),
    #[error("the server sent a row that is not in COPY's text format")]
    Format,
    #[error("the source answered a question about its log with something else")]
    Answer,
}

impl AskError {
    pub(super) fn of_mysql(error: mysql::identity::IdentityError) -> Self {
        match error {
            mysql::identity::IdentityError::Session(error) => Self::Mysql(error),
            mysql::identity::IdentityError::NoLog => Self::NoLog,
            error => Self::Log(Box::new(error)),
        }
    }

    /// No cart is to blame for it.
    pub fn fault(&self) -> Fault {
        match self {
            Self::Postgres(error) => fault::of(error).without_row(),
            Self::Mysql(error) => crate::mysql::fault::of(error).without_row(),
            _ => Fault::Stop,
        }
    }
}

/// The log is not known to be the one that the checkpoint speaks of.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    #[error(transparent)]
    Postgres(#[from] postgres::identity::IdentityError),
    #[error("the source could not be asked for its identity: {0}")]
    Ask(#[from] AskError),
    #[error(transparent)]
    Mysql(#[from] mysql::identity::IdentityError),
    #[error("the pipeline {0} does not know its source yet; run: cartage setup")]
    NotSetUp(String),
}

/// What has to be remembered of a source that may not be read on, for the time when it may again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lack {
    Nothing,
    /// Changes pass without a word in the log, and it will not be seen afterwards: the state as it is
    /// now says so.
    State,
    /// Rows may move without a word of where they were: all carts have to be read again.
    Rows,
}

impl IdentityError {
    /// Whether asking again may give another answer.
    pub fn fault(&self) -> Fault {
        match self {
            Self::Postgres(error) => error.fault(),
            Self::Ask(error) => error.fault(),
            Self::Mysql(error) => error.fault(),
            Self::NotSetUp(_) => Fault::Stop,
        }
    }

    pub fn lack(&self) -> Lack {
        match self {
            Self::Postgres(error) => error.lack(),
            Self::Mysql(mysql::identity::IdentityError::LeftOut { .. }) => Lack::Rows,
            _ => Lack::Nothing,
        }
    }

    /// A table that the mapping reads is not there.
    pub fn is_missing_table(&self) -> bool {
        match self {
            Self::Postgres(error) => {
                matches!(error, postgres::identity::IdentityError::TableMissing(_))
            }
            _ => false,
        }
    }
}

/// The log cannot be read on.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    #[error(transparent)]
    Postgres(#[from] postgres::SourceError),
    #[error(transparent)]
    Mysql(#[from] mysql::SourceError),
}

impl SourceError {
    pub fn fault(&self) -> Fault {
        match self {
            Self::Postgres(error) => error.fault(),
            Self::Mysql(error) => error.fault(),
        }
    }

    /// Where the log has a table otherwise.
    pub fn place(&self) -> Option<String> {
        match self {
            Self::Postgres(
                postgres::SourceError::Schema { at, .. }
                | postgres::SourceError::Renamed { at, .. },
            ) => Some(at.to_string()),
            Self::Mysql(
                mysql::SourceError::Schema { at, .. } | mysql::SourceError::Moved { at, .. },
            ) => Some(at.clone()),
            _ => None,
        }
    }

    /// The log has a table otherwise than the mapping was compiled for.
    pub fn is_schema(&self) -> bool {
        match self {
            Self::Postgres(error) => matches!(
                error,
                postgres::SourceError::Schema { .. } | postgres::SourceError::Renamed { .. }
            ),
            Self::Mysql(error) => matches!(
                error,
                mysql::SourceError::Schema { .. } | mysql::SourceError::Moved { .. }
            ),
        }
    }
}

//! Why the daemon ends or begins anew: one table from error to what is done about it.

use tokio::task::JoinError;

use super::mends::Misfit;
use crate::diagnostic::Diagnostics;
use crate::fault::Fault;
use crate::lanes::lane::LaneError;
use crate::lanes::reader::ReaderError;
use crate::refresh::refresher::RefreshError;
use crate::source::{self, AskError, IdentityError, SourceError};
use crate::target::control::migrate::Stale;
use crate::target::error::{ConnectError, TargetError};
use crate::target::ledger::LedgerError;
use crate::target::writer::WriteError;

#[derive(Debug, thiserror::Error)]
pub enum DaemonError {
    #[error("source: {0}")]
    ConnectSource(source::ConnectError),
    #[error("target: {0}")]
    ConnectTarget(ConnectError),
    #[error("source: {0}")]
    Source(AskError),
    #[error("target: {0}")]
    Target(TargetError),
    #[error("{}", .0.render(false))]
    Mapping(Box<Diagnostics>),
    #[error(
        "the schemas have changed, and the mapping in force does not fit them any more; put back \
         what changed, or change the mapping, then start again:\n{0}"
    )]
    SchemaChanged(Box<Misfit>),
    #[error("a table has other columns or types than when the mapping was compiled")]
    SchemaMoved,
    #[error("the pipeline {0} is not set up in the target; run: cartage setup")]
    NotSetUp(String),
    #[error(transparent)]
    Stale(Stale),
    #[error("the pipeline was taken over by another daemon; this one has stopped")]
    Overtaken,
    #[error("there is no key for keyed_id and uuid_v5: give [ids] secret, or run: cartage setup")]
    NoSecret,
    #[error(
        "the key of keyed_id and uuid_v5 is not the one that made the ids in the target: all ids \
         would change; {}, or begin anew: cartage teardown, empty the target tables, cartage setup",
        match configured {
            true => "give [ids] secret its former value (without [ids], if setup had made the key)",
            false => "give [ids] secret again, with its former value",
        }
    )]
    OtherSecret {
        /// There is an `[ids] secret` in the configuration.
        configured: bool,
    },
    #[error(transparent)]
    Identity(#[from] IdentityError),
    #[error(transparent)]
    Log(#[from] SourceError),
    #[error(transparent)]
    Lane(#[from] LaneError),
    #[error(transparent)]
    Reader(#[from] ReaderError),
    #[error(transparent)]
    Refresh(#[from] RefreshError),
    #[error("mapping {0} in cartage.mapping, to which ledger rows refer, cannot be compiled: {1}")]
    FormerMapping(i32, String),
    #[error("a task of the daemon broke: {0}")]
    Broken(String),
    #[error("the daemon's tasks ended without a reason")]
    Ended,
}

impl DaemonError {
    /// What is to be done: begin anew after a pause, or stop.
    pub fn fault(&self) -> Fault {
        match self {
            Self::ConnectSource(error) => error.fault(),
            Self::ConnectTarget(error) => error.fault(),
            Self::Source(error) => error.fault(),
            Self::Target(error) => of_database(error),
            Self::Identity(error) => error.fault(),
            Self::SchemaMoved => Fault::Retry,
            Self::Log(error) => error.fault(),
            Self::Lane(LaneError::Write(error)) => of_write(error),
            Self::Lane(LaneError::Lookup(error)) => error.fault(),
            Self::Lane(LaneError::Abandoned | LaneError::TargetChanged(_)) => Fault::Retry,
            Self::Reader(error) => match error {
                ReaderError::Source(error) => error.fault(),
                ReaderError::Control(error) => of_database(error),
                ReaderError::Owners(error) => error.cause().fault(),
                ReaderError::Identity(error) => error.fault(),
                ReaderError::SourceGone | ReaderError::Lane(_) => Fault::Retry,
                ReaderError::Scratch { .. } | ReaderError::Stopping => Fault::Stop,
            },
            Self::Refresh(error) => match error {
                RefreshError::Source(error) => error.fault(),
                RefreshError::Control(error) => of_database(error),
                RefreshError::ReaderGone => Fault::Retry,
            },
            _ => Fault::Stop,
        }
    }

    /// It stops the daemon, and a changed schema may be behind it.
    pub fn may_be_schema(&self) -> bool {
        let told = match self {
            Self::Log(error) | Self::Reader(ReaderError::Source(error)) => error.is_schema(),
            Self::Lane(LaneError::TargetChanged(_)) => true,
            _ => false,
        };
        let of_statement = match self {
            Self::Identity(error) => error.is_missing_table(),
            _ => matches!(
                self,
                Self::Source(_)
                    | Self::Target(_)
                    | Self::Lane(LaneError::Lookup(_) | LaneError::Write(WriteError::Database(_)))
                    | Self::Reader(ReaderError::Owners(_) | ReaderError::Control(_))
                    | Self::Refresh(RefreshError::Source(_) | RefreshError::Control(_))
            ),
        };
        told || of_statement && self.fault() == Fault::Stop
    }

    /// Where the log has a table otherwise than the mapping was compiled for.
    pub fn place(&self) -> Option<String> {
        match self {
            Self::Log(error) | Self::Reader(ReaderError::Source(error)) => error.place(),
            _ => None,
        }
    }

    /// Another daemon has taken the pipeline over.
    pub fn is_fenced_off(&self) -> bool {
        matches!(
            self,
            Self::Overtaken | Self::Lane(LaneError::Write(WriteError::FencedOff { .. }))
        )
    }

    /// It only tells that another task has ended.
    pub fn is_consequence(&self) -> bool {
        matches!(
            self,
            Self::Reader(ReaderError::Lane(_))
                | Self::Refresh(RefreshError::ReaderGone)
                | Self::Lane(LaneError::Abandoned)
        )
    }
}

/// No cart is to blame for a fault outside its own write.
fn of_database(error: &TargetError) -> Fault {
    error.fault().without_row()
}

fn of_write(error: &WriteError) -> Fault {
    match error {
        WriteError::Database(error) | WriteError::Ledger(LedgerError::Database(error)) => {
            of_database(error)
        }
        _ => Fault::Stop,
    }
}

/// What a task that ended has to say.
pub(super) fn of_task(ended: Result<Result<(), DaemonError>, JoinError>) -> Option<DaemonError> {
    match ended {
        Ok(Ok(())) => None,
        Ok(Err(error)) => Some(error),
        Err(error) if error.is_cancelled() => None,
        Err(error) => Some(DaemonError::Broken(error.to_string())),
    }
}

//! `cartage demo`: the main job, live, on throwaway databases.

use std::io;
use std::process::ExitStatus;

pub mod binaries;
pub mod cluster;
pub mod comparison;
pub mod daemon;
pub mod drift;
pub mod kind;
pub mod mysql;
pub mod probe;
pub mod report;
pub mod run;
pub mod screen;
pub mod server;
pub mod shops;
pub mod storefront;
mod options;
mod process;
mod template;
pub mod two_writers;
pub mod watch;
mod watchdog;

use crate::source::mysql::identity::IdentityError;
use crate::target::error::{ConnectError, TargetError};

/// Why the demo could not come to its end.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    #[error(transparent)]
    Cluster(#[from] cluster::ClusterError),
    #[error("a throwaway database: {0}")]
    Database(#[from] TargetError),
    #[error("a throwaway database: {0}")]
    Connect(#[from] ConnectError),
    #[error("a throwaway database: {0}")]
    Log(#[from] IdentityError),
    #[error("{what}: {source}")]
    Io {
        what: &'static str,
        source: io::Error,
    },
    #[error("`cartage {command}` ended with {status}; its log ends with:\n{log}")]
    Daemon {
        command: &'static str,
        status: ExitStatus,
        log: String,
    },
    #[error("waited in vain for {0}")]
    Deadline(&'static str),
    #[error("interrupted")]
    Interrupted,
}

impl From<tokio_postgres::Error> for DemoError {
    fn from(error: tokio_postgres::Error) -> Self {
        DemoError::Database(error.into())
    }
}

impl DemoError {
    fn io(what: &'static str, source: io::Error) -> Self {
        DemoError::Io { what, source }
    }
}

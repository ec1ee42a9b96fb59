//! The commands, and what their exit codes mean.

pub mod logging;
pub mod reload;
pub mod confirm;
pub mod ends;
pub mod keys;
pub mod init;
pub mod check;
pub mod setup;
pub mod preview;
pub mod run;
pub mod status;
pub mod verify;
pub mod synthetic;
pub mod explain;
pub mod refresh;
pub mod held;
pub mod repair;
pub mod conflicts;
pub mod checkpoint;
pub mod sequences;
pub mod teardown;
pub mod demo;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::postgres::fault;
use crate::source::AskError;
use crate::target::error::TargetError;

/// The operation failed.
pub const FAILED: u8 = 1;
/// The command line or the configuration is wrong.
pub const USAGE: u8 = 2;
/// The command worked, and what it looked at is not well.
pub const NOT_WELL: u8 = 3;
/// The daemon stopped and needs a human.
pub const NEEDS_HUMAN: u8 = 4;

/// Why a command ends without having done its work.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct CommandError {
    pub exit: u8,
    pub message: String,
}

impl CommandError {
    /// What was tried did not work; the message says what mends it.
    pub fn failed(message: impl ToString) -> Self {
        Self {
            exit: FAILED,
            message: message.to_string(),
        }
    }

    pub fn usage(message: impl ToString) -> Self {
        Self {
            exit: USAGE,
            message: message.to_string(),
        }
    }
}

impl From<tokio_postgres::Error> for CommandError {
    /// The server's own message where there is one: the driver's says only "db error".
    fn from(error: tokio_postgres::Error) -> Self {
        Self::failed(fault::describe(&error))
    }
}

impl From<TargetError> for CommandError {
    fn from(error: TargetError) -> Self {
        Self::failed(error)
    }
}

impl From<AskError> for CommandError {
    fn from(error: AskError) -> Self {
        Self::failed(error)
    }
}

/// Moves live shopping carts from an old commerce backend's database into a new one's.
#[derive(Debug, Parser)]
#[command(name = "cartage", version)]
pub struct Cli {
    /// The pipeline's configuration file.
    #[arg(
        long,
        global = true,
        env = "CARTAGE_CONFIG",
        default_value = "/etc/cartage/cartage.toml"
    )]
    pub config: PathBuf,
    /// How log lines on stderr are written.
    #[arg(long, global = true, value_enum, default_value = "text")]
    pub log_format: logging::Format,
    /// Log more; twice for everything.
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    Init(init::InitArgs),
    /// Look at both ends and say what is missing, with the statement that mends it
    Check(check::CheckArgs),
    /// Create what the pipeline needs on both ends
    Setup(setup::SetupArgs),
    Preview(preview::PreviewArgs),
    /// Move carts: backfill if needed, then follow, until SIGTERM
    #[command(after_help = "Example:\n  cartage --config /etc/cartage/shop.toml run")]
    Run,
    Status(status::StatusArgs),
    Verify(verify::VerifyArgs),
    Explain(explain::ExplainArgs),
    Refresh(refresh::RefreshArgs),
    /// Carts of our own in the old shop, to see that carts arrive and how long it takes
    #[command(subcommand)]
    Synthetic(synthetic::SyntheticCommand),
    /// The carts set aside, why, and what to do with each
    #[command(subcommand)]
    Held(held::HeldCommand),
    /// What was repaired of carts that had drifted, and undoing it
    #[command(subcommand)]
    Repair(repair::RepairCommand),
    /// What was recorded where both sides wrote a cart, and what another policy would make of it
    #[command(subcommand)]
    Conflicts(conflicts::ConflictsCommand),
    /// The saved position
    #[command(subcommand)]
    Checkpoint(checkpoint::CheckpointCommand),
    Sequences(sequences::SequencesArgs),
    /// Remove every trace of the pipeline from both ends
    Teardown(teardown::TeardownArgs),
    Demo(demo::DemoArgs),
}

/// What `main` gives back to the system.
pub fn exit(result: Result<ExitCode, CommandError>) -> ExitCode {
    result.unwrap_or_else(|error| {
        eprintln!("error: {error}");
        ExitCode::from(error.exit)
    })
}

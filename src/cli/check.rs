//! `cartage check`: one line for each requirement, with what mends it.

use std::process::ExitCode;

use super::{CommandError, NOT_WELL};
use crate::check::{self, CheckError, Report};
use crate::config::Config;
use crate::fault::Fault;
use crate::source::{self, Source};
use crate::target::error::ConnectError;
use crate::target::session::Target;

/// Connect to both ends and say of each requirement whether it holds. Changes nothing.
#[derive(Debug, Default, clap::Args)]
#[command(after_help = "Example: cartage --config magento.toml check --sql | psql")]
pub struct CheckArgs {
    /// Print only the statements that mend what failed
    #[arg(long, conflicts_with = "json")]
    pub sql: bool,
    /// Print one JSON document
    #[arg(long)]
    pub json: bool,
    /// For ExecStartPre=: print only what is not well, and leave to `run` what passes by itself, as
    /// an end that cannot be reached
    #[arg(long, conflicts_with_all = ["sql", "json"])]
    pub before_run: bool,
}

/// Why nothing could be said of an end.
struct Obstacle {
    fault: Fault,
    error: CommandError,
}

impl From<source::ConnectError> for Obstacle {
    fn from(error: source::ConnectError) -> Self {
        Self {
            fault: error.fault(),
            error: CommandError::failed(error),
        }
    }
}

impl From<ConnectError> for Obstacle {
    fn from(error: ConnectError) -> Self {
        Self {
            fault: error.fault(),
            error: CommandError::failed(error),
        }
    }
}

impl From<CheckError> for Obstacle {
    fn from(error: CheckError) -> Self {
        Self {
            fault: error.fault(),
            error: CommandError::failed(error),
        }
    }
}

pub async fn run(config: &Config, args: CheckArgs) -> Result<ExitCode, CommandError> {
    let report = match look(config).await {
        Ok(report) => report,
        // The daemon waits for it, and says so; a unit that did not start would be of less use.
        Err(obstacle) if args.before_run && obstacle.fault == Fault::Retry => {
            println!("not checked, for it passes by itself: {}", obstacle.error);
            return Ok(ExitCode::SUCCESS);
        }
        Err(obstacle) => return Err(obstacle.error),
    };
    if args.json {
        println!("{}", report.json());
    } else if args.sql {
        print!("{}", report.sql());
    } else if args.before_run {
        print!("{}", report.complaints());
    } else {
        print!("{}", report.text());
    }
    Ok(if report.is_well() {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(NOT_WELL)
    })
}

async fn look(config: &Config) -> Result<Report, Obstacle> {
    let source = Source::connect(&config.source, "check").await?;
    // A target that takes no writes now is one that the daemon would wait for.
    let target = Target::connect_to_write(&config.target, "check").await?;
    let schemas = check::schemas(config, &source, &target).await?;
    Ok(check::run(config, &source, &target, &schemas).await?)
}

//! `cartage check`: one line for each requirement, with what mends it.

use std::process::ExitCode;

use super::{CommandError, NOT_WELL};
use crate::check;
use crate::config::Config;
use crate::postgres::connect::connect;

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
}

pub async fn run(config: &Config, args: CheckArgs) -> Result<ExitCode, CommandError> {
    let source = connect(&config.source, "check")
        .await
        .map_err(CommandError::failed)?;
    let target = connect(&config.target, "check")
        .await
        .map_err(CommandError::failed)?;
    let schemas = check::schemas(config, &source, &target).await?;
    let report = check::run(config, &source, &target, &schemas).await?;
    if args.json {
        println!("{}", report.json());
    } else if args.sql {
        print!("{}", report.sql());
    } else {
        print!("{}", report.text());
    }
    Ok(if report.is_well() {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(NOT_WELL)
    })
}

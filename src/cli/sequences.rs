//! `cartage sequences`: whether the new backend's own numbers are ahead of those that came over.

use std::process::ExitCode;

use serde_json::{Value, json};

use super::{CommandError, NOT_WELL, ends};
use crate::config::Config;
use crate::sequences::{Standing, advance, look};
use crate::target::session::Target;

/// Show the sequences (on MySQL: AUTO_INCREMENT) of columns that the mapping writes, beside the source's
/// and the greatest number in the table. Moves nothing without --yes, and never back. Exits with 3 where
/// one is behind.
#[derive(Debug, Default, clap::Args)]
#[command(after_help = "Examples:\n  cartage sequences\n  cartage sequences --yes --json")]
pub struct SequencesArgs {
    /// Move those that are behind to the greatest of their own number, the source's and the table's
    #[arg(long)]
    pub yes: bool,
    /// Print one JSON document
    #[arg(long)]
    pub json: bool,
}

pub async fn run(config: &Config, args: SequencesArgs) -> Result<ExitCode, CommandError> {
    let source = ends::source(config, "sequences").await?;
    let target = match args.yes {
        true => Target::connect_to_write(&config.target, "sequences")
            .await
            .map_err(|why| CommandError::failed(format!("target: {why}")))?,
        false => ends::target(config, "sequences").await?,
    };
    let compiled = ends::compiled(config, &source, &target).await?;
    let mut all = look(&source, &target, &compiled.mapping)
        .await
        .map_err(CommandError::failed)?;
    if args.yes {
        let mut moved = Vec::new();
        for standing in all {
            moved.push(advance(&target, standing).await.map_err(|why| {
                CommandError::failed(format!("{why}; what was moved before it stays moved"))
            })?);
        }
        all = moved;
    }
    match args.json {
        true => {
            let all: Vec<Value> = all.iter().map(Standing::json).collect();
            println!("{}", json!({ "pipeline": config.name, "sequences": all }));
        }
        false if all.is_empty() => println!("The target numbers none of the mapped columns."),
        false => print!("{}", all.iter().map(Standing::text).collect::<String>()),
    }
    let behind = |s: &Standing| s.to.is_some() && !s.moved && s.refused.is_none();
    if !args.json && !args.yes && all.iter().any(behind) {
        println!("Nothing was moved; cartage sequences --yes moves them.");
    }
    Ok(match all.iter().all(Standing::is_well) {
        true => ExitCode::SUCCESS,
        false => ExitCode::from(NOT_WELL),
    })
}

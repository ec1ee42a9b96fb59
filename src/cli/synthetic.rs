//! `cartage synthetic`: one cart of our own, played now; and removing what was left over.

use std::process::ExitCode;
use std::sync::Arc;

use serde_json::json;
use tokio::sync::watch;

use super::{CommandError, NOT_WELL, ends};
use crate::config::Config;
use crate::daemon::ids::secret;
use crate::lookup::{Asker, Unallocated};
use crate::mapping::expr::IdKey;
use crate::mapping::map::Mapper;
use crate::synthetic::SyntheticError;
use crate::synthetic::cleanup::{COMMAND, DAEMON, OLD, Sweep};
use crate::synthetic::round::Round;
use crate::synthetic::writer::Writer;
use crate::target::control::mapping_row;
use crate::target::session::Target;

#[derive(Debug, clap::Subcommand)]
pub enum SyntheticCommand {
    Run(RunArgs),
    Cleanup(CleanupArgs),
}

/// Make, change and remove one marked cart in the old database, as `[synthetic]` says, and print how
/// long each took until it was in the target. The daemon must be at work. Exits with 3 if a step was
/// not seen in time, or not as it should be.
#[derive(Debug, Default, clap::Args)]
#[command(after_help = "Example:\n  cartage synthetic run --once --json | jq .create_seconds")]
pub struct RunArgs {
    /// One cart; the daemon plays them on their schedule
    #[arg(long, required = true)]
    pub once: bool,
    /// Print one JSON document
    #[arg(long)]
    pub json: bool,
}

/// Remove from the old database what a killed daemon or command has left there of marked carts.
#[derive(Debug, Default, clap::Args)]
#[command(after_help = "Example:\n  cartage synthetic cleanup")]
pub struct CleanupArgs {
    /// Print one JSON document
    #[arg(long)]
    pub json: bool,
}

impl From<SyntheticError> for CommandError {
    fn from(error: SyntheticError) -> Self {
        match error {
            SyntheticError::Plan(_) => Self::usage(error),
            error => Self::failed(error),
        }
    }
}

pub async fn run(config: &Config, command: SyntheticCommand) -> Result<ExitCode, CommandError> {
    match command {
        SyntheticCommand::Run(args) => once(config, args).await,
        SyntheticCommand::Cleanup(args) => cleanup(config, args).await,
    }
}

async fn once(config: &Config, args: RunArgs) -> Result<ExitCode, CommandError> {
    let Some(synthetic) = &config.synthetic else {
        return Err(CommandError::usage(
            "there is no [synthetic] in the configuration: nothing is written into the old database",
        ));
    };
    let source = ends::source(config, "synthetic").await?;
    let target = ends::target(config, "synthetic").await?;
    let pipeline = ends::pipeline(config, &target).await?;
    if !ends::daemon_works(&target, pipeline.id).await? {
        return Err(CommandError::failed(
            "no daemon is at work for this pipeline: nothing would arrive; run: cartage run",
        ));
    }
    let compiled = ends::compiled(config, &source, &target).await?;
    let known = mapping_row::by_hash(&target, pipeline.id, &compiled.hash).await?;
    let mapper = Mapper {
        mapping: compiled.mapping,
        id: known.map_or(0, |row| row.id),
        secret: IdKey::of(&secret(config, &pipeline).map_err(CommandError::failed)?),
    };
    let asker = Asker::connect(config, &mapper.mapping, Unallocated::Leave).await;
    let asker = Arc::new(asker.map_err(CommandError::failed)?);
    let writer = Writer::open(&config.source, &synthetic.plan).await?;
    let looker = target;
    let target = Target::connect_to_write(&config.target, "synthetic")
        .await
        .map_err(CommandError::failed)?;
    let round = Round {
        config: synthetic,
        name: &config.name,
        pipeline: pipeline.id,
        by: COMMAND,
        writer: &writer,
        target: &target,
        looks: (&source, &looker),
        mapper: &mapper,
        asker: &asker,
    };
    let (_stop, mut told) = watch::channel(false);
    let outcome = round.run(&mut told).await?;
    match args.json {
        true => println!("{}", outcome.json()),
        false => print!("{}", outcome.text()),
    }
    Ok(match outcome.is_well() {
        true => ExitCode::SUCCESS,
        false => ExitCode::from(NOT_WELL),
    })
}

async fn cleanup(config: &Config, args: CleanupArgs) -> Result<ExitCode, CommandError> {
    let target = Target::connect_to_write(&config.target, "synthetic")
        .await
        .map_err(CommandError::failed)?;
    let pipeline = ends::pipeline(config, &target).await?;
    let works = ends::daemon_works(&target, pipeline.id).await?;
    let sweep = Sweep {
        source: &config.source,
        target: &target,
        pipeline: pipeline.id,
        name: &config.name,
    };
    // What a daemon at work is playing is its own.
    let age = if works && config.synthetic.is_some() {
        OLD
    } else {
        0.0
    };
    let removed = sweep.run(DAEMON, age).await? + sweep.run(COMMAND, 0.0).await?;
    let left = sweep.count().await?;
    match args.json {
        true => println!("{}", json!({ "removed": removed, "left": left })),
        false => {
            println!("{removed} synthetic carts were removed from the old database.");
            if left > 0 {
                println!(
                    "{left} may still be on their way, or are being played; look again in two \
                     minutes."
                );
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

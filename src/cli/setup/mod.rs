//! `cartage setup`: what the pipeline needs on both ends, as far as it is missing.

mod postgres;
mod mysql;

use std::process::ExitCode;
use std::sync::Arc;

use tokio_postgres::Client;

use super::CommandError;
use super::confirm::confirm;
use crate::cart::layout::Layout;
use crate::config::Config;
use crate::source::Source;
use crate::source::change::Lsn;
use crate::source::identity::Lineage;
use crate::source::outline::outline;
use crate::switch::{self, Place};
use crate::target::control::migrate::migrate;
use crate::target::control::pipeline::{self, IdsSecret, NewPipeline, PipelineRow};
use crate::target::session::Target;

/// Create the publication and the replication slot on the source and the control tables in the
/// target. What is there already stays.
#[derive(Debug, Default, clap::Args)]
#[command(after_help = "Example: cartage --config magento.toml setup --yes")]
pub struct SetupArgs {
    /// Do not ask
    #[arg(long)]
    pub yes: bool,
}

/// What is to be done, by the kind of the source.
enum Plan {
    Postgres(Arc<Client>, Box<postgres::Plan>),
    Mysql(Box<mysql::Plan>),
}

pub async fn run(config: &Config, args: SetupArgs) -> Result<ExitCode, CommandError> {
    let source = Source::connect(&config.source, "setup")
        .await
        .map_err(CommandError::failed)?;
    let target = Target::connect_to_write(&config.target, "setup")
        .await
        .map_err(CommandError::failed)?;
    let layout = cart_tables(config, &source).await?;
    let plan = match &source {
        Source::Postgres(client) => {
            let plan = postgres::plan(config, client, &target, &layout).await?;
            Plan::Postgres(client.clone(), Box::new(plan))
        }
        Source::Mysql(session) => Plan::Mysql(Box::new(
            mysql::plan(config, session, &target, &layout).await?,
        )),
    };
    let steps = match &plan {
        Plan::Postgres(_, plan) => &plan.steps,
        Plan::Mysql(plan) => &plan.steps,
    };

    let heading = format!("Setting up the pipeline {}:", config.name);
    if steps.is_empty() {
        // Even then a later version may bring migrations, which ask nothing of the operator.
        migrate(&config.target)
            .await
            .map_err(CommandError::failed)?;
        println!("The pipeline {} is set up; nothing to do.", config.name);
        return Ok(ExitCode::SUCCESS);
    }
    if !confirm(&heading, steps, args.yes)? {
        return Err(CommandError::failed("nothing was done"));
    }
    match plan {
        Plan::Postgres(client, plan) => {
            postgres::carry_out(config, *plan, &client, &target, &layout).await?;
        }
        Plan::Mysql(plan) => mysql::carry_out(config, *plan, &target).await?,
    }
    println!("Done. Start the daemon with: cartage run");
    Ok(ExitCode::SUCCESS)
}

async fn cart_tables(config: &Config, source: &Source) -> Result<Layout, CommandError> {
    let catalog = source.catalog(&config.source_tables()).await?;
    let outline = outline(config, &catalog);
    if outline.problems.is_empty() {
        Ok(outline.layout)
    } else {
        Err(CommandError::usage(outline.problems.join("\n")))
    }
}

/// The pipeline's row, if there is one, and the steps that lead to it.
async fn registration(
    config: &Config,
    target: &Target,
) -> Result<(Option<PipelineRow>, Vec<String>), CommandError> {
    let mut steps = Vec::new();
    let row = match pipeline::installed(target).await? {
        true => pipeline::load(target, &config.name).await?,
        false => {
            let what = match target {
                Target::Postgres(_) => "the schema cartage with the control tables",
                Target::Mysql(_) => "the control tables, whose names begin with cartage_",
            };
            steps.push(format!("target: create {what}"));
            None
        }
    };
    if row.is_none() {
        let ids = match config.ids_secret {
            Some(_) => "",
            None => ", with a new secret for its ids",
        };
        steps.push(format!(
            "target: register the pipeline {}{ids}",
            config.name
        ));
    }
    Ok((row, steps))
}

/// Makes the pipeline's row; `slot` and `publication` are what the source keeps for it, if it does.
async fn register(
    config: &Config,
    target: &Target,
    lineage: &Lineage,
    slot: Option<&str>,
    publication: Option<&str>,
) -> Result<PipelineRow, CommandError> {
    let secret = match config.ids_secret {
        Some(_) => None,
        None => Some(IdsSecret::generate().map_err(CommandError::failed)?),
    };
    let new = NewPipeline {
        name: &config.name,
        lineage,
        slot,
        publication,
        ids_secret: secret.as_ref(),
    };
    pipeline::create(target, &new).await?;
    pipeline::load(target, &config.name)
        .await?
        .ok_or_else(|| CommandError::failed("the pipeline was removed while it was set up"))
}

/// Goes on from `at`, with every cart read again.
async fn start_over(
    target: &Target,
    pipeline: i32,
    at: Lsn,
    lineage: &Lineage,
    state: Option<&serde_json::Value>,
) -> Result<(), CommandError> {
    pipeline::restart_at(target, pipeline, at, lineage, state).await?;
    switch::place(Place::StartedOver);
    Ok(())
}

//! `cartage explain`: all that is known of a cart, and why it is as it is in the target.

use std::process::ExitCode;

use serde_json::json;

use super::{CommandError, FAILED, NOT_WELL, ends, keys};
use crate::config::Config;
use crate::daemon::ids::secret;
use crate::explain::{Explained, Verdict, away, read};
use crate::lookup::{Asker, Unallocated};
use crate::mapping::compile::bare_layout;
use crate::mapping::expr::IdKey;
use crate::mapping::map::Mapper;
use crate::source::Source;
use crate::target::control::mapping_row;
use crate::target::control::pipeline::PipelineRow;
use crate::target::session::Target;
use crate::verify::Verifier;
use crate::verify::beyond::{Plan, PlanError};

/// Say in words why a cart is as it is in the target, and what mends it: its rows on both ends with
/// their lock tokens, what the ledger knows of it, how far the log has come, conflicts, holds, the last
/// verification. Writes nothing. Prints shop data. Where an end is away, what the other one knows is
/// told. Exits with 0 where all is well or on its way, with 3 where it is not, with 1 where an end is
/// away.
#[derive(Debug, Default, clap::Args)]
#[command(after_help = "Examples:\n  cartage explain 4711\n  \
                  cartage explain 4711 4712 --json | jq '.carts[].conclusion'")]
pub struct ExplainArgs {
    /// Carts by the old shop's key; a key of several columns is joined by |
    #[arg(value_name = "CART", required = true)]
    pub carts: Vec<String>,
    /// Print one JSON document
    #[arg(long)]
    pub json: bool,
}

pub async fn run(config: &Config, args: ExplainArgs) -> Result<ExitCode, CommandError> {
    let source = Source::connect(&config.source, "explain").await;
    let source = source.map_err(|why| why.to_string());
    let explained = match Target::connect(&config.target, "explain").await {
        Err(why) => without_target(config, source, &args.carts, &why.to_string()).await?,
        Ok(target) => {
            let pipeline = ends::pipeline(config, &target).await?;
            match source {
                Ok(source) => both(config, &source, &target, &pipeline, &args.carts).await?,
                Err(why) => without_source(config, &target, &pipeline, &args.carts, &why).await?,
            }
        }
    };
    if args.json {
        let carts: Vec<_> = explained.iter().map(|cart| &cart.document).collect();
        println!("{}", json!({ "carts": carts }));
    } else {
        let texts: Vec<String> = explained.iter().map(Explained::text).collect();
        print!("{}", texts.join("\n"));
    }
    let is = |verdict| {
        explained
            .iter()
            .any(|cart| cart.conclusion.verdict == verdict)
    };
    Ok(match (is(Verdict::NotKnown), is(Verdict::NotWell)) {
        (true, _) => ExitCode::from(FAILED),
        (false, true) => ExitCode::from(NOT_WELL),
        (false, false) => ExitCode::SUCCESS,
    })
}

async fn both(
    config: &Config,
    source: &Source,
    target: &Target,
    pipeline: &PipelineRow,
    typed: &[String],
) -> Result<Vec<Explained>, CommandError> {
    let compiled = ends::compiled(config, source, target).await?;
    let known = mapping_row::by_hash(target, pipeline.id, &compiled.hash).await?;
    let mapper = Mapper {
        mapping: compiled.mapping,
        // No row of the ledger is of mapping 0.
        id: known.map_or(0, |row| row.id),
        secret: key_of_ids(config, pipeline)?,
    };
    let beyond = Plan::of(config, &mapper.mapping, target).await;
    let beyond = beyond.map_err(|why| match why {
        PlanError::Refused(_) => CommandError::usage(why.to_string()),
        PlanError::Target(_) => CommandError::failed(why),
    })?;
    let asker = Asker::connect(config, &mapper.mapping, Unallocated::Leave).await;
    let asker = asker.map_err(CommandError::failed)?;
    let carts = keys::carts(source, &mapper.mapping, typed).await?;
    let verifier = Verifier {
        asker: &asker,
        source,
        target,
        pipeline: pipeline.id,
        mapper: &mapper,
        beyond: &beyond,
        alone: tokio::sync::Mutex::default(),
        limit: usize::MAX,
    };
    let mut explained = Vec::with_capacity(carts.len());
    for cart in &carts {
        let one = read::explain(config, &verifier, pipeline, cart).await;
        explained.extend(one.map_err(CommandError::failed)?);
    }
    Ok(explained)
}

async fn without_source(
    config: &Config,
    target: &Target,
    pipeline: &PipelineRow,
    typed: &[String],
    why: &str,
) -> Result<Vec<Explained>, CommandError> {
    let Some(mapping) = away::mapping_in_force(target, pipeline).await? else {
        return Err(CommandError::failed(format!("source: {why}")));
    };
    let secret = key_of_ids(config, pipeline)?;
    let mut explained = Vec::with_capacity(typed.len());
    for cart in &keys::as_typed(&mapping.layout, typed)? {
        let one = away::without_source(target, pipeline, &secret, cart, why).await;
        explained.push(one.map_err(CommandError::failed)?);
    }
    Ok(explained)
}

async fn without_target(
    config: &Config,
    source: Result<Source, String>,
    typed: &[String],
    why: &str,
) -> Result<Vec<Explained>, CommandError> {
    let nothing = || CommandError::failed(format!("target: {why}"));
    let source = match source {
        Ok(source) => source,
        Err(other) => {
            let both = format!("target: {why}; source: {other}");
            return Err(CommandError::failed(both));
        }
    };
    let catalog = source.catalog(&config.source_schema()).await?;
    let layout = bare_layout(config, &catalog).ok_or_else(nothing)?;
    let mut explained = Vec::with_capacity(typed.len());
    for cart in &keys::in_layout(&source, &layout, typed).await? {
        let one = away::without_target(&source, &layout, &config.name, cart, why).await;
        explained.push(one?);
    }
    Ok(explained)
}

fn key_of_ids(config: &Config, pipeline: &PipelineRow) -> Result<IdKey, CommandError> {
    let secret = secret(config, pipeline).map_err(CommandError::failed)?;
    Ok(IdKey::of(&secret))
}

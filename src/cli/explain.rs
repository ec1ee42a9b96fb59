//! `cartage explain`: all that is known of a cart, and why it is as it is in the target.

use std::process::ExitCode;

use serde_json::{Value, json};

use super::{CommandError, NOT_WELL, ends, keys};
use crate::config::Config;
use crate::daemon::ids::secret;
use crate::explain::read;
use crate::lookup::{Asker, Unallocated};
use crate::mapping::expr::IdKey;
use crate::mapping::map::Mapper;
use crate::target::control::mapping_row;
use crate::verify::Verifier;
use crate::verify::beyond::{Plan, PlanError};

/// Say in words why a cart is as it is in the target: its rows on both ends with their lock tokens, what
/// the ledger knows of it, how far the log has come, conflicts, holds, the last verification. Writes
/// nothing. Prints shop data. Exits with 0 where all is well or on its way, with 3 where it is not.
#[derive(Debug, Default, clap::Args)]
#[command(after_help = "Examples:\n  cartage explain 4711\n  \
                  cartage explain 4711 4712 --json | jq '.carts[].conclusion'")]
pub struct ExplainArgs {
    /// Carts by key; a key of several columns is joined by |
    #[arg(value_name = "CART", required = true)]
    pub carts: Vec<String>,
    /// Print one JSON document
    #[arg(long)]
    pub json: bool,
}

pub async fn run(config: &Config, args: ExplainArgs) -> Result<ExitCode, CommandError> {
    let source = ends::source(config, "explain").await?;
    let target = ends::target(config, "explain").await?;
    let pipeline = ends::pipeline(config, &target).await?;
    let compiled = ends::compiled(config, &source, &target).await?;
    let known = mapping_row::by_hash(&target, pipeline.id, &compiled.hash).await?;
    let mapper = Mapper {
        mapping: compiled.mapping,
        // No row of the ledger is of mapping 0.
        id: known.map_or(0, |row| row.id),
        secret: IdKey::of(&secret(config, &pipeline).map_err(CommandError::failed)?),
    };
    let beyond = Plan::of(config, &mapper.mapping, &target).await;
    let beyond = beyond.map_err(|why| match why {
        PlanError::Refused(_) => CommandError::usage(why.to_string()),
        PlanError::Target(_) => CommandError::failed(why),
    })?;
    let asker = Asker::connect(config, &mapper.mapping, Unallocated::Leave).await;
    let asker = asker.map_err(CommandError::failed)?;
    let carts = keys::carts(&source, &mapper.mapping, &args.carts).await?;
    let verifier = Verifier {
        asker: &asker,
        source: &source,
        target: &target,
        pipeline: pipeline.id,
        mapper: &mapper,
        beyond: &beyond,
        alone: tokio::sync::Mutex::default(),
        limit: usize::MAX,
    };
    let mut documents: Vec<Value> = Vec::new();
    let mut well = true;
    for (at, cart) in carts.iter().enumerate() {
        let explained = read::explain(config, &verifier, &pipeline, cart).await;
        let Some(explained) = explained.map_err(CommandError::failed)? else {
            continue;
        };
        well &= explained.conclusion.is_well();
        if args.json {
            documents.push(explained.document);
            continue;
        }
        if at > 0 {
            println!();
        }
        print!("{}", explained.text());
    }
    if args.json {
        println!("{}", json!({ "carts": documents }));
    }
    Ok(match well {
        true => ExitCode::SUCCESS,
        false => ExitCode::from(NOT_WELL),
    })
}

//! `cartage verify`: whether every cart is in the target as it should be.

use std::process::ExitCode;

use indicatif::{HumanCount, ProgressBar, ProgressDrawTarget};

use super::{CommandError, NOT_WELL, ends, keys};
use crate::config::Config;
use crate::daemon::ids::secret;
use crate::lookup::{Asker, Unallocated};
use crate::mapping::expr::IdKey;
use crate::mapping::map::Mapper;
use crate::target::control::mapping_row;
use crate::verify::Verifier;

/// Compare source carts, mapped, with target carts, column by column. What differs is looked at
/// again once the log has passed. Writes nothing. Exits with 3 on a difference or a held cart.
#[derive(Debug, Default, clap::Args)]
#[command(after_help = "Examples:\n  cartage verify\n  cartage verify --carts 4711 4712 --json")]
pub struct VerifyArgs {
    /// Compare only these carts, by key
    #[arg(long, value_name = "CART", num_args = 1..)]
    pub carts: Vec<String>,
    /// Compare only so many carts, chosen at random (not built yet)
    #[arg(long, value_name = "N", conflicts_with = "carts")]
    pub sample: Option<u64>,
    /// Have the carts that differ read again (not built yet)
    #[arg(long)]
    pub repair: bool,
    /// Show at most so many differences; all are counted
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub limit: usize,
    /// Print one JSON document
    #[arg(long)]
    pub json: bool,
}

pub async fn run(config: &Config, args: VerifyArgs) -> Result<ExitCode, CommandError> {
    if args.sample.is_some() {
        return Err(CommandError::usage(
            "--sample is not built yet; name carts with --carts, or compare all",
        ));
    }
    if args.repair {
        return Err(CommandError::usage(
            "--repair is not built yet; run: cartage refresh with the carts that differ",
        ));
    }
    let source = ends::source(config, "verify").await?;
    let target = ends::target(config, "verify").await?;
    let pipeline = ends::pipeline(config, &target).await?;
    let compiled = ends::compiled(config, &source, &target).await?;
    let known = mapping_row::by_hash(&target, pipeline.id, &compiled.hash).await?;
    let id = known.map(|row| row.id);
    if id.is_none() || id != pipeline.mapping {
        eprintln!(
            "note: the mapping in {} is not the one that the daemon applied last; carts that were \
             mapped otherwise count as pending",
            config.path.display()
        );
    }
    let mapper = Mapper {
        mapping: compiled.mapping,
        // No row of the ledger is of mapping 0.
        id: id.unwrap_or(0),
        secret: IdKey::of(&secret(config, &pipeline).map_err(CommandError::failed)?),
    };
    let carts = match args.carts.is_empty() {
        true => None,
        false => Some(keys::carts(&source, &mapper.mapping, &args.carts).await?),
    };
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    let asker = Asker::connect(config, &mapper.mapping, Unallocated::Leave).await;
    let asker = asker.map_err(CommandError::failed)?;
    let verifier = Verifier {
        asker: &asker,
        source: &source,
        target: &target,
        pipeline: pipeline.id,
        mapper: &mapper,
        limit: args.limit,
    };
    let report = verifier
        .run(carts.as_deref(), &|done| {
            bar.set_message(format!("{} carts", HumanCount(done)));
            bar.tick();
        })
        .await
        .map_err(CommandError::failed)?;
    bar.finish_and_clear();
    match args.json {
        true => println!("{}", report.json()),
        false => print!("{}", report.text()),
    }
    Ok(match report.is_well() {
        true => ExitCode::SUCCESS,
        false => ExitCode::from(NOT_WELL),
    })
}

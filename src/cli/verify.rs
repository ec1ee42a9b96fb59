//! `cartage verify`: whether every cart is in the target as it should be.

use std::process::ExitCode;
use std::sync::Mutex;

use chrono::Utc;
use indicatif::{ProgressBar, ProgressDrawTarget};
use serde_json::Value;
use tokio::sync::watch;

use super::repair::asked;
use super::{CommandError, NOT_WELL, ends, keys};
use crate::config::{Config, Rates};
use crate::daemon::ids::secret;
use crate::lookup::{Asker, Unallocated};
use crate::mapping::expr::IdKey;
use crate::mapping::map::Mapper;
use crate::mapping::plan::Mapping;
use crate::refresh::throttle::Of;
use crate::repair;
use crate::source::Source;
use crate::target::control::mapping_row;
use crate::target::session::Target;
use crate::verify::beyond::{Plan, PlanError};
use crate::verify::order::{By, Order, Scope};
use crate::verify::pace::Pace;
use crate::verify::progress::Progress;
use crate::verify::{self, Report, Verifier};

/// Compare source carts, mapped, with target carts, column by column, on the moving system. What
/// differs is looked at again once the log has passed. Looks for tokens, totals, lines and carts that
/// nobody mapped, too (`[reconcile]`). Writes nothing but its own notes. Exits with 3 on a difference,
/// a held cart or a wrong total.
#[derive(Debug, Default, clap::Args)]
#[command(
    after_help = "Examples:\n  cartage verify\n  cartage verify --resume\n  \
                  cartage verify --carts 4711 4712 --json\n  cartage verify --sample 5000\n  \
                  cartage verify --since 2h\n  cartage verify --repair\n  cartage verify --repair --yes"
)]
pub struct VerifyArgs {
    /// Compare only these carts, by key
    #[arg(long, value_name = "CART", num_args = 1..)]
    pub carts: Vec<String>,
    /// Compare only so many live carts, chosen at random over keys and time of change (1000 without a
    /// number, 100000 at most)
    #[arg(
        long, value_name = "N", num_args = 0..=1, default_missing_value = "1000",
        value_parser = clap::value_parser!(u64).range(1..=100_000), conflicts_with = "carts"
    )]
    pub sample: Option<u64>,
    /// Compare only carts that have changed since: how long ago (90m, 2h, 7d), or a time
    /// (2026-11-29T06:00:00Z; without a zone it is UTC)
    #[arg(long, value_name = "DURATION|TIME", conflicts_with_all = ["carts", "sample"])]
    pub since: Option<String>,
    /// Go on with the last verification that was cut short
    #[arg(long, conflicts_with_all = ["carts", "sample", "since"])]
    pub resume: bool,
    /// Read so many source rows a second at most, instead of `[reconcile] rows_per_second`
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub rows_per_second: Option<u64>,
    /// Say which carts would be repaired: what was changed behind cartage's back is brought back to
    /// the source's, and what the new backend wrote is merged. With --yes the daemon does it
    #[arg(long)]
    pub repair: bool,
    /// Do it
    #[arg(long, requires = "repair")]
    pub yes: bool,
    /// source: write the source's rows over what the new backend wrote, too
    #[arg(long, value_parser = ["source"], requires = "repair")]
    pub take: Option<String>,
    /// Show at most so many differences; all are counted
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub limit: usize,
    /// Print one JSON document
    #[arg(long)]
    pub json: bool,
}

pub async fn run(config: &Config, args: VerifyArgs) -> Result<ExitCode, CommandError> {
    let source = ends::source(config, "verify").await?;
    let target = ends::target(config, "verify").await?;
    let control = Target::connect_to_write(&config.target, "verify").await;
    let control = control.map_err(|why| CommandError::failed(format!("target: {why}")))?;
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
    let beyond = Plan::of(config, &mapper.mapping, &target).await;
    let beyond = beyond.map_err(|why| match why {
        PlanError::Refused(_) => CommandError::usage(why.to_string()),
        PlanError::Target(_) => CommandError::failed(why),
    })?;
    let asker = Asker::connect(config, &mapper.mapping, Unallocated::Leave).await;
    let asker = asker.map_err(CommandError::failed)?;
    let verifier = Verifier {
        asker: &asker,
        source: &source,
        target: &target,
        pipeline: pipeline.id,
        mapper: &mapper,
        beyond: &beyond,
        alone: tokio::sync::Mutex::default(),
        limit: args.limit,
    };
    let (_rates, seen) = watch::channel(rates(config, &args));
    let pace = Pace::new(seen, Of::Reconcile);
    let order = match args.resume {
        true => Order::resumed(&verifier, By::Command, &control, pace)
            .await
            .map_err(CommandError::failed)?,
        false => Order {
            scope: scope(&source, &mapper.mapping, &args).await?,
            by: By::Command,
            control: &control,
            pace,
            resume: None,
        },
    };
    let screen = Screen::new();
    let show = |progress: &Progress| screen.show(progress);
    let done = verifier.carry_out(order, &show).await;
    let report = done.map_err(CommandError::failed)?;
    screen.bar.finish_and_clear();
    if args.repair {
        return repaired(config, &verifier, &report, &args).await;
    }
    match args.json {
        true => println!("{}", report.json()),
        false => print!("{}", report.text()),
    }
    Ok(match report.is_well() {
        true => ExitCode::SUCCESS,
        false => ExitCode::from(NOT_WELL),
    })
}

fn rates(config: &Config, args: &VerifyArgs) -> Rates {
    let mut rates = config.rates();
    if args.rows_per_second.is_some() {
        rates.reconcile.rates.rows_per_second = args.rows_per_second;
    }
    rates
}

async fn scope(
    source: &Source,
    mapping: &Mapping,
    args: &VerifyArgs,
) -> Result<Scope, CommandError> {
    if !args.carts.is_empty() {
        return Ok(Scope::Carts(
            keys::carts(source, mapping, &args.carts).await?,
        ));
    }
    if let Some(number) = args.sample {
        return Ok(Scope::Sample(number));
    }
    let Some(text) = &args.since else {
        return Ok(Scope::Full);
    };
    if mapping.changed_at.is_none() {
        return Err(CommandError::usage(verify::VerifyError::Undated));
    }
    let since = verify::moment(text, Utc::now()).ok_or_else(|| {
        CommandError::usage(format!(
            "--since {text} is neither a duration nor a time; expected 90m, 2h, 7d, 2026-11-29 or \
             2026-11-29T06:00:00Z"
        ))
    })?;
    Ok(Scope::Since(since))
}

/// What is seen of the work: a line on a terminal, and elsewhere why it waits.
struct Screen {
    bar: ProgressBar,
    waiting: Mutex<Option<String>>,
}

impl Screen {
    fn new() -> Self {
        Self {
            bar: ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr()),
            waiting: Mutex::new(None),
        }
    }

    fn show(&self, progress: &Progress) {
        self.bar.set_message(progress.text());
        self.bar.tick();
        if !self.bar.is_hidden() {
            return;
        }
        let Ok(mut told) = self.waiting.lock() else {
            return;
        };
        if *told != progress.waiting {
            match &progress.waiting {
                Some(why) => eprintln!("waiting: {why}"),
                None => eprintln!("going on"),
            }
            told.clone_from(&progress.waiting);
        }
    }
}

/// What `--repair` makes of what was found.
async fn repaired(
    config: &Config,
    verifier: &Verifier<'_>,
    report: &Report,
    args: &VerifyArgs,
) -> Result<ExitCode, CommandError> {
    let carts = report.differing();
    if !args.json {
        print!("{}", report.text());
    }
    // By the user's word nothing need be told apart.
    let take_source = args.take.is_some();
    let blind = repair::blind(&verifier.mapper.mapping).filter(|_| !take_source);
    let (text, repair, after) = match args.yes && !carts.is_empty() {
        false => {
            let (text, document) = asked::would(carts, blind.as_deref());
            (text, document, None)
        }
        true => {
            let how = (take_source, blind);
            let done = asked::repair(config, verifier.pipeline, carts, how).await?;
            let again = verifier.run(Some(carts), &|_| ()).await;
            let again = again.map_err(CommandError::failed)?;
            (done.text(), done.json(), Some((again, done.is_well())))
        }
    };
    match args.json {
        true => {
            let mut document = report.json();
            document["repair"] = repair;
            document["after"] = after
                .as_ref()
                .map_or(Value::Null, |(again, _)| again.json());
            println!("{document}");
        }
        false => {
            print!("{text}");
            if let Some((again, _)) = &after {
                print!("Verified again: {}", again.text());
            }
        }
    }
    let well = match after {
        Some((again, well)) => well && again.is_well() && report.held == 0,
        None => report.is_well(),
    };
    Ok(match well {
        true => ExitCode::SUCCESS,
        false => ExitCode::from(NOT_WELL),
    })
}

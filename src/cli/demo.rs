//! `cartage demo`.

use std::fmt::Display;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use serde::Serialize;
use tokio::signal::unix::{SignalKind, signal};

use crate::demo::DemoError;
use crate::demo::drift;
use crate::demo::kind::Kind;
use crate::demo::run::{Plan, run as play};
use crate::demo::screen::Screen;
use crate::demo::shops::{Ground, Shops};
use crate::demo::storefront::Pace;
use crate::demo::two_writers;

/// Shows the main job, live, on throwaway databases
///
/// Starts two database servers in temporary folders, fills an old shop with carts, lets a simulated
/// storefront write to it, moves the carts into a new shop with another schema, kills the daemon
/// several times on the way, and compares every cart at the end. Leaves nothing behind.
///
/// With --two-writers customers of the new shop change the same carts as those of the old one, and at
/// the end every cart must be what was meant in both.
///
/// With --drift carts of the new shop are changed behind cartage's back, while customers of both shops
/// write. `cartage verify` must find these carts and no others, and its repair must mend them without
/// touching what the new shop's customers wrote.
#[derive(Debug, Clone, Args)]
#[command(
    after_help = "Examples:\n  cartage demo --source mariadb --carts 50000 --rate 800\n  cartage demo --drift --json"
)]
pub struct DemoArgs {
    /// What the old shop lives on
    #[arg(long, value_enum, default_value_t = Kind::Postgres, value_name = "KIND")]
    pub source: Kind,
    /// What the new shop lives on
    #[arg(long, value_enum, default_value_t = Kind::Postgres, value_name = "KIND")]
    pub target: Kind,
    /// Print one line of JSON instead of the summary
    #[arg(long)]
    pub json: bool,
    /// Corrupt one row of the new shop before the comparison, which must find it (exit code 3)
    #[arg(long)]
    pub sabotage: bool,
    /// Customers of both shops change the same carts, and cartage merges them
    #[arg(long)]
    pub two_writers: bool,
    /// Carts of the new shop drift; `verify` has to find them, and to repair them
    #[arg(long, conflicts_with_all = ["two_writers", "transactions"])]
    pub drift: bool,
    /// Carts that drift, with --drift [default: 600]
    #[arg(long, value_name = "N", requires = "drift",
        value_parser = clap::value_parser!(u32).range(50..=100_000))]
    pub drifts: Option<u32>,
    /// Live carts in the old shop at the start [default: 32000; 2000 with --two-writers, 8000 with
    /// --drift]
    #[arg(long, value_name = "N",
        value_parser = clap::value_parser!(u32).range(2_000..=2_000_000))]
    pub carts: Option<u32>,
    /// Transactions per second of the storefront, or of each
    #[arg(long, default_value_t = 400, value_name = "N",
        value_parser = clap::value_parser!(u32).range(1..=20_000))]
    pub rate: u32,
    /// Seconds for which the storefront is open, at least [default: 35; 60 with --two-writers,
    /// 20 with --drift]
    #[arg(long, value_name = "S",
        value_parser = clap::value_parser!(u64).range(1..=100))]
    pub seconds: Option<u64>,
    /// Transactions for which the storefront is open, at least [default: 10000]; with --two-writers
    /// changes of a quantity in each [default: 20000]
    #[arg(long, value_name = "N",
        value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    pub transactions: Option<u64>,
    /// Seed of the storefront's choices; a random one is taken and printed
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Leave the databases running after the comparison, until Ctrl-C
    #[arg(long)]
    pub keep: bool,
}

/// Runs the demo: 0 if every cart is as it must be, 3 if not.
pub async fn run(args: DemoArgs) -> Result<ExitCode, DemoError> {
    let program = std::env::current_exe().map_err(|source| DemoError::Io {
        what: "this program's path",
        source,
    })?;
    tokio::select! {
        outcome = show(&args, program) => outcome,
        interrupted = interruption() => {
            interrupted?;
            match args.keep {
                true => Ok(ExitCode::SUCCESS),
                false => Err(DemoError::Interrupted),
            }
        }
    }
}

async fn show(args: &DemoArgs, program: PathBuf) -> Result<ExitCode, DemoError> {
    let screen = Screen::new();
    if args.two_writers {
        let plan = two_writers(args, program)?;
        let (report, shops) = two_writers::run(&plan, &screen).await?;
        drop(screen);
        let well = report.all_well();
        return print(args, &report, &shops, well).await;
    }
    if args.drift {
        let plan = drift(args, program)?;
        let (report, shops) = drift::run(&plan, &screen).await?;
        drop(screen);
        let well = report.all_well();
        return print(args, &report, &shops, well).await;
    }
    let plan = plan(args, program)?;
    let (report, shops) = play(&plan, &screen).await?;
    drop(screen);
    let well = report.all_well();
    print(args, &report, &shops, well).await
}

fn plan(args: &DemoArgs, program: PathBuf) -> Result<Plan, DemoError> {
    Ok(Plan {
        program,
        ground: Ground::find(args.source, args.target)?,
        carts: args.carts.unwrap_or(32_000),
        pace: Pace {
            seed: seed(args),
            rate: args.rate,
        },
        transactions: args.transactions.unwrap_or(10_000),
        open_for: Duration::from_secs(args.seconds.unwrap_or(35)),
        sabotage: args.sabotage,
    })
}

fn two_writers(args: &DemoArgs, program: PathBuf) -> Result<two_writers::Plan, DemoError> {
    Ok(two_writers::Plan {
        program,
        ground: Ground::find(args.source, args.target)?,
        hot_carts: args.carts.unwrap_or(2_000),
        seed: seed(args),
        rate: args.rate,
        changes: args.transactions.unwrap_or(20_000),
        open_for: Duration::from_secs(args.seconds.unwrap_or(60)),
        kills: 10,
        sabotage: args.sabotage,
        trouble: false,
    })
}

fn drift(args: &DemoArgs, program: PathBuf) -> Result<drift::Plan, DemoError> {
    Ok(drift::Plan {
        program,
        ground: Ground::find(args.source, args.target)?,
        carts: args.carts.unwrap_or(8_000),
        drifts: args.drifts.unwrap_or(600),
        pace: Pace {
            seed: seed(args),
            rate: args.rate,
        },
        open_for: Duration::from_secs(args.seconds.unwrap_or(20)),
        sabotage: args.sabotage,
    })
}

fn seed(args: &DemoArgs) -> u64 {
    args.seed.unwrap_or_else(|| u64::from(fastrand::u32(..)))
}

async fn print(
    args: &DemoArgs,
    report: &(impl Serialize + Display),
    shops: &Shops,
    well: bool,
) -> Result<ExitCode, DemoError> {
    match args.json {
        true => println!("{}", serde_json::json!(report)),
        false => println!("{report}"),
    }
    if args.keep {
        eprintln!("The old shop: {}", shops.old.url());
        eprintln!("The new shop: {}", shops.new.url());
        eprintln!("Ctrl-C removes both.");
        std::future::pending::<()>().await;
    }
    Ok(match well {
        true => ExitCode::SUCCESS,
        false => ExitCode::from(3),
    })
}

/// Ctrl-C or SIGTERM. What the demo started ends when it is dropped.
async fn interruption() -> Result<(), DemoError> {
    let failed = |source| DemoError::Io {
        what: "cannot wait for signals",
        source,
    };
    let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
    tokio::select! {
        pressed = tokio::signal::ctrl_c() => pressed.map_err(failed),
        _ = terminate.recv() => Ok(()),
    }
}

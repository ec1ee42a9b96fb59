//! `cartage refresh`: has carts read again from the source and applied whole.

use std::process::ExitCode;
use std::time::Duration;

use tokio_postgres::Client;

use super::{CommandError, ends, keys};
use crate::cart::key::CartKey;
use crate::config::Config;
use crate::refresh::runs::{self, Kind};
use crate::target::control::pipeline;

/// Have carts read again from the source and applied whole, by the running daemon or the next one.
#[derive(Debug, Default, clap::Args)]
#[command(after_help = "Examples:\n  cartage refresh 4711 4712 --wait\n  cartage refresh --all")]
pub struct RefreshArgs {
    /// Carts by key; a key of several columns is joined by |
    #[arg(
        value_name = "CART",
        required_unless_present = "all",
        conflicts_with = "all"
    )]
    pub carts: Vec<String>,
    /// All carts, also those that only the target has
    #[arg(long)]
    pub all: bool,
    /// Return only when it is done
    #[arg(long)]
    pub wait: bool,
    /// Print one JSON document
    #[arg(long)]
    pub json: bool,
}

/// What was asked for, and may be waited for.
enum Asked {
    Carts(Vec<String>),
    All(i32),
}

pub async fn run(config: &Config, args: RefreshArgs) -> Result<ExitCode, CommandError> {
    let target = ends::target(config, "refresh").await?;
    let pipeline = ends::pipeline(config, &target).await?;
    let asked = match args.all {
        true => Asked::All(begin_all(&target, pipeline.id).await?),
        false => {
            let source = ends::source(config, "refresh").await?;
            let compiled = ends::compiled(config, &source, &target).await?;
            let carts = keys::carts(&source, &compiled.mapping, &args.carts).await?;
            Asked::Carts(wish(&target, pipeline.id, &carts).await?)
        }
    };
    let works = ends::daemon_works(&target, pipeline.id).await?;
    if !works && args.wait {
        return Err(CommandError::failed(
            "it is noted, but no daemon is there to do it; start it: systemctl start cartage",
        ));
    }
    if args.wait {
        wait(&target, pipeline.id, &asked).await?;
    }
    if args.json {
        let (carts, run) = match &asked {
            Asked::Carts(carts) => (Some(carts), None),
            Asked::All(run) => (None, Some(run)),
        };
        println!(
            "{}",
            serde_json::json!({ "carts": carts, "run": run, "daemon": works, "done": args.wait })
        );
    } else {
        let what = match &asked {
            Asked::Carts(carts) => format!("{} carts", carts.len()),
            Asked::All(_) => "all carts".to_owned(),
        };
        match (args.wait, works) {
            (true, _) => println!("{what}: read again and applied."),
            (false, true) => println!("{what}: noted; the running daemon reads them again."),
            (false, false) => println!(
                "{what}: noted; the daemon does not run, and reads them again once it is started."
            ),
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn wish(
    target: &Client,
    pipeline: i32,
    carts: &[CartKey],
) -> Result<Vec<String>, CommandError> {
    let keys: Vec<String> = carts.iter().map(CartKey::to_string).collect();
    target
        .execute(
            "INSERT INTO cartage.wish (pipeline, cart, reason) \
             SELECT $1, cart, 'asked' FROM unnest($2::text[]) AS cart ON CONFLICT DO NOTHING",
            &[&pipeline, &keys],
        )
        .await?;
    Ok(keys)
}

/// Begins the walk where the lanes stand, and answers its number.
async fn begin_all(target: &Client, id: i32) -> Result<i32, CommandError> {
    let at = pipeline::checkpoint(target, id).await?.ok_or_else(|| {
        CommandError::failed("the pipeline has no checkpoint yet; run: cartage setup")
    })?;
    runs::begin(target, id, Kind::All, at).await?;
    target
        .execute(
            "UPDATE cartage.pipeline SET phase = 'backfilling' \
             WHERE id = $1 AND phase = 'following'",
            &[&id],
        )
        .await?;
    let row = target
        .query_one(
            "SELECT max(id) FROM cartage.refresh_run WHERE pipeline = $1 AND kind = 'all'",
            &[&id],
        )
        .await?;
    Ok(row.try_get(0)?)
}

async fn wait(target: &Client, pipeline: i32, asked: &Asked) -> Result<(), CommandError> {
    let mut looks = 0_u32;
    loop {
        let row = match asked {
            Asked::Carts(carts) => {
                let sql = "SELECT NOT EXISTS (SELECT FROM cartage.wish \
                           WHERE pipeline = $1 AND cart = ANY($2::text[]))";
                target.query_one(sql, &[&pipeline, carts]).await?
            }
            Asked::All(run) => {
                let sql = "SELECT NOT EXISTS (SELECT FROM cartage.refresh_run \
                           WHERE pipeline = $1 AND id = $2 AND finished_at IS NULL)";
                target.query_one(sql, &[&pipeline, run]).await?
            }
        };
        if row.try_get(0)? {
            return Ok(());
        }
        looks += 1;
        if looks.is_multiple_of(50) && !ends::daemon_works(target, pipeline).await? {
            return Err(CommandError::failed(
                "the daemon has stopped; it goes on with it once it is started again \
                 (cartage status says why it stopped)",
            ));
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

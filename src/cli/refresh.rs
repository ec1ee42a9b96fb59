//! `cartage refresh`: has carts read again from the source and applied whole.

use std::process::ExitCode;
use std::time::Duration;

use super::{CommandError, ends, keys};
use crate::cart::key::CartKey;
use crate::config::Config;
use crate::params;
use crate::refresh::runs::{self, Kind};
use crate::target::control::pipeline;
use crate::target::session::Target;
use crate::target::words::Words;

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
    target: &Target,
    pipeline: i32,
    carts: &[CartKey],
) -> Result<Vec<String>, CommandError> {
    let keys: Vec<String> = carts.iter().map(CartKey::to_string).collect();
    for some in keys.chunks(keys::AT_ONCE) {
        let rows: Vec<String> = (2..some.len() + 2)
            .map(|n| format!("($1, ${n}, 'asked')"))
            .collect();
        let rows = rows.join(", ");
        let sql = Words::each(
            format!(
                "INSERT INTO cartage.wish (pipeline, cart, reason) VALUES {rows} \
                 ON CONFLICT DO NOTHING"
            ),
            format!(
                "INSERT INTO cartage_wish (pipeline, cart, reason) VALUES {rows} \
                 ON DUPLICATE KEY UPDATE reason = cartage_wish.reason"
            ),
        );
        target.execute(sql, &keys::params(pipeline, some)).await?;
    }
    Ok(keys)
}

/// Begins the walk where the lanes stand, and answers its number.
async fn begin_all(target: &Target, id: i32) -> Result<i32, CommandError> {
    let at = pipeline::checkpoint(target, id).await?.ok_or_else(|| {
        CommandError::failed("the pipeline has no checkpoint yet; run: cartage setup")
    })?;
    runs::begin(target, id, Kind::All, at).await?;
    target
        .execute(
            "UPDATE cartage.pipeline SET phase = 'backfilling' \
             WHERE id = $1 AND phase = 'following'",
            params![id],
        )
        .await?;
    let row = target
        .one(
            "SELECT max(id) FROM cartage.refresh_run WHERE pipeline = $1 AND kind = 'all'",
            params![id],
        )
        .await?;
    Ok(row.get(0)?)
}

async fn wait(target: &Target, pipeline: i32, asked: &Asked) -> Result<(), CommandError> {
    let mut looks = 0_u32;
    loop {
        if !is_open(target, pipeline, asked).await? {
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

/// Whether something of it is still to be done.
async fn is_open(target: &Target, pipeline: i32, asked: &Asked) -> Result<bool, CommandError> {
    let carts = match asked {
        Asked::Carts(carts) => carts,
        Asked::All(run) => {
            let sql = "SELECT EXISTS (SELECT 1 FROM cartage.refresh_run \
                       WHERE pipeline = $1 AND id = $2 AND finished_at IS NULL)";
            let row = target.one(sql, params![pipeline, *run]).await?;
            return Ok(row.get(0)?);
        }
    };
    for some in carts.chunks(keys::AT_ONCE) {
        let sql = format!(
            "SELECT EXISTS (SELECT 1 FROM cartage.wish WHERE pipeline = $1 AND cart IN ({}))",
            keys::places(some)
        );
        let row = target
            .one(sql.as_str(), &keys::params(pipeline, some))
            .await?;
        if row.get(0)? {
            return Ok(true);
        }
    }
    Ok(false)
}

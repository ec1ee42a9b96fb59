//! `cartage repair`: what was repaired, from what to what, and undoing it.

pub mod asked;
mod undo;

use std::process::ExitCode;

use serde_json::{Value, json};

use super::held::rows_text;
use super::{CommandError, ends};
use crate::config::Config;
use crate::params;
use crate::target::session::Target;
use crate::target::words::Words;

#[derive(Debug, clap::Subcommand)]
pub enum RepairCommand {
    /// List repairs, the latest first
    #[command(after_help = "Example: cartage repair list --json | jq '.repairs[0]'")]
    List {
        /// Show at most so many
        #[arg(long, value_name = "N", default_value_t = 20)]
        limit: u32,
        /// Print one JSON document
        #[arg(long)]
        json: bool,
    },
    /// Show what became of the carts of a repair; of one cart, its target rows before and after.
    /// Prints shop data
    #[command(
        after_help = "Examples:\n  cartage repair show 3\n  cartage repair show 3 4711 --json"
    )]
    Show {
        /// The repair's number
        run: i32,
        /// The cart's key, as it is listed
        cart: Option<String>,
        /// Print one JSON document
        #[arg(long)]
        json: bool,
    },
    /// Put the target rows of repaired carts back as they were before. Shows what it would do; --yes
    /// does it. What was written since the repair is refused. Exits with 3 if a cart is refused
    #[command(
        after_help = "Examples:\n  cartage repair undo 3\n  cartage repair undo 3 4711 --yes"
    )]
    Undo {
        /// The repair's number
        run: i32,
        /// Only these carts, as they are listed; else all of it
        #[arg(value_name = "CART")]
        carts: Vec<String>,
        /// Do it
        #[arg(long)]
        yes: bool,
        /// Print one JSON document
        #[arg(long)]
        json: bool,
    },
}

pub async fn run(config: &Config, command: RepairCommand) -> Result<ExitCode, CommandError> {
    let target = Target::connect_to_write(&config.target, "repair").await;
    let target = target.map_err(|why| CommandError::failed(format!("target: {why}")))?;
    let pipeline = ends::pipeline(config, &target).await?.id;
    match command {
        RepairCommand::List { limit, json } => list(&target, pipeline, limit, json).await?,
        RepairCommand::Show {
            run,
            cart: Some(cart),
            json,
        } => {
            known(&target, pipeline, run).await?;
            show_cart(&target, run, &cart, json).await?;
        }
        RepairCommand::Show { run, json, .. } => {
            known(&target, pipeline, run).await?;
            show(&target, run, json).await?;
        }
        RepairCommand::Undo {
            run,
            carts,
            yes,
            json,
        } => {
            known(&target, pipeline, run).await?;
            return undo::run(config, &target, run, carts, yes, json).await;
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn known(target: &Target, pipeline: i32, run: i32) -> Result<(), CommandError> {
    let sql = "SELECT EXISTS (SELECT 1 FROM cartage.repair_run WHERE pipeline = $1 AND id = $2), \
                      EXISTS (SELECT 1 FROM cartage.repair_run WHERE pipeline <> $1 AND id = $2), \
                      EXISTS (SELECT 1 FROM cartage.repair_run WHERE pipeline = $1 AND id > $2), \
                      EXISTS (SELECT 1 FROM cartage.repair_cart WHERE run = $2)";
    let row = target.one(sql, params![pipeline, run]).await?;
    let (is, of_another, later) = (row.get(0)?, row.get::<bool>(1)?, row.get::<bool>(2)?);
    let has_carts: bool = row.get(3)?;
    match is {
        true if has_carts => Ok(()),
        false if of_another || !later || run < 1 => Err(CommandError::failed(format!(
            "there is no repair {run}; see: cartage repair list"
        ))),
        // Of the latest one the number is kept, without its carts.
        _ => Err(CommandError::failed(format!(
            "what repair {run} did is no longer kept ([reconcile] keep_for), and cannot be shown or \
             undone; see: cartage repair list"
        ))),
    }
}

async fn list(
    target: &Target,
    pipeline: i32,
    limit: u32,
    as_json: bool,
) -> Result<(), CommandError> {
    let sql = Words::each(
        "SELECT r.id, r.asked_by, to_char(r.started_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), \
                to_char(r.finished_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), r.take_source \
         FROM cartage.repair_run r WHERE r.pipeline = $1 ORDER BY r.id DESC LIMIT $2",
        "SELECT r.id, r.asked_by, date_format(r.started_at, '%Y-%m-%dT%H:%i:%sZ'), \
                date_format(r.finished_at, '%Y-%m-%dT%H:%i:%sZ'), r.take_source \
         FROM cartage_repair_run r WHERE r.pipeline = $1 ORDER BY r.id DESC LIMIT $2",
    );
    let mut repairs = Vec::new();
    for row in target
        .query(sql, params![pipeline, i64::from(limit)])
        .await?
    {
        let run: i32 = row.get(0)?;
        repairs.push(json!({
            "run": run,
            "asked_by": row.get::<String>(1)?,
            "started_at": row.get::<String>(2)?,
            "finished_at": row.get::<Option<String>>(3)?,
            "take_source": row.get::<bool>(4)?,
            "carts": asked::counted(target, run).await?,
        }));
    }
    if as_json {
        println!("{}", json!({ "repairs": repairs }));
        return Ok(());
    }
    if repairs.is_empty() {
        println!("Nothing was repaired.");
    }
    for repair in &repairs {
        let text = |name: &str| repair[name].as_str().unwrap_or("not done yet").to_owned();
        println!(
            "{}  by the {}, asked {}, finished {}: {}",
            repair["run"],
            text("asked_by"),
            text("started_at"),
            text("finished_at"),
            asked::counts_text(&repair["carts"])
        );
    }
    Ok(())
}

async fn show(target: &Target, run: i32, as_json: bool) -> Result<(), CommandError> {
    let sql = "SELECT cart, state, note FROM cartage.repair_cart WHERE run = $1 ORDER BY cart";
    let mut carts = Vec::new();
    for row in target.query(sql, params![run]).await? {
        carts.push(json!({
            "cart": row.get::<String>(0)?,
            "state": row.get::<String>(1)?,
            "note": row.get::<Option<String>>(2)?,
        }));
    }
    if as_json {
        println!("{}", json!({ "run": run, "carts": carts }));
        return Ok(());
    }
    for cart in &carts {
        let text = |name: &str| {
            cart[name]
                .as_str()
                .unwrap_or("waits for the daemon")
                .to_owned()
        };
        println!("{}  {}: {}", text("cart"), text("state"), text("note"));
    }
    Ok(())
}

async fn show_cart(
    target: &Target,
    run: i32,
    cart: &str,
    as_json: bool,
) -> Result<(), CommandError> {
    let sql = Words::each(
        "SELECT state, note, rows_before::text, rows_after::text FROM cartage.repair_cart \
         WHERE run = $1 AND cart = $2",
        "SELECT state, note, rows_before, rows_after FROM cartage_repair_cart \
         WHERE run = $1 AND cart = $2",
    );
    let row = target
        .first(sql, params![run, cart])
        .await?
        .ok_or_else(|| {
            CommandError::failed(format!(
                "cart {cart} is not part of repair {run}; see: cartage repair show {run}"
            ))
        })?;
    let rows = |at: usize| -> Result<Value, CommandError> {
        let text: Option<String> = row.get(at)?;
        Ok(text
            .and_then(|text| serde_json::from_str(&text).ok())
            .unwrap_or(Value::Null))
    };
    let document = json!({
        "run": run,
        "cart": cart,
        "state": row.get::<String>(0)?,
        "note": row.get::<Option<String>>(1)?,
        "before": rows(2)?,
        "after": rows(3)?,
    });
    if as_json {
        println!("{document}");
        return Ok(());
    }
    let text = |name: &str| document[name].as_str().unwrap_or("waits for the daemon");
    println!("{cart}  {}: {}", text("state"), text("note"));
    for (name, title) in [("before", "As it was found"), ("after", "As it was left")] {
        println!("\n{title}:");
        print!("{}", rows_text(&document[name]));
    }
    Ok(())
}

//! `cartage conflicts`: what was recorded where both sides wrote a cart.

mod list;
mod purge;
mod replay;
mod show;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use super::{CommandError, ends, keys};
use crate::cart::key::CartKey;
use crate::config::{self, Config};
use crate::target::control::conflicts::{self, Which};
use crate::target::control::pipeline::PipelineRow;
use crate::target::session::Target;

#[derive(Debug, clap::Subcommand)]
pub enum ConflictsCommand {
    /// List them, the latest first
    #[command(after_help = "Examples:\n  cartage conflicts list --kind merged\n  \
                      cartage conflicts list --json | jq -r '.conflicts[].cart'")]
    List {
        /// Only those of this cart
        #[arg(long)]
        cart: Option<String>,
        /// Only those of this kind
        #[arg(long, value_parser = KINDS)]
        kind: Option<String>,
        /// List at most so many; all are counted
        #[arg(long, value_name = "N", default_value_t = 50)]
        limit: u64,
        /// Go on after this one: `next` of the page before
        #[arg(long, value_name = "ID")]
        before: Option<i64>,
        /// Print one JSON document
        #[arg(long)]
        json: bool,
    },
    /// Show what each side held, what was decided and by which rule. Prints shop data
    #[command(after_help = "Example: cartage conflicts show 4711 --limit 1")]
    Show {
        /// The cart's key
        cart: String,
        /// Show at most so many, the latest first
        #[arg(long, value_name = "N", default_value_t = 10)]
        limit: u64,
        /// Print one JSON document
        #[arg(long)]
        json: bool,
    },
    /// What another policy would have made of the recorded merges, each by itself. Changes nothing.
    /// Prints shop data. Exits with 3 if some of them cannot be replayed, or would be held
    #[command(
        after_help = "Example:\n  printf '[merge]\\nquantity = \"max\"\\n' > max.toml\n  \
                      cartage conflicts replay --policy max.toml"
    )]
    Replay {
        /// `[merge]`, and `[[into]]` with `merge` of single columns; or a whole configuration
        #[arg(long, value_name = "FILE")]
        policy: PathBuf,
        /// Only those of this cart
        #[arg(long)]
        cart: Option<String>,
        /// Show at most so many that differ; all are counted
        #[arg(long, value_name = "N", default_value_t = 20)]
        limit: usize,
        /// Print one JSON document
        #[arg(long)]
        json: bool,
    },
    /// Delete records: those that the configuration does not keep, or those that are named here
    #[command(after_help = "Examples:\n  cartage conflicts purge\n  \
                      cartage conflicts purge --older-than 7d\n  cartage conflicts purge --cart 4711")]
    Purge {
        /// Those that were last found longer ago, like 7d or 12h
        #[arg(long, value_name = "TIME", value_parser = time)]
        older_than: Option<Duration>,
        /// All but the latest so many
        #[arg(long, value_name = "N")]
        keep: Option<u64>,
        /// All of this cart
        #[arg(long, conflicts_with_all = ["older_than", "keep"])]
        cart: Option<String>,
        /// Print one JSON document
        #[arg(long)]
        json: bool,
    },
}

const KINDS: [&str; 5] = ["merged", "held", "late", "source_end", "taken"];

fn time(text: &str) -> Result<Duration, String> {
    let expected = "a whole number and ms, s, m, h or d, like 7d";
    config::duration(text).ok_or_else(|| expected.to_owned())
}

pub async fn run(config: &Config, command: ConflictsCommand) -> Result<ExitCode, CommandError> {
    // What is wrong with the policy is told before anything is asked.
    let policy = match &command {
        ConflictsCommand::Replay { policy, .. } => Some(replay::policy(policy)?),
        _ => None,
    };
    let target = ends::target(config, "conflicts").await?;
    let pipeline = ends::pipeline(config, &target).await?;
    let known = async |cart| known(config, &target, pipeline.id, cart).await;
    match command {
        ConflictsCommand::List {
            cart,
            kind,
            limit,
            before,
            json,
        } => {
            let cart = match cart {
                Some(cart) => Some(known(cart).await?),
                None => None,
            };
            let which = Which { cart, kind, before };
            list::run(&target, &pipeline, which, limit, json).await?;
        }
        ConflictsCommand::Show { cart, limit, json } => {
            let cart = known(cart).await?;
            show::run(&target, &pipeline, cart, limit, json).await?;
        }
        ConflictsCommand::Replay {
            cart, limit, json, ..
        } => {
            let cart = match cart {
                Some(cart) => Some(known(cart).await?),
                None => None,
            };
            if let Some(policy) = policy {
                return replay::run(&target, &pipeline, &policy, cart, limit, json).await;
            }
        }
        ConflictsCommand::Purge {
            older_than,
            keep,
            cart,
            json,
        } => {
            let cart = match cart {
                Some(cart) => Some(known(cart).await?),
                None => None,
            };
            let what = purge::What {
                older_than,
                keep,
                cart,
            };
            purge::run(&target, pipeline.id, config.conflicts, what, json).await?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The cart that was typed, of which something is recorded. The source is asked only where the key is
/// not typed as it stands in the table: the command must work without it.
async fn known(
    config: &Config,
    target: &Target,
    pipeline: i32,
    typed: String,
) -> Result<String, CommandError> {
    let is_recorded = async |cart: &str| -> Result<bool, CommandError> {
        let which = Which {
            cart: Some(cart.to_owned()),
            ..Which::default()
        };
        Ok(!conflicts::list(target, pipeline, &which, 1)
            .await?
            .is_empty())
    };
    if is_recorded(&typed).await? {
        return Ok(typed);
    }
    let nothing = |cart: &str| {
        CommandError::failed(format!(
            "nothing is recorded of cart {cart}; see: cartage conflicts list"
        ))
    };
    let source = ends::source(config, "conflicts").await;
    let Ok(source) = source else {
        return Err(nothing(&typed));
    };
    let compiled = ends::compiled(config, &source, target).await?;
    let carts = keys::carts(&source, &compiled.mapping, &[typed]).await?;
    let cart = carts.iter().map(CartKey::to_string).next();
    let cart = cart.unwrap_or_default();
    match is_recorded(&cart).await? {
        true => Ok(cart),
        false => Err(nothing(&cart)),
    }
}

/// One record, as all of these commands print it.
fn record_json(pipeline: &PipelineRow, record: &conflicts::Recorded) -> serde_json::Value {
    serde_json::json!({
        "id": record.id,
        "cart": record.cart,
        "kind": record.kind,
        "position": pipeline.spelling().show(record.lsn),
        "at": record.at,
        "last_at": record.seen_at,
        "times": record.times,
        "items": record.items,
    })
}

/// The same on one line.
fn record_text(pipeline: &PipelineRow, record: &conflicts::Recorded) -> String {
    let mut text = format!(
        "{}  {}  {}  {} at {}",
        record.id,
        record.at,
        record.kind,
        record.cart,
        pipeline.spelling().show(record.lsn)
    );
    if record.items > 0 {
        text += &format!(", {} items", record.items);
    }
    if record.times > 1 {
        text += &format!(", {} times, last at {}", record.times, record.seen_at);
    }
    text
}

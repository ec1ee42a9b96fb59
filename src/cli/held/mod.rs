//! `cartage held`: the carts set aside, why, trying them again, and taking
//! one side's rows.

mod resolve;

use std::collections::{BTreeSet, HashSet};
use std::process::ExitCode;

use serde_json::{Value, json};

use super::{CommandError, ends, keys};
use crate::cart::key::CartKey;
use crate::config::Config;
use crate::params;
use crate::target::session::Target;
use crate::target::words::Words;

#[derive(Debug, clap::Subcommand)]
pub enum HeldCommand {
    /// List them, the oldest first
    #[command(after_help = "Example: cartage held list --json | jq -r '.held[].cart'")]
    List {
        /// Print one JSON document
        #[arg(long)]
        json: bool,
    },
    /// Show what we last wrote, what the source wants and what was found. Prints shop data
    #[command(after_help = "Example: cartage held show 4711")]
    Show {
        /// The cart's key
        cart: String,
        /// Print one JSON document
        #[arg(long)]
        json: bool,
    },
    /// Have the daemon try carts again now, with those that are held together with them
    #[command(after_help = "Examples:\n  cartage held retry 4711\n  cartage held retry --all")]
    Retry {
        #[arg(
            value_name = "CART",
            required_unless_present = "all",
            conflicts_with = "all"
        )]
        carts: Vec<String>,
        #[arg(long)]
        all: bool,
        /// Print one JSON document
        #[arg(long)]
        json: bool,
    },
    /// Have the daemon take one side's rows for a cart, and for those that are held together with it
    #[command(after_help = "Examples:\n  cartage held show 4711\n  \
                      cartage held resolve 4711 --take source --wait")]
    Resolve {
        /// The cart's key
        cart: String,
        /// source: what the source wants is written over what is found. target: what is found stays,
        /// and later changes of the source are put into it
        #[arg(long, value_parser = ["source", "target"])]
        take: String,
        /// Return only when it is done
        #[arg(long)]
        wait: bool,
        /// Print one JSON document
        #[arg(long)]
        json: bool,
    },
}

pub async fn run(config: &Config, command: HeldCommand) -> Result<ExitCode, CommandError> {
    let target = ends::target(config, "held").await?;
    let pipeline = ends::pipeline(config, &target).await?.id;
    match command {
        HeldCommand::List { json } => list(&target, pipeline, json).await?,
        HeldCommand::Show { cart, json } => {
            let cart = as_held(config, &target, pipeline, vec![cart]).await?;
            show(&target, pipeline, &cart[0], json).await?;
        }
        HeldCommand::Retry { carts, all, json } => {
            let carts = match all {
                true => None,
                false => Some(as_held(config, &target, pipeline, carts).await?),
            };
            retry(&target, pipeline, carts, json).await?;
        }
        HeldCommand::Resolve {
            cart,
            take,
            wait,
            json,
        } => {
            let cart = as_held(config, &target, pipeline, vec![cart]).await?;
            resolve::run(&target, pipeline, cart, &take, wait, json).await?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The held carts that were typed. The source is asked only where a key is not typed as it stands
/// in the table: the command must work without it.
async fn as_held(
    config: &Config,
    target: &Target,
    pipeline: i32,
    typed: Vec<String>,
) -> Result<Vec<String>, CommandError> {
    if strangers(target, pipeline, &typed).await?.is_empty() {
        return Ok(typed);
    }
    let source = ends::source(config, "held").await?;
    let compiled = ends::compiled(config, &source, target).await?;
    let carts = keys::carts(&source, &compiled.mapping, &typed).await?;
    let carts: Vec<String> = carts.iter().map(CartKey::to_string).collect();
    let strangers = strangers(target, pipeline, &carts).await?;
    match strangers.is_empty() {
        true => Ok(carts),
        false => Err(not_held(&strangers)),
    }
}

/// Those that are not held.
async fn strangers(
    target: &Target,
    pipeline: i32,
    carts: &[String],
) -> Result<Vec<String>, CommandError> {
    let mut held: HashSet<String> = HashSet::new();
    for some in carts.chunks(keys::AT_ONCE) {
        let sql = format!(
            "SELECT cart FROM cartage.held WHERE pipeline = $1 AND cart IN ({})",
            keys::places(some)
        );
        let params = keys::params(pipeline, some);
        for row in target.query(sql.as_str(), &params).await? {
            held.insert(row.get(0)?);
        }
    }
    let strangers = carts.iter().filter(|cart| !held.contains(*cart));
    Ok(strangers.cloned().collect())
}

async fn list(target: &Target, pipeline: i32, as_json: bool) -> Result<(), CommandError> {
    let sql = Words::each(
        "SELECT cart, unit, reason, message, attempts, \
                to_char(since, 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), \
                to_char(retry_at, 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), take \
         FROM cartage.held WHERE pipeline = $1 ORDER BY since, cart",
        "SELECT cart, unit, reason, message, attempts, \
                date_format(since, '%Y-%m-%dT%H:%i:%sZ'), \
                date_format(retry_at, '%Y-%m-%dT%H:%i:%sZ'), take \
         FROM cartage_held WHERE pipeline = $1 ORDER BY since, cart",
    );
    let rows = target.query(sql, params![pipeline]).await?;
    let mut held = Vec::new();
    for row in &rows {
        held.push(json!({
            "cart": row.get::<String>(0)?,
            "unit": row.get::<Option<String>>(1)?,
            "reason": row.get::<String>(2)?,
            "message": row.get::<String>(3)?,
            "attempts": row.get::<i32>(4)?,
            "since": row.get::<String>(5)?,
            "retry_at": row.get::<Option<String>>(6)?,
            "take": row.get::<Option<String>>(7)?,
        }));
    }
    if as_json {
        println!("{}", json!({ "held": held }));
        return Ok(());
    }
    if held.is_empty() {
        println!("No cart is held.");
    }
    for cart in &held {
        let text = |name: &str| cart[name].as_str().unwrap_or("never by itself").to_owned();
        println!(
            "{}  {}: {}\n    since {}, tried {} times, again at {}",
            text("cart"),
            text("reason"),
            text("message"),
            text("since"),
            cart["attempts"],
            text("retry_at")
        );
        if let Some(take) = cart["take"].as_str() {
            println!("    the {take}'s rows are to be taken at the next try");
        }
        if let Some(unit) = cart["unit"].as_str() {
            println!("    held together with the carts of the unit {unit}");
        }
    }
    Ok(())
}

async fn show(
    target: &Target,
    pipeline: i32,
    cart: &str,
    as_json: bool,
) -> Result<(), CommandError> {
    let sql = Words::each(
        "SELECT reason, message, base::text, ours::text, theirs::text, unit \
         FROM cartage.held WHERE pipeline = $1 AND cart = $2",
        "SELECT reason, message, base, ours, theirs, unit \
         FROM cartage_held WHERE pipeline = $1 AND cart = $2",
    );
    let row = target
        .first(sql, params![pipeline, cart])
        .await?
        .ok_or_else(|| not_held(&[cart.to_owned()]))?;
    let side = |at: usize| -> Result<Value, CommandError> {
        let text: Option<String> = row.get(at)?;
        // It was written as JSON, so it parses.
        Ok(text
            .and_then(|text| serde_json::from_str(&text).ok())
            .unwrap_or(Value::Null))
    };
    let document = json!({
        "cart": cart,
        "unit": row.get::<Option<String>>(5)?,
        "reason": row.get::<String>(0)?,
        "message": row.get::<String>(1)?,
        "base": side(2)?,
        "ours": side(3)?,
        "theirs": side(4)?,
    });
    if as_json {
        println!("{document}");
        return Ok(());
    }
    let text = |name: &str| document[name].as_str().unwrap_or_default();
    println!("{cart}  {}: {}", text("reason"), text("message"));
    for (name, title) in [
        ("base", "As cartage last wrote it"),
        ("ours", "As the source wants it"),
        ("theirs", "As it was found in the target"),
    ] {
        println!("\n{title}:");
        print!("{}", rows_text(&document[name]));
    }
    Ok(())
}

/// `[{"table": …, "row": {…}}]`, one column a line.
pub(super) fn rows_text(rows: &Value) -> String {
    let Some(rows) = rows.as_array().filter(|rows| !rows.is_empty()) else {
        return "  (no rows)\n".to_owned();
    };
    let mut out = String::new();
    for entry in rows {
        out.push_str(&format!(
            "  {}\n",
            entry["table"].as_str().unwrap_or_default()
        ));
        let row = entry["row"].as_object();
        let width = row.map_or(0, |row| {
            row.keys()
                .map(|name| name.chars().count())
                .max()
                .unwrap_or(0)
        });
        for (column, value) in row.into_iter().flatten() {
            out.push_str(&format!("    {column:<width$}  {value}\n"));
        }
    }
    out
}

async fn retry(
    target: &Target,
    pipeline: i32,
    carts: Option<Vec<String>>,
    as_json: bool,
) -> Result<(), CommandError> {
    let tried = with_their_units(target, pipeline, carts).await?;
    for some in tried.chunks(keys::AT_ONCE) {
        let sql = format!(
            "UPDATE cartage.held SET retry_at = CURRENT_TIMESTAMP(6) \
             WHERE pipeline = $1 AND cart IN ({})",
            keys::places(some)
        );
        let params = keys::params(pipeline, some);
        target.execute(sql.as_str(), &params).await?;
    }
    let works = ends::daemon_works(target, pipeline).await?;
    if as_json {
        println!("{}", json!({ "carts": tried, "daemon": works }));
    } else if works {
        println!(
            "{} carts are tried again now; look: cartage held list",
            tried.len()
        );
    } else {
        println!(
            "{} carts are tried again once the daemon is started.",
            tried.len()
        );
    }
    Ok(())
}

/// These held carts and those that are held together with them, or all, in their order.
async fn with_their_units(
    target: &Target,
    pipeline: i32,
    carts: Option<Vec<String>>,
) -> Result<Vec<String>, CommandError> {
    let mut found: BTreeSet<String> = BTreeSet::new();
    let Some(carts) = carts else {
        let sql = "SELECT cart FROM cartage.held WHERE pipeline = $1";
        for row in target.query(sql, params![pipeline]).await? {
            found.insert(row.get(0)?);
        }
        return Ok(found.into_iter().collect());
    };
    for some in carts.chunks(keys::AT_ONCE) {
        let sql = format!(
            "SELECT h.cart FROM cartage.held h WHERE h.pipeline = $1 AND EXISTS \
             (SELECT 1 FROM cartage.held n WHERE n.pipeline = $1 AND n.cart IN ({}) \
              AND (n.cart = h.cart OR n.unit = h.unit))",
            keys::places(some)
        );
        let params = keys::params(pipeline, some);
        for row in target.query(sql.as_str(), &params).await? {
            found.insert(row.get(0)?);
        }
    }
    Ok(found.into_iter().collect())
}

fn not_held(carts: &[String]) -> CommandError {
    let carts = carts.join(", ");
    CommandError::failed(format!("not held: {carts}; see: cartage held list"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_shown_one_column_a_line() {
        let rows = json!([{ "table": "public.cart", "row": { "id": "7", "total": null } }]);
        assert_eq!(
            rows_text(&rows),
            "  public.cart\n    id     \"7\"\n    total  null\n"
        );
        assert_eq!(rows_text(&Value::Null), "  (no rows)\n");
    }
}

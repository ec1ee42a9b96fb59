//! `cartage repair undo`: shows what would be put back, and does it where it is told to.

use std::process::ExitCode;

use serde_json::json;

use crate::cli::{CommandError, NOT_WELL, ends};
use crate::config::Config;
use crate::params;
use crate::repair::undo::{Change, Undone, undo};
use crate::target::session::Target;

pub async fn run(
    config: &Config,
    target: &Target,
    run: i32,
    mut carts: Vec<String>,
    yes: bool,
    as_json: bool,
) -> Result<ExitCode, CommandError> {
    if carts.is_empty() {
        let sql = "SELECT cart FROM cartage.repair_cart \
                   WHERE run = $1 AND state IN ('repaired', 'merged') AND rows_after IS NOT NULL \
                   ORDER BY cart";
        for row in target.query(sql, params![run]).await? {
            carts.push(row.get(0)?);
        }
    }
    let source = ends::source(config, "repair").await?;
    let compiled = ends::compiled(config, &source, target).await?;
    let mut done = Vec::new();
    let mut refused = 0;
    for cart in carts {
        let undone = undo(target, &compiled.mapping, run, &cart, yes).await?;
        let (why, rows) = match &undone {
            Undone::Done(changes) => (None, changes.iter().map(told).collect()),
            Undone::Refused(why) => (Some(why.clone()), Vec::new()),
        };
        refused += u64::from(why.is_some());
        if !as_json {
            match &why {
                Some(why) => println!("{cart}: not undone: {why}"),
                None if yes => println!("{cart}: undone, {} rows", rows.len()),
                None => println!("{cart}: would be undone, {} rows", rows.len()),
            }
            for row in &rows {
                let text = |name: &str| row[name].as_str().unwrap_or_default();
                println!("    {} {} {}", text("what"), text("table"), text("key"));
            }
        }
        done.push(json!({
            "cart": cart,
            "undone": yes && why.is_none(),
            "refused": why,
            "rows": rows,
        }));
    }
    if as_json {
        let document = json!({ "run": run, "done": yes, "refused": refused, "carts": done });
        println!("{document}");
    } else if done.is_empty() {
        println!("There is nothing to undo.");
    } else if !yes {
        println!("Nothing was done; say --yes to do it.");
    }
    Ok(match refused {
        0 => ExitCode::SUCCESS,
        _ => ExitCode::from(NOT_WELL),
    })
}

fn told(change: &Change) -> serde_json::Value {
    json!({
        "what": change.what.name(),
        "table": change.table,
        "key": change.key.join("|"),
        "columns": change.columns,
    })
}

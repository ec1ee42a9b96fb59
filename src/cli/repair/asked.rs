//! `cartage verify --repair`: the carts that differ are repaired by the daemon, which is the only one
//! that may write them, and verified again.

use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};

use crate::cart::key::CartKey;
use crate::cli::{CommandError, ends};
use crate::config::Config;
use crate::repair::{self, Order, State};
use crate::target::session::Target;

/// What is waited for beside the rate.
const PATIENCE: Duration = Duration::from_secs(120);
/// Carts that are named where they would be repaired.
const NAMED: usize = 1_000;

/// What `--repair` did.
#[derive(Debug)]
pub struct Repaired {
    pub run: i32,
    pub counts: Value,
    refused: Vec<Value>,
    /// What the lock cannot tell.
    blind: Option<String>,
}

impl Repaired {
    pub fn is_well(&self) -> bool {
        self.refused.is_empty()
    }

    pub fn json(&self) -> Value {
        json!({
            "run": self.run, "done": true, "carts": self.counts, "refused": self.refused,
            "note": self.blind,
        })
    }

    pub fn text(&self) -> String {
        let mut out = String::new();
        for cart in &self.refused {
            let text = |name: &str| cart[name].as_str().unwrap_or_default();
            out.push_str(&format!(
                "cart {}: refused: {}\n",
                text("cart"),
                text("note")
            ));
        }
        out.push_str(&format!(
            "Repair {}: {}; undo it: cartage repair undo {}\n",
            self.run,
            counts_text(&self.counts),
            self.run
        ));
        let merged = self.counts["merged"].as_i64().unwrap_or_default();
        if let Some(blind) = self.blind.as_ref().filter(|_| merged > 0) {
            out.push_str(&format!("note: {blind}\n"));
        }
        out
    }
}

/// What a dry run says; `blind` is what the lock cannot tell.
pub fn would(carts: &[CartKey], blind: Option<&str>) -> (String, Value) {
    let named: Vec<String> = carts.iter().take(NAMED).map(CartKey::to_string).collect();
    let mut out = String::new();
    for cart in &named {
        out.push_str(&format!("cart {cart} would be repaired\n"));
    }
    out.push_str(&match carts.len() {
        0 => "There is nothing to repair.\n".to_owned(),
        n => format!("{n} carts would be repaired; nothing was done: say --repair --yes\n"),
    });
    if let Some(blind) = blind.filter(|_| !carts.is_empty()) {
        out.push_str(&format!("note: {blind}\n"));
    }
    let document = json!({
        "done": false, "carts": { "asked": carts.len() }, "keys": named, "note": blind,
    });
    (out, document)
}

/// Has the daemon repair these carts, and waits for it.
pub async fn repair(
    config: &Config,
    pipeline: i32,
    carts: &[CartKey],
    (take_source, blind): (bool, Option<String>),
) -> Result<Repaired, CommandError> {
    let target = Target::connect_to_write(&config.target, "repair").await;
    let target = target.map_err(|why| CommandError::failed(format!("target: {why}")))?;
    let run = repair::ask(&target, pipeline, Order::by_command(take_source), carts).await?;
    until_done(config, &target, pipeline, run, carts.len()).await?;
    let sql = "SELECT cart, note FROM cartage.repair_cart WHERE run = $1 AND state = 'refused' \
               ORDER BY cart";
    let mut refused = Vec::new();
    for row in target.query(sql, crate::params![run]).await? {
        let (cart, note): (String, Option<String>) = (row.get(0)?, row.get(1)?);
        refused.push(json!({ "cart": cart, "note": note }));
    }
    Ok(Repaired {
        run,
        counts: counted(&target, run).await?,
        refused,
        blind,
    })
}

async fn until_done(
    config: &Config,
    target: &Target,
    pipeline: i32,
    run: i32,
    carts: usize,
) -> Result<(), CommandError> {
    let at_least = carts as f64 / f64::from(config.reconcile.repairs.per_second.max(1));
    let deadline = Instant::now() + PATIENCE + Duration::from_secs_f64(at_least * 2.0);
    let mut looks = 0_u32;
    while !repair::finished(target, run).await? {
        if looks.is_multiple_of(50) && !ends::daemon_works(target, pipeline).await? {
            return Err(CommandError::failed(format!(
                "repair {run} is asked for, but no daemon is there to do it; start it: systemctl \
                 start cartage (then look: cartage repair show {run})"
            )));
        }
        if Instant::now() > deadline {
            return Err(CommandError::failed(format!(
                "the daemon goes on with repair {run}, and is not done yet; look: cartage repair \
                 show {run}"
            )));
        }
        looks += 1;
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Ok(())
}

/// How many carts of a run are in each state.
pub async fn counted(target: &Target, run: i32) -> Result<Value, CommandError> {
    let counts = repair::counts(target, run).await?;
    let mut out = Map::new();
    for state in State::ALL {
        let count = counts.iter().find(|(known, _)| *known == state);
        out.insert(state.name().to_owned(), count.map_or(0, |(_, n)| *n).into());
    }
    Ok(Value::Object(out))
}

pub fn counts_text(counts: &Value) -> String {
    let counts = counts.as_object().into_iter().flatten();
    let some = counts.filter(|(_, count)| count.as_i64() != Some(0));
    let some: Vec<String> = some
        .map(|(state, count)| format!("{count} {state}"))
        .collect();
    match some.is_empty() {
        true => "no carts".to_owned(),
        false => some.join(", "),
    }
}

//! `cartage verify --repair --yes`, and what its run came to by the control tables.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::demo::DemoError;
use crate::params;
use crate::target::error::TargetError;
use crate::target::session::Target;

/// What the command is told.
pub const ARGUMENTS: [&str; 5] = ["--repair", "--yes", "--json", "--limit", "1000000"];

const DEADLINE: Duration = Duration::from_secs(120);

/// Counts of carts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Repaired {
    pub repaired: i64,
    /// The new backend had written them as well.
    pub merged: i64,
    /// All others that were asked for.
    pub others: i64,
}

/// Waits until no run is open.
pub async fn finished(new: &Target) -> Result<(), DemoError> {
    let begun = Instant::now();
    loop {
        let open = "SELECT count(*) FROM cartage.repair_run WHERE finished_at IS NULL";
        let open: i64 = new.one(open, params![]).await?.get(0)?;
        if open == 0 {
            return Ok(());
        }
        if begun.elapsed() > DEADLINE {
            return Err(DemoError::Deadline("the repair to end"));
        }
        sleep(Duration::from_millis(100)).await;
    }
}

pub async fn outcome(new: &Target) -> Result<Repaired, TargetError> {
    let states = "SELECT state, count(DISTINCT cart) FROM cartage.repair_cart GROUP BY state";
    let mut counts = BTreeMap::new();
    for row in new.query(states, params![]).await? {
        counts.insert(row.get::<String>(0)?, row.get::<i64>(1)?);
    }
    let repaired = counts.remove("repaired").unwrap_or_default();
    let merged = counts.remove("merged").unwrap_or_default();
    Ok(Repaired {
        repaired,
        merged,
        others: counts.values().sum(),
    })
}

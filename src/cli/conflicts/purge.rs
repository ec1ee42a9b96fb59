//! `cartage conflicts purge`: deletes records by hand, in pieces as the daemon does.

use std::time::Duration;

use serde_json::json;

use crate::cli::CommandError;
use crate::config::Keep;
use crate::target::control::conflicts::{self, Which};
use crate::target::session::Target;

/// What is to go; with nothing named, what the configuration does not keep.
#[derive(Debug)]
pub struct What {
    pub older_than: Option<Duration>,
    pub keep: Option<u64>,
    pub cart: Option<String>,
}

pub async fn run(
    target: &Target,
    pipeline: i32,
    configured: Keep,
    what: What,
    as_json: bool,
) -> Result<(), CommandError> {
    // What is not named here does not count, however the daemon keeps it.
    let keep = match (what.older_than, what.keep) {
        (None, None) => configured,
        (older_than, keep) => Keep {
            keep_for: older_than.unwrap_or(FOREVER),
            keep_at_most: keep.unwrap_or(i64::MAX.unsigned_abs()),
        },
    };
    let mut deleted = 0;
    loop {
        let went = match &what.cart {
            Some(cart) => conflicts::forget(target, pipeline, cart).await?,
            None => conflicts::purge(target, pipeline, &keep).await?,
        };
        deleted += went;
        if went < conflicts::at_once() {
            break;
        }
    }
    let left = conflicts::count(target, pipeline, &Which::default()).await?;
    match as_json {
        true => println!("{}", json!({ "deleted": deleted, "left": left })),
        false => println!("{deleted} records deleted, {left} left."),
    }
    Ok(())
}

/// Longer than there are records.
const FOREVER: Duration = Duration::from_secs(1000 * 365 * 24 * 60 * 60);

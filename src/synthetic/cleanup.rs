//! Removing what a killed daemon or command has left in the old database.

use tracing::{info, warn};

use super::SyntheticError;
use super::template::Known;
use super::writer::Writer;
use crate::config::Endpoint;
use crate::target::control::synthetic;
use crate::target::session::Target;

/// Who makes synthetic carts.
pub const DAEMON: &str = "daemon";
pub const COMMAND: &str = "command";

/// For so long a commit may still be on its way whose session has died: what was not found is looked
/// for again.
const ON_ITS_WAY: f64 = 120.0;
/// A command that was begun so long ago has ended.
pub const OLD: f64 = 600.0;

/// What is to be cleaned, and how.
#[derive(Clone, Copy, Debug)]
pub struct Sweep<'a> {
    pub source: &'a Endpoint,
    pub target: &'a Target,
    pub pipeline: i32,
    /// The name of the pipeline, which is in the marks.
    pub name: &'a str,
}

impl Sweep<'_> {
    /// Removes the carts of one maker that are older than so many seconds, and says how many had rows.
    pub async fn run(&self, by: &str, seconds: f64) -> Result<u64, SyntheticError> {
        let mut removed = 0;
        for left in synthetic::left(self.target, self.pipeline, by, seconds).await? {
            let writer = Writer::open(self.source, &left.plan).await?;
            let mut known = Known::of(self.name, left.number);
            known.values = left.known;
            let rows = writer.remove(&left.plan, &known).await?;
            if rows > 0 {
                removed += 1;
                info!(
                    synthetic = known.marker,
                    rows, "a synthetic cart was left over in the old database, and is removed"
                );
            }
            if rows > 0 || !left.doubtful || left.age_seconds > ON_ITS_WAY {
                synthetic::gone(self.target, self.pipeline, left.number).await?;
            }
        }
        Ok(removed)
    }

    /// How many carts may have rows there.
    pub async fn count(&self) -> Result<usize, SyntheticError> {
        let mut count = 0;
        for by in [DAEMON, COMMAND] {
            count += synthetic::left(self.target, self.pipeline, by, 0.0)
                .await?
                .len();
        }
        Ok(count)
    }
}

/// Where nothing may be written any more, what is left over is only said.
pub async fn warn_of_leftovers(target: &Target, pipeline: i32) -> Result<(), SyntheticError> {
    let left = synthetic::left(target, pipeline, DAEMON, 0.0).await?;
    if !left.is_empty() {
        warn!(
            carts = left.len(),
            "synthetic carts may be left over in the old database, and there is no [synthetic] any \
             more; run: cartage synthetic cleanup"
        );
    }
    Ok(())
}

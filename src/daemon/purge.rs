//! Records of conflicts go by age and number. In a session of its own: nobody waits for a delete.

use std::time::Duration;

use tokio::sync::watch;
use tracing::{info, warn};

use super::DaemonError;
use crate::config::Keep;
use crate::fault::Fault;
use crate::stop::told;
use crate::switch::{self, Bound};
use crate::target::control::conflicts;
use crate::target::error::TargetError;
use crate::target::session::Target;

/// How often it is looked.
const EVERY: Duration = Duration::from_secs(600);
/// Between two pieces, so that others have their turns.
const PAUSE: Duration = Duration::from_millis(100);

pub struct Purge {
    pub keep: Keep,
    pub control: Target,
    pub pipeline: i32,
    pub stop: watch::Receiver<bool>,
}

impl Purge {
    /// Looks again and again until told to stop. What the server refuses is tried again with the next
    /// look, for carts do not wait for it.
    pub async fn run(self) -> Result<(), DaemonError> {
        let mut stop = self.stop.clone();
        let every = u64::try_from(EVERY.as_millis()).unwrap_or(u64::MAX);
        let every = Duration::from_millis(switch::bound(Bound::Purge, every));
        loop {
            tokio::select! {
                () = told(&mut stop) => return Ok(()),
                () = tokio::time::sleep(every) => {}
            }
            tokio::select! {
                () = told(&mut stop) => return Ok(()),
                done = self.purge() => match done {
                    Ok(0) => {}
                    Ok(records) => info!(records, "old records of conflicts are deleted"),
                    Err(why) if why.fault() == Fault::Retry && why.stumble().is_none() => {
                        return Err(DaemonError::Target(why));
                    }
                    Err(why) => warn!("old records of conflicts cannot be deleted: {why}"),
                },
            }
        }
    }

    async fn purge(&self) -> Result<u64, TargetError> {
        let mut records = 0;
        loop {
            let went = conflicts::purge(&self.control, self.pipeline, &self.keep).await?;
            records += went;
            if went < conflicts::at_once() {
                return Ok(records);
            }
            tokio::time::sleep(PAUSE).await;
        }
    }
}

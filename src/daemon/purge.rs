//! Records of conflicts go by age and number, those of verifications and repairs by age. In a session
//! of its own: nobody waits for a delete.

use std::time::Duration;

use tokio::sync::watch;
use tracing::{info, warn};

use super::DaemonError;
use crate::config::{Keep, Rates};
use crate::fault::Fault;
use crate::stop::told;
use crate::switch::{self, Bound};
use crate::target::control::{conflicts, histories};
use crate::target::error::TargetError;
use crate::target::session::Target;

/// How often it is looked.
const EVERY: Duration = Duration::from_secs(600);
/// Between two pieces, so that others have their turns.
const PAUSE: Duration = Duration::from_millis(100);

pub struct Purge {
    pub keep: Keep,
    /// How long verifications and repairs are kept is among them.
    pub rates: watch::Receiver<Rates>,
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
                    Ok((0, 0)) => {}
                    Ok((records, runs)) => {
                        info!(records, runs, "old records of conflicts, verifications and repairs are deleted");
                    }
                    Err(why) if why.fault() == Fault::Retry && why.stumble().is_none() => {
                        return Err(DaemonError::Target(why));
                    }
                    Err(why) => warn!("old records cannot be deleted: {why}"),
                },
            }
        }
    }

    /// How many records of conflicts went, and how many of verifications and repairs.
    async fn purge(&self) -> Result<(u64, u64), TargetError> {
        let mut records = 0;
        loop {
            let went = conflicts::purge(&self.control, self.pipeline, &self.keep).await?;
            records += went;
            if went < conflicts::at_once() {
                break;
            }
            tokio::time::sleep(PAUSE).await;
        }
        let mut runs = 0;
        loop {
            let keep = self.rates.borrow().reconcile.keep_for;
            let went = histories::purge(&self.control, self.pipeline, keep).await?;
            runs += went;
            if went < conflicts::at_once() {
                return Ok((records, runs));
            }
            tokio::time::sleep(PAUSE).await;
        }
    }
}

//! The old shop comes first: how fast it may be read, and when reading has to wait.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use crate::config::{Rates, Reconcile};
use crate::refresh::throttle::{Of, Throttle};
use crate::source::{AskError, Source};

/// How often the source is asked whether it is busy.
const LOOK: Duration = Duration::from_secs(1);

/// `[reconcile]` applied: rows a second, and the load of the source.
#[derive(Debug)]
pub struct Pace {
    throttle: Throttle,
    looked: Option<Instant>,
    waited: Duration,
}

impl Pace {
    pub fn new(rates: watch::Receiver<Rates>, of: Of) -> Self {
        Self {
            throttle: Throttle::new(rates, of),
            looked: None,
            waited: Duration::ZERO,
        }
    }

    /// For who is in nobody's way: where no rate is given it takes the usual one.
    pub fn gentle(rates: watch::Receiver<Rates>, of: Of) -> Self {
        Self {
            throttle: Throttle::new(rates, of).or_at(Reconcile::USUAL_RATE),
            looked: None,
            waited: Duration::ZERO,
        }
    }

    pub fn spend(&mut self, rows: u64) {
        self.throttle.spend(rows);
    }

    /// How long it has waited so far.
    pub fn waited(&self) -> Duration {
        self.waited
    }

    /// Why the source may not be read now; it is asked about once a second.
    pub(super) async fn objection(&mut self, source: &Source) -> Result<Option<String>, AskError> {
        if self.looked.is_some_and(|at| at.elapsed() < LOOK) {
            return Ok(None);
        }
        let objection = self.throttle.objection(source).await?;
        // What was in the way is looked at again before anything is read.
        self.looked = objection.is_none().then(Instant::now);
        Ok(objection)
    }

    /// Waits before the source is asked again.
    pub(super) async fn wait(&mut self) {
        sleep(LOOK).await;
        self.waited += LOOK;
    }

    /// Waits until the rows that were read are paid for.
    pub(super) async fn rest(&mut self) {
        self.waited += self.throttle.rest().await;
    }
}

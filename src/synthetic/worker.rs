//! The daemon's own carts, on their schedule. What goes wrong here is told, and never stops carts of
//! customers.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use metrics::{counter, gauge};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};
use tracing::{debug, warn};

use super::SyntheticError;
use super::cleanup::{COMMAND, DAEMON, OLD, Sweep};
use super::round::Round;
use super::writer::Writer;
use crate::config::{Config, Synthetic};
use crate::daemon::DaemonError;
use crate::lookup::Asker;
use crate::mapping::map::Mapper;
use crate::metrics::now;
use crate::source::Source;
use crate::stop::told;
use crate::target::control::synthetic as written;
use crate::target::session::Target;

/// All of one worker.
struct Sessions {
    writer: Writer,
    target: Target,
    /// Those that only look.
    looks: (Source, Target),
}

pub struct Worker {
    pub config: Config,
    pub synthetic: Synthetic,
    pub pipeline: i32,
    pub mapper: Arc<Mapper>,
    pub asker: Arc<Asker>,
    pub stop: watch::Receiver<bool>,
}

impl Worker {
    /// Plays carts until told to stop. One that is being played is removed before it ends.
    pub async fn run(self) -> Result<(), DaemonError> {
        let mut stop = self.stop.clone();
        let mut sessions: Option<Sessions> = None;
        counter!("cartage_synthetic_failures_total").increment(0);
        gauge!("cartage_synthetic_last_success_timestamp_seconds").set(f64::NAN);
        let mut next = Instant::now();
        loop {
            tokio::select! {
                () = told(&mut stop) => return Ok(()),
                () = sleep_until(next) => {}
            }
            // One that took longer is not made up for.
            next = (next + self.synthetic.every).max(Instant::now());
            let done = match sessions.take() {
                Some(open) => Ok(open),
                None => tokio::select! {
                    () = told(&mut stop) => return Ok(()),
                    open = self.open() => open,
                },
            };
            let done = match done {
                Ok(open) => self
                    .play(&open, &mut stop)
                    .await
                    .map(|good| good.then_some(open)),
                Err(error) => Err(error),
            };
            match done {
                Ok(open) => sessions = open,
                Err(error) => {
                    counter!("cartage_synthetic_failures_total").increment(1);
                    warn!("no synthetic cart can be played: {error}");
                    next = next.max(Instant::now() + Duration::from_secs(1));
                }
            }
        }
    }

    async fn open(&self) -> Result<Sessions, SyntheticError> {
        let target = super::connect::target(&self.config.target).await?;
        let writer = Writer::open(&self.config.source, &self.synthetic.plan).await?;
        if let Some(last) = written::last(&target, self.pipeline).await?
            && let Some(ago) = last.success_seconds_ago
        {
            gauge!("cartage_synthetic_last_success_timestamp_seconds").set(now() - ago);
        }
        Ok(Sessions {
            writer,
            target,
            looks: (
                super::connect::source(&self.config.source).await?,
                super::connect::target(&self.config.target).await?,
            ),
        })
    }

    /// False where the sessions are of no more use.
    fn play<'a>(
        &'a self,
        open: &'a Sessions,
        stop: &'a mut watch::Receiver<bool>,
    ) -> BoxFuture<'a, Result<bool, SyntheticError>> {
        Box::pin(self.one(open, stop))
    }

    async fn one(
        &self,
        open: &Sessions,
        stop: &mut watch::Receiver<bool>,
    ) -> Result<bool, SyntheticError> {
        let (writer, target) = (&open.writer, &open.target);
        let sweep = Sweep {
            source: &self.config.source,
            target,
            pipeline: self.pipeline,
            name: &self.config.name,
        };
        sweep.run(DAEMON, 0.0).await?;
        sweep.run(COMMAND, OLD).await?;
        let round = Round {
            config: &self.synthetic,
            name: &self.config.name,
            pipeline: self.pipeline,
            by: DAEMON,
            writer,
            target,
            looks: (&open.looks.0, &open.looks.1),
            mapper: &self.mapper,
            asker: &self.asker,
        };
        let outcome = round.run(stop).await?;
        match &outcome.failure {
            Some(why) => warn!(
                synthetic = outcome.marker,
                "a synthetic cart did not go as it should: {why}"
            ),
            None => debug!(
                synthetic = outcome.marker,
                "a synthetic cart has come and gone"
            ),
        }
        Ok(!outcome.unanswered)
    }
}

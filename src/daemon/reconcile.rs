//! The daemon's own verification: begun every so often, gone on with where it was cut short, and
//! never in anybody's way. What goes wrong with it ends nothing but itself.

use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::{JoinError, spawn_blocking};
use tokio::time::sleep;
use tracing::{info, warn};

use crate::config::{Config, Rates};
use crate::lookup::{Asker, LookupError, Unallocated};
use crate::mapping::map::Mapper;
use crate::refresh;
use crate::refresh::throttle::Of;
use crate::repair::{self, Order};
use crate::source::Source;
use crate::stop::told;
use crate::target::error::TargetError;
use crate::target::session::Target;
use crate::verify::beyond::{Plan, PlanError};
use crate::verify::order::{self, By, Scope};
use crate::verify::pace::Pace;
use crate::verify::{Report, Verifier, VerifyError, runs};

use super::DaemonError;

/// How often it looks whether one is due.
const LOOK: Duration = Duration::from_secs(5);
/// How long it leaves the servers alone after something went wrong.
const PAUSE: Duration = Duration::from_secs(60);

pub struct Reconciler {
    pub config: Config,
    pub control: Target,
    pub pipeline: i32,
    pub mapper: Arc<Mapper>,
    pub rates: watch::Receiver<Rates>,
    pub stop: watch::Receiver<bool>,
}

#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("source: {0}")]
    Source(#[from] crate::source::ConnectError),
    #[error("target: {0}")]
    Target(#[from] crate::target::error::ConnectError),
    #[error("target: {0}")]
    Control(#[from] TargetError),
    #[error(transparent)]
    Lookup(#[from] LookupError),
    #[error(transparent)]
    Plan(#[from] PlanError),
    #[error(transparent)]
    Verify(#[from] VerifyError),
}

impl Reconciler {
    /// Works until told to stop; what it was at is gone on with at the next start. It computes on a
    /// thread of its own, so that it takes no turn of the lanes'.
    pub async fn run(self) -> Result<(), DaemonError> {
        let runtime = Handle::current();
        let thread = spawn_blocking(move || runtime.block_on(self.until_told()));
        match thread.await.map_err(JoinError::try_into_panic) {
            Err(Ok(panic)) => std::panic::resume_unwind(panic),
            // The runtime ends.
            Ok(()) | Err(Err(_)) => Ok(()),
        }
    }

    async fn until_told(self) {
        let mut stop = self.stop.clone();
        tokio::select! {
            () = told(&mut stop) => {}
            never = self.work() => match never {},
        }
    }

    async fn work(&self) -> std::convert::Infallible {
        loop {
            match self.look().await {
                Ok(()) => sleep(LOOK).await,
                Err(why) => {
                    warn!("the verification was cut short and goes on later: {why}");
                    sleep(PAUSE).await;
                }
            }
        }
    }

    async fn look(&self) -> Result<(), Failure> {
        let settings = self.rates.borrow().reconcile.clone();
        let Some(every) = settings.every else {
            return Ok(());
        };
        // Until all carts were read once, there is nothing to compare.
        if refresh::runs::any_unfinished(&self.control, self.pipeline).await? {
            return Ok(());
        }
        let last = runs::last_begun(&self.control, self.pipeline, By::Daemon).await?;
        let left = runs::unfinished(&self.control, self.pipeline, By::Daemon).await?;
        // One that was cut short, by the same mapping and of the same carts, goes on at once.
        let scope = settings.sample.map_or(Scope::Full, Scope::Sample);
        let resume = left.filter(|run| run.mapping == self.mapper.id && run.is_of(&scope));
        if resume.is_none() && last.is_some_and(|seconds| seconds < every.as_secs_f64()) {
            return Ok(());
        }
        let report = tokio::select! {
            report = self.verify(scope, resume) => report?,
            () = self.turned_off() => {
                info!("the verification stops where it is: [reconcile] every is no longer given");
                return Ok(());
            }
        };
        tell(&report);
        // It may be another one than when the run began.
        let settings = self.rates.borrow().reconcile.clone();
        if settings.repair && !report.differing().is_empty() {
            let order = Order::by_daemon(settings.repairs.restore_deleted);
            let carts = report.differing();
            let run = repair::ask(&self.control, self.pipeline, order, carts).await?;
            info!(run, carts = carts.len(), "what differs is repaired");
            if let Some(blind) = repair::blind(&self.mapper.mapping) {
                info!(run, "{blind}");
            }
        }
        Ok(())
    }

    /// Waits until nothing is to be verified any more.
    async fn turned_off(&self) {
        let mut rates = self.rates.clone();
        let is_off = |rates: &Rates| rates.reconcile.every.is_none();
        if rates.wait_for(is_off).await.is_err() {
            // Nobody is left who could turn it off.
            std::future::pending().await
        }
    }

    async fn verify(
        &self,
        scope: Scope,
        resume: Option<runs::Unfinished>,
    ) -> Result<Report, Failure> {
        let source = Source::watched(&self.config.source, "reconcile").await?;
        let target = Target::watched(&self.config.target, "reconcile").await?;
        let control = Target::watched(&self.config.target, "reconcile notes").await?;
        let mapping = &self.mapper.mapping;
        let asker = Asker::connect(&self.config, mapping, Unallocated::Leave).await?;
        let beyond = Plan::of(&self.config, mapping, &target).await?;
        let verifier = Verifier {
            beyond: &beyond,
            alone: tokio::sync::Mutex::default(),
            source: &source,
            target: &target,
            pipeline: self.pipeline,
            mapper: &self.mapper,
            asker: &asker,
            // Nobody reads them here; `verify_cart` has them.
            limit: 0,
        };
        let order = order::Order {
            scope,
            by: By::Daemon,
            control: &control,
            pace: Pace::gentle(self.rates.clone(), Of::Reconcile),
            resume,
        };
        Ok(verifier.carry_out(order, &|_| {}).await?)
    }
}

fn tell(report: &Report) {
    let run = report.run.unwrap_or_default();
    let (compared, equal) = (report.carts_compared(), report.equal);
    match report.is_well() {
        true => info!(run, compared, equal, "verified"),
        false => warn!(
            run,
            compared,
            equal,
            missing = report.missing,
            extra = report.extra,
            different = report.different,
            held = report.held,
            "verified: the target is not as it should be; which carts: verify_cart"
        ),
    }
}

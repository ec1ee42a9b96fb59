//! The daemon: everything of one pipeline, started together, drained together, and started again
//! after what passes by itself.

pub mod error;
pub mod notify;
pub mod schema;
mod mends;
pub mod unmapped;
pub mod start;
pub mod ids;
mod mappings;
mod lookout;
mod outlook;
mod purge;
mod reconcile;
mod remember;
mod tell;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tracing::{error, info, warn};

pub use error::DaemonError;

use self::notify::Notifier;
use self::start::Running;
use self::unmapped::Said;
use crate::config::{self, Config};
use crate::postgres::fault::Fault;
use crate::retry;
use crate::stop::told;
use crate::switch::{self, Mutant};

/// After so long without a fault, the next one is a first one again.
const HEALTHY: Duration = Duration::from_secs(60);

/// Runs the pipeline until told to stop, or until it needs a human. `rates` can change on the way.
/// systemd gets signs of life as long as this very task has its turns, and all others are well.
pub async fn run(
    config: &Config,
    stop: watch::Receiver<bool>,
    rates: watch::Receiver<config::Rates>,
    notifier: &Arc<Notifier>,
) -> Result<(), DaemonError> {
    let ended = tokio::select! {
        ended = keep_running(config, stop, rates, notifier) => ended,
        never = notifier.beat() => match never {},
    };
    if let Err(why) = &ended {
        notifier.status(&format!("stopped: {why}"));
    }
    ended
}

async fn keep_running(
    config: &Config,
    mut stop: watch::Receiver<bool>,
    rates: watch::Receiver<config::Rates>,
    notifier: &Notifier,
) -> Result<(), DaemonError> {
    let mut pauses = retry::policy(None);
    let mut owned = None;
    let said = Said::default();
    loop {
        let begun = tokio::time::Instant::now();
        let result = tokio::select! {
            // Starting can wait for a slot or a lock; a stop does not wait for it.
            () = told(&mut stop) => return Ok(()),
            running = start::start(config, rates.clone(), notifier, &mut owned, &said) => running,
        };
        let error = match result {
            Ok(running) => {
                let shape = running.shape.clone();
                match attend(config, running, stop.clone(), notifier).await {
                    Ok(()) => return Ok(()),
                    Err(error)
                        if error.may_be_schema() && !switch::mutant(Mutant::SchemaUnexplained) =>
                    {
                        schema::explain(config, &shape, error).await
                    }
                    Err(error) => error,
                }
            }
            Err(error) => error,
        };
        if error.fault() != Fault::Retry {
            // Another daemon works on: the pipeline has not stopped.
            if !error.is_fenced_off() {
                start::record_stop(config, &error).await;
            }
            return Err(error);
        }
        if begun.elapsed() > HEALTHY {
            pauses = retry::policy(None);
        }
        let pause = pauses.next().unwrap_or(HEALTHY);
        warn!(
            pause_ms = pause.as_millis() as u64,
            "{error}; starting again"
        );
        notifier.status(&format!("waiting: {error}"));
        tokio::select! {
            () = told(&mut stop) => return Ok(()),
            () = tokio::time::sleep(pause) => {}
        }
    }
}

/// Waits for the stop or for the first failure, then lets everything come to rest.
async fn attend(
    config: &Config,
    running: Running,
    mut stop: watch::Receiver<bool>,
    notifier: &Notifier,
) -> Result<(), DaemonError> {
    let Running {
        mut tasks,
        halt,
        teller,
        ..
    } = running;
    notifier.ready();
    let first = tokio::select! {
        () = told(&mut stop) => {
            info!("stopping: draining the lanes");
            None
        }
        ended = tasks.join_next() => ended,
        never = teller.run(notifier) => match never {},
    };
    halt.send_replace(true);
    let stopping = first.is_none();
    let mut failures: Vec<DaemonError> = first.into_iter().filter_map(error::of_task).collect();
    let drained = timeout(config.apply.drain_timeout, drain(&mut tasks, &mut failures)).await;
    if drained.is_err() {
        warn!(
            timeout_s = config.apply.drain_timeout.as_secs(),
            "the lanes were not drained in time; what they had not committed is read again"
        );
        tasks.shutdown().await;
    }
    // What a task says of its neighbour's end is not the cause.
    failures.sort_by_key(DaemonError::is_consequence);
    match failures.into_iter().next() {
        Some(error) if stopping && error.is_consequence() => Ok(()),
        Some(error) => Err(error),
        None if stopping => {
            info!("stopped; everything taken from the log is durable");
            Ok(())
        }
        None => {
            error!("the daemon's tasks ended without a reason");
            Err(DaemonError::Ended)
        }
    }
}

async fn drain(tasks: &mut JoinSet<Result<(), DaemonError>>, failures: &mut Vec<DaemonError>) {
    while let Some(ended) = tasks.join_next().await {
        failures.extend(error::of_task(ended));
    }
}

//! `cartage run`: the daemon.

use std::process::ExitCode;
use std::sync::Arc;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tracing::error;

use super::logging::Levels;
use super::reload::Reload;
use super::{CommandError, NEEDS_HUMAN, USAGE};
use crate::config::Config;
use crate::daemon::notify::Notifier;
use crate::daemon::{self, DaemonError};
use crate::metrics;

/// Moves carts until SIGTERM or SIGINT. SIGHUP reads `[refresh]`, `[reconcile]` and `[log]` again: rates, load
/// guards and log levels change while the daemon runs, everything else at its next start.
pub async fn run(config: &Config, levels: Levels) -> Result<ExitCode, CommandError> {
    if let Some(address) = config.metrics.listen {
        metrics::serve(address, &config.name)
            .await
            .map_err(CommandError::failed)?;
    }
    let (stop, told) = watch::channel(false);
    let mut terminate = signal(SignalKind::terminate()).map_err(CommandError::failed)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(CommandError::failed)?;
    let mut hangup = signal(SignalKind::hangup()).map_err(CommandError::failed)?;
    let (rates, rates_seen) = watch::channel(config.rates());
    let mut reload = Reload::new(config, rates, levels);
    let notifier = Arc::new(Notifier::default());
    let (drain, tells) = (config.apply.drain_timeout, notifier.clone());
    tokio::spawn(async move {
        loop {
            tokio::select! {
                _ = terminate.recv() => break,
                _ = interrupt.recv() => break,
                _ = hangup.recv() => reload.again(&tells),
            }
        }
        tells.stopping(drain);
        stop.send_replace(true);
    });
    match daemon::run(config, told, rates_seen, &notifier).await {
        Ok(()) => Ok(ExitCode::SUCCESS),
        Err(DaemonError::Mapping(problems)) => Err(CommandError {
            exit: USAGE,
            message: problems.render(false),
        }),
        Err(why) => {
            error!("{why}");
            Err(CommandError {
                exit: NEEDS_HUMAN,
                message: why.to_string(),
            })
        }
    }
}

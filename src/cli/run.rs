//! `cartage run`: the daemon.

use std::process::ExitCode;
use std::sync::Arc;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tracing::{error, info};

use super::{CommandError, NEEDS_HUMAN, USAGE};
use crate::config::Config;
use crate::daemon::notify::Notifier;
use crate::daemon::{self, DaemonError};

/// Moves carts until SIGTERM or SIGINT. SIGHUP reads `[refresh]` again: rates and load guards change
/// while the daemon runs, everything else at its next start.
pub async fn run(config: &Config) -> Result<ExitCode, CommandError> {
    let (stop, told) = watch::channel(false);
    let mut terminate = signal(SignalKind::terminate()).map_err(CommandError::failed)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(CommandError::failed)?;
    let mut hangup = signal(SignalKind::hangup()).map_err(CommandError::failed)?;
    let (rates, rates_seen) = watch::channel(config.refresh.clone());
    let notifier = Arc::new(Notifier::default());
    let (path, drain, tells) = (
        config.path.clone(),
        config.apply.drain_timeout,
        notifier.clone(),
    );
    tokio::spawn(async move {
        loop {
            tokio::select! {
                _ = terminate.recv() => break,
                _ = interrupt.recv() => break,
                _ = hangup.recv() => {
                    tells.reloading();
                    match Config::load(&path) {
                        Ok(config) => {
                            rates.send_replace(config.refresh);
                            info!("SIGHUP: [refresh] was read again");
                        }
                        Err(problems) => error!("SIGHUP: nothing has changed\n{}", problems.render(false)),
                    }
                    tells.reloaded();
                }
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

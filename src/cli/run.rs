//! `cartage run`: the daemon.

use std::process::ExitCode;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tracing::{error, info};

use super::{CommandError, NEEDS_HUMAN, USAGE};
use crate::config::Config;
use crate::daemon::{self, DaemonError};

/// Moves carts until SIGTERM or SIGINT.
pub async fn run(config: &Config) -> Result<ExitCode, CommandError> {
    let (stop, told) = watch::channel(false);
    let mut terminate = signal(SignalKind::terminate()).map_err(CommandError::failed)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(CommandError::failed)?;
    let mut hangup = signal(SignalKind::hangup()).map_err(CommandError::failed)?;
    tokio::spawn(async move {
        loop {
            tokio::select! {
                _ = terminate.recv() => break,
                _ = interrupt.recv() => break,
                _ = hangup.recv() => info!("SIGHUP: nothing in the file can change live yet"),
            }
        }
        stop.send_replace(true);
    });
    match daemon::run(config, told).await {
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

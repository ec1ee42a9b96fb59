//! SIGHUP: the file is read again. What can change while the daemon runs does; what else has
//! changed in the file is named, for it waits for the next start.

use tokio::sync::watch;
use tracing::{error, info, warn};

use super::logging::Levels;
use crate::config::{self, Config};
use crate::daemon::notify::Notifier;

/// The configuration that the daemon was started with, and what of it can change.
pub struct Reload {
    started: Config,
    rates: watch::Sender<config::Rates>,
    levels: Levels,
    level: String,
}

impl Reload {
    /// Takes the log level into force, as a SIGHUP would.
    pub fn new(config: &Config, rates: watch::Sender<config::Rates>, levels: Levels) -> Self {
        // Whoever gave RUST_LOG or -v knows that it wins.
        let _ = levels.follow(&config.log.level);
        Self {
            started: config.clone(),
            rates,
            levels,
            level: config.log.level.clone(),
        }
    }

    pub fn again(&mut self, notifier: &Notifier) {
        notifier.reloading();
        match Config::load(&self.started.path) {
            Ok(config) => self.take(config),
            Err(problems) => error!("SIGHUP: nothing has changed\n{}", problems.render(false)),
        }
        notifier.reloaded();
    }

    fn take(&mut self, config: Config) {
        if config.log.level != self.level {
            match self.levels.follow(&config.log.level) {
                Ok(()) => info!(
                    level = config.log.level,
                    "SIGHUP: the log level has changed"
                ),
                Err(why) => warn!("SIGHUP: [log] level has changed without effect: {why}"),
            }
            self.level.clone_from(&config.log.level);
        }
        let waiting = self.started.differences(&config);
        if !waiting.is_empty() {
            warn!(
                changed = waiting.join(", "),
                "SIGHUP: the file has changes that only the next start takes"
            );
        }
        self.rates.send_replace(config.rates());
        info!("SIGHUP: [refresh], [reconcile] and [log] were read again");
    }
}

//! What systemd is told (sd_notify(3)): ready, alive, reloading, stopping, and one line for people.
//! Without systemd, all of it goes nowhere.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use sd_notify::NotifyState;
use tokio::time::{MissedTickBehavior, interval};
use tracing::{debug, error, info};

use crate::pulse::Pulses;

/// How much longer than its draining a stop may take: the reason is stored, sessions are closed.
const FAREWELL: Duration = Duration::from_secs(10);

#[derive(Debug, Default)]
pub struct Notifier {
    pub pulses: Pulses,
    ready: AtomicBool,
}

impl Notifier {
    /// The stream runs. From here on systemd waits for signs of life.
    pub fn ready(&self) {
        self.ready.store(true, Ordering::Relaxed);
        send(&[NotifyState::Ready]);
    }

    /// The line that `systemctl status` shows.
    pub fn status(&self, line: &str) {
        send(&[NotifyState::Status(&one_line(line))]);
    }

    /// The configuration is read again. `systemctl reload` shows it as such until [`Self::reloaded`].
    pub fn reloading(&self) {
        // A daemon that was not ready yet must not become so by this.
        if self.ready.load(Ordering::Relaxed) {
            let now = NotifyState::monotonic_usec_now().ok();
            let states: Vec<_> = [NotifyState::Reloading].into_iter().chain(now).collect();
            send(&states);
        }
    }

    pub fn reloaded(&self) {
        if self.ready.load(Ordering::Relaxed) {
            send(&[NotifyState::Ready]);
        }
    }

    /// The daemon comes to rest, which may take as long as the lanes may drain.
    pub fn stopping(&self, drain: Duration) {
        let micros = u32::try_from((drain + FAREWELL).as_micros()).unwrap_or(u32::MAX);
        send(&[
            NotifyState::Stopping,
            NotifyState::ExtendTimeoutUsec(micros),
            NotifyState::Status("stopping: draining the lanes"),
        ]);
    }

    /// Signs of life, as often as systemd wants them, while every task is well. A task may be stuck
    /// for half of `WatchdogSec=`; that time again later systemd ends the daemon. They are given by
    /// a thread of their own, which can still say why they end.
    pub async fn beat(self: &Arc<Self>) -> Infallible {
        let Some(watchdog) = sd_notify::watchdog_enabled().filter(|time| !time.is_zero()) else {
            return std::future::pending().await;
        };
        let seen = Arc::downgrade(self);
        thread::spawn(move || {
            let mut silent = false;
            while let Some(notifier) = seen.upgrade() {
                silent = notifier.give_sign(watchdog / 2, silent);
                drop(notifier);
                thread::sleep(watchdog / 4);
            }
        });
        let mut beat = interval(watchdog / 8);
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            beat.tick().await;
            self.pulses.turn();
        }
    }

    /// Returns whether none was given.
    fn give_sign(&self, limit: Duration, silent: bool) -> bool {
        match self.pulses.stuck(limit) {
            None => {
                if silent {
                    info!("all tasks go on");
                }
                send(&[NotifyState::Watchdog]);
                false
            }
            Some(why) => {
                if !silent {
                    error!("{why}; unless it goes on, systemd ends the daemon");
                    self.status(&format!("stuck: {why}"));
                }
                true
            }
        }
    }
}

fn send(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        debug!(%error, "systemd cannot be told");
    }
}

/// Assignments end with the line: a server's message must not make another one.
fn one_line(text: &str) -> String {
    text.split(char::is_control)
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_cannot_say_more_than_a_status() {
        assert_eq!(one_line("waiting: no\r\nREADY=1\n"), "waiting: no READY=1");
    }
}

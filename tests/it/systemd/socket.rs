//! systemd's end of sd_notify(3): a datagram socket that keeps what it was told.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tempfile::TempDir;
use tokio::net::UnixDatagram;
use tokio::time::timeout;

use crate::scenario::daemon::Daemon;

const DEADLINE: Duration = Duration::from_secs(60);

pub struct Manager {
    socket: UnixDatagram,
    path: PathBuf,
    /// All assignments so far, and when they came.
    pub told: Vec<(Instant, String)>,
    _folder: TempDir,
}

impl Manager {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notify");
        Self {
            socket: UnixDatagram::bind(&path).unwrap(),
            path,
            told: Vec::new(),
            _folder: folder,
        }
    }

    /// A daemon that is watched, with this `WatchdogSec=`.
    pub fn start(&self, config: &Path, watchdog: Duration) -> Daemon {
        let micros = watchdog.as_micros().to_string();
        let socket = self.path.to_str().unwrap();
        Daemon::start_with(
            config,
            &[("NOTIFY_SOCKET", socket), ("WATCHDOG_USEC", &micros)],
        )
    }

    /// Takes the next message; false if none comes until then.
    pub async fn next(&mut self, until: Instant) -> bool {
        let mut message = vec![0; 4096];
        let left = until.saturating_duration_since(Instant::now());
        let Ok(received) = timeout(left, self.socket.recv(&mut message)).await else {
            return false;
        };
        let text = std::str::from_utf8(&message[..received.unwrap()]).unwrap();
        let now = Instant::now();
        self.told.extend(text.lines().map(|l| (now, l.to_owned())));
        true
    }

    /// Waits until something like this is told from now on.
    pub async fn until(
        &mut self,
        daemon: &Daemon,
        what: &str,
        is: impl Fn(&str) -> bool,
    ) -> String {
        let deadline = Instant::now() + DEADLINE;
        loop {
            let seen = self.told.len();
            assert!(
                self.next(deadline).await,
                "waited {DEADLINE:?} for {what}; told so far: {:#?}\n{}",
                self.lines(),
                daemon.log()
            );
            if let Some((_, line)) = self.told[seen..].iter().find(|(_, line)| is(line)) {
                return line.clone();
            }
        }
    }

    /// Takes all that is told for so long.
    pub async fn listen(&mut self, time: Duration) {
        let end = Instant::now() + time;
        while self.next(end).await {}
    }

    pub fn lines(&self) -> Vec<&str> {
        self.told.iter().map(|(_, line)| line.as_str()).collect()
    }

    /// How often something was told since then.
    pub fn count(&self, line: &str, since: Instant) -> usize {
        let told = self.told.iter().filter(|(at, _)| *at >= since);
        told.filter(|(_, l)| l == line).count()
    }
}

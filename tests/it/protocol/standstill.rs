//! What stands still for as long as a test likes: commits that wait for a standby, and processes.

use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tokio::task::JoinHandle;

use crate::scenario::servers::connect;

const DEADLINE: Duration = Duration::from_secs(30);

/// A committed transaction that no snapshot sees, until this is dropped.
pub struct Unseen {
    pub url: String,
    pub pid: i64,
    pub commit: JoinHandle<()>,
}

impl Unseen {
    /// Ends the wait for the standby.
    pub async fn seen(self) {
        connect(&self.url)
            .await
            .batch_execute(&self.end())
            .await
            .unwrap();
        // The commit cannot fail any more.
        wait("a commit to return", String::new, async || {
            self.commit.is_finished()
        })
        .await;
    }

    fn end(&self) -> String {
        format!("SELECT pg_cancel_backend({})", self.pid)
    }
}

/// A session left waiting would keep every later `setup` of this server waiting: a slot begins once
/// what runs has ended.
impl Drop for Unseen {
    fn drop(&mut self) {
        let (url, sql) = (self.url.clone(), self.end());
        let ended = std::thread::spawn(move || {
            let runtime = tokio::runtime::Runtime::new().unwrap();
            runtime.block_on(async { connect(&url).await.batch_execute(&sql).await.unwrap() });
        });
        let _ = ended.join();
    }
}

/// A process that stands still until this is dropped.
pub struct Paused(Pid);

impl Paused {
    pub fn stop(pid: Pid) -> Self {
        kill_process(pid, Signal::STOP).unwrap();
        Self(pid)
    }
}

impl Drop for Paused {
    fn drop(&mut self) {
        // It may have been ended meanwhile.
        let _ = kill_process(self.0, Signal::CONT);
    }
}

/// Waits until `done`.
pub async fn wait(awaited: &str, log: impl Fn() -> String, done: impl AsyncFn() -> bool) {
    let deadline = Instant::now() + DEADLINE;
    while !done().await {
        assert!(
            Instant::now() < deadline,
            "waited {DEADLINE:?} for this: {awaited}\n{}",
            log()
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

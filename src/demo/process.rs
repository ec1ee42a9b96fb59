//! The process of a throwaway server, with the folder that all of it lies in: started on a port of
//! its own, stopped in order, gone without trace when dropped.

use std::fs;
use std::io;
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::binaries::Account;
use super::cluster::ClusterError;
use super::template::Folder;
use super::watchdog::watchdog;

const START_DEADLINE: Duration = Duration::from_secs(60);
const STOP_DEADLINE: Duration = Duration::from_secs(30);
const PORT_ATTEMPTS: usize = 10;

#[derive(Debug)]
pub struct Process {
    // Fields drop in this order, after `drop`: the watchdog must not see the server gone, nor the
    // folder.
    watchdog: Option<Child>,
    server: Option<Child>,
    port: u16,
    account: Option<Account>,
    /// What ends it at once, when its data are thrown away.
    end: Signal,
    folder: Folder,
}

impl Process {
    pub fn new(folder: Folder, account: Option<Account>, end: Signal) -> Self {
        Self {
            watchdog: None,
            server: None,
            port: 0,
            account,
            end,
            folder,
        }
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub fn data(&self) -> PathBuf {
        self.folder().join("data")
    }

    /// The same for the server's whole life.
    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn account(&self) -> Option<Account> {
        self.account
    }

    #[cfg(test)]
    pub fn id(&self) -> Option<u32> {
        self.server.as_ref().map(Child::id)
    }

    /// What the server has logged so far.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder().join("log")).unwrap_or_default()
    }

    /// Starts the server for the first time, on a port that is free; `taken` is what it logs where
    /// somebody else took that between our look and its own. `pid_file`, in its folder, and the
    /// folder of its template are what somebody has to tidy up if we cannot.
    pub async fn first_launch(
        &mut self,
        pid_file: &str,
        template: Option<&Path>,
        taken: &str,
        launch: impl AsyncFn(&mut Self) -> Result<(), ClusterError>,
    ) -> Result<(), ClusterError> {
        let mut folders = vec![self.folder()];
        folders.extend(template);
        let watchdog = watchdog(&self.folder().join(pid_file), &folders);
        self.watchdog = Some(watchdog.map_err(ClusterError::io("cannot start sh"))?);
        let mut attempts = 1;
        loop {
            self.port = free_port().map_err(ClusterError::io("cannot bind a port"))?;
            match launch(self).await {
                Err(ClusterError::Stopped { log })
                    if attempts < PORT_ATTEMPTS && log.contains(taken) =>
                {
                    attempts += 1;
                }
                outcome => return outcome,
            }
        }
    }

    /// Runs the server's command and waits until it `answers`.
    pub async fn launch(
        &mut self,
        mut command: Command,
        answers: impl AsyncFn(&Self) -> bool,
    ) -> Result<(), ClusterError> {
        let log = fs::File::options()
            .create(true)
            .append(true)
            .open(self.folder().join("log"))
            .map_err(ClusterError::io("the server's log"))?;
        command
            .current_dir(self.folder())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            // Ctrl-C on the terminal is for us; we stop the server in order.
            .process_group(0);
        if let Some(account) = self.account {
            command.uid(account.uid).gid(account.gid);
        }
        let what = format!("cannot start {}", command.get_program().display());
        self.server = Some(command.spawn().map_err(ClusterError::io(what))?);

        let deadline = Instant::now() + START_DEADLINE;
        loop {
            if self.has_ended()? {
                return Err(ClusterError::Stopped {
                    log: self.log_tail(),
                });
            }
            if answers(self).await {
                return Ok(());
            }
            if Instant::now() > deadline {
                return Err(self.deadline("start", START_DEADLINE));
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Stops the server by this signal, and waits until it is gone. The data stay.
    pub async fn stop(&mut self, by: Signal) -> Result<(), ClusterError> {
        if let Some(server) = &self.server {
            signal(server, by);
        }
        let deadline = Instant::now() + STOP_DEADLINE;
        while !self.has_ended()? {
            if Instant::now() > deadline {
                return Err(self.deadline("stop", STOP_DEADLINE));
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Ok(())
    }

    fn has_ended(&mut self) -> Result<bool, ClusterError> {
        if let Some(server) = &mut self.server
            && server
                .try_wait()
                .map_err(ClusterError::io("wait"))?
                .is_some()
        {
            self.server = None;
        }
        Ok(self.server.is_none())
    }

    fn deadline(&self, what: &'static str, after: Duration) -> ClusterError {
        ClusterError::Deadline {
            what,
            seconds: after.as_secs(),
            log: self.log_tail(),
        }
    }

    fn log_tail(&self) -> String {
        let log = self.log();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(12)..].join("\n")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Some(mut watchdog) = self.watchdog.take() {
            let _ = watchdog.kill();
            let _ = watchdog.wait();
        }
        if let Some(mut server) = self.server.take() {
            signal(&server, self.end);
            let deadline = Instant::now() + Duration::from_secs(10);
            while let Ok(None) = server.try_wait() {
                if Instant::now() > deadline {
                    let _ = server.kill();
                    let _ = server.wait();
                    break;
                }
                thread::sleep(Duration::from_millis(5));
            }
        }
    }
}

fn signal(process: &Child, signal: Signal) {
    if let Some(pid) = i32::try_from(process.id()).ok().and_then(Pid::from_raw) {
        // The only failure is that the process has gone already, which `wait` will tell.
        let _ = kill_process(pid, signal);
    }
}

fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

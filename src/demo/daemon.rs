//! The real daemon as a process of its own, which can be killed.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tokio::process::{Child, Command};
use tokio::time::timeout;

use super::DemoError;
use super::template::Folder;

const SETUP_DEADLINE: Duration = Duration::from_secs(60);
const DRAIN_DEADLINE: Duration = Duration::from_secs(30);

/// A program, its configuration file, and the process if it runs. Dropped, it takes the process
/// along.
#[derive(Debug)]
pub struct Daemon {
    program: PathBuf,
    folder: Folder,
    process: Option<Child>,
}

impl Daemon {
    /// Writes the configuration and lets `setup` prepare both ends.
    pub async fn set_up(program: PathBuf, configuration: &str) -> Result<Self, DemoError> {
        let folder = Folder::new("demo", None)?;
        fs::write(folder.path().join("cartage.toml"), configuration)
            .map_err(|error| DemoError::io("cartage.toml", error))?;
        let daemon = Daemon {
            program,
            folder,
            process: None,
        };
        let mut setup = daemon
            .command(&["setup", "--yes"])?
            .spawn()
            .map_err(|error| DemoError::io("cartage setup", error))?;
        let status = timeout(SETUP_DEADLINE, setup.wait())
            .await
            .map_err(|_| DemoError::Deadline("cartage setup to end"))?
            .map_err(|error| DemoError::io("cartage setup", error))?;
        match status.success() {
            true => Ok(daemon),
            false => Err(daemon.ended("setup", status)),
        }
    }

    /// Starts `cartage run`.
    pub fn start(&mut self) -> Result<(), DemoError> {
        let process = self
            .command(&["run"])?
            .spawn()
            .map_err(|error| DemoError::io("cartage run", error))?;
        self.process = Some(process);
        Ok(())
    }

    /// An error if the daemon has ended by itself.
    pub fn check_alive(&mut self) -> Result<(), DemoError> {
        let Some(process) = &mut self.process else {
            return Ok(());
        };
        match process
            .try_wait()
            .map_err(|error| DemoError::io("cartage run", error))?
        {
            None => Ok(()),
            Some(status) => Err(self.ended("run", status)),
        }
    }

    /// SIGKILL, and wait until the process is gone.
    pub async fn kill(&mut self) -> Result<(), DemoError> {
        self.check_alive()?;
        match self.process.take() {
            None => Ok(()),
            Some(mut process) => process
                .kill()
                .await
                .map_err(|error| DemoError::io("cartage run", error)),
        }
    }

    /// SIGTERM; the daemon must drain and exit with 0.
    pub async fn terminate(&mut self) -> Result<(), DemoError> {
        self.check_alive()?;
        let Some(mut process) = self.process.take() else {
            return Ok(());
        };
        let id = process.id().and_then(|id| i32::try_from(id).ok());
        if let Some(pid) = id.and_then(Pid::from_raw) {
            // It may have ended since we looked; `wait` tells.
            let _ = kill_process(pid, Signal::TERM);
        }
        let status = timeout(DRAIN_DEADLINE, process.wait())
            .await
            .map_err(|_| DemoError::Deadline("cartage run to drain after SIGTERM"))?
            .map_err(|error| DemoError::io("cartage run", error))?;
        match status.success() {
            true => Ok(()),
            false => Err(self.ended("run", status)),
        }
    }

    /// Another command of the program, beside the daemon: what it prints, whether it is done and well
    /// or has found something (exit codes 0 and 3).
    pub fn beside(
        &self,
        command: &'static str,
        arguments: &[&str],
    ) -> Result<impl Future<Output = Result<Vec<u8>, DemoError>> + 'static, DemoError> {
        let failed = move |error| DemoError::io(command, error);
        let arguments = [&[command], arguments].concat();
        let mut process = self.command(&arguments)?;
        let process = process.stdout(Stdio::piped()).spawn().map_err(failed)?;
        let log = self.log_path();
        Ok(async move {
            let output = process.wait_with_output().await.map_err(failed)?;
            match output.status.code() {
                Some(0 | 3) => Ok(output.stdout),
                _ => Err(ended(command, output.status, &log)),
            }
        })
    }

    fn command(&self, arguments: &[&str]) -> Result<Command, DemoError> {
        let log = File::options()
            .create(true)
            .append(true)
            .open(self.log_path())
            .map_err(|error| DemoError::io("the daemon's log", error))?;
        let mut command = Command::new(&self.program);
        command
            .arg("--config")
            .arg(self.folder.path().join("cartage.toml"))
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            // Ctrl-C on the terminal is for the demo, which then stops the daemon.
            .process_group(0)
            .kill_on_drop(true);
        Ok(command)
    }

    fn log_path(&self) -> PathBuf {
        self.folder.path().join("daemon.log")
    }

    fn ended(&self, command: &'static str, status: ExitStatus) -> DemoError {
        ended(command, status, &self.log_path())
    }
}

fn ended(command: &'static str, status: ExitStatus, log: &Path) -> DemoError {
    let log = fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = log.lines().collect();
    DemoError::Daemon {
        command,
        status,
        log: lines[lines.len().saturating_sub(15)..].join("\n"),
    }
}

//! `cartage` as a process that is to be killed: in a folder with its configuration and its log.

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use cartage::switch::Place;
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

const DEADLINE: Duration = Duration::from_secs(300);
const LOOK: Duration = Duration::from_millis(5);
/// How much rarer looks become while one waits: provocations come with them, and a storefront must
/// not run away from a daemon that a busy machine has no time for.
const PATIENCE: u32 = 50;
const SIGKILL: i32 = 9;

/// Starts processes, and keeps what they say.
pub struct Cartage {
    folder: TempDir,
    /// Smaller ones than usual (`CARTAGE_BOUND`).
    pub bounds: &'static str,
}

/// The n-th time that the process comes to a place.
#[derive(Clone, Copy, Debug)]
pub struct Visit {
    pub place: Place,
    pub nth: u64,
}

impl Cartage {
    pub fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            bounds: "",
        }
    }

    pub fn configure(&self, text: &str) {
        fs::write(self.config(), text).unwrap();
    }

    fn config(&self) -> PathBuf {
        self.folder.path().join("cartage.toml")
    }

    pub fn whole_log(&self) -> String {
        Log(self.folder.path().join("log")).whole()
    }

    /// The last that cartage has said.
    pub fn log(&self) -> String {
        Log(self.folder.path().join("log")).last()
    }

    /// What all processes have noted of the places that they came to, for the tally.
    pub fn places(&self) -> String {
        fs::read_to_string(self.folder.path().join("places")).unwrap_or_default()
    }

    /// It is killed where that is wished for.
    pub fn start(&self, arguments: &[&str], kill: Option<Visit>) -> Process {
        self.launch(arguments, kill.map(|visit| ("CARTAGE_KILL", visit)))
    }

    /// It is halted there; see [`Process::halts`].
    pub fn halted(&self, arguments: &[&str], at: Visit) -> Process {
        self.launch(arguments, Some(("CARTAGE_HALT", at)))
    }

    fn launch(&self, arguments: &[&str], wish: Option<(&str, Visit)>) -> Process {
        let path = self.folder.path().join("log");
        let log = fs::File::options().create(true).append(true).open(&path);
        let log = log.unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_cartage"));
        command
            .arg("--config")
            .arg(self.config())
            .args(arguments)
            .env("CARTAGE_PLACES", self.folder.path().join("places"))
            .env("CARTAGE_BOUND", self.bounds)
            .env_remove("CARTAGE_KILL")
            .env_remove("CARTAGE_HALT")
            .env_remove("RUST_LOG")
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log);
        if let Some((name, Visit { place, nth })) = wish {
            command.env(name, format!("{}@{nth}", place.name()));
        }
        Process {
            child: command.spawn().unwrap(),
            log: Log(path),
            wish: wish.map(|(_, visit)| visit),
            arguments: arguments.join(" "),
        }
    }

    /// Runs a command to its end, whatever that is.
    pub async fn command(&self, arguments: &[&str]) -> ExitStatus {
        self.start(arguments, None).ended().await
    }

    /// Runs a command to its end, which must be a good one.
    pub async fn must(&self, arguments: &[&str]) {
        let status = self.command(arguments).await;
        let arguments = arguments.join(" ");
        assert!(
            status.success(),
            "cartage {arguments}: {status}\n{}",
            self.log()
        );
    }

    /// Runs a command that must be killed on its way.
    pub async fn killed(&self, arguments: &[&str], place: Place) {
        self.killed_at(arguments, Visit { place, nth: 1 }).await;
    }

    pub async fn killed_at(&self, arguments: &[&str], visit: Visit) {
        self.start(arguments, Some(visit)).dies(async || {}).await;
    }
}

struct Log(PathBuf);

impl Log {
    fn whole(&self) -> String {
        fs::read_to_string(&self.0).unwrap_or_default()
    }

    fn last(&self) -> String {
        let log = self.whole();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(60)..].join("\n")
    }
}

pub struct Process {
    child: Child,
    log: Log,
    wish: Option<Visit>,
    arguments: String,
}

impl Process {
    /// Waits for the kill that was wished for, while the provocation goes on.
    pub async fn dies(&mut self, provoke: impl AsyncFn()) {
        let begun = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                assert_eq!(
                    status.signal(),
                    Some(SIGKILL),
                    "cartage {} ended with {status}, and not by {:?}\n{}",
                    self.arguments,
                    self.wish,
                    self.log.last()
                );
                return;
            }
            self.assert_in_time(begun);
            provoke().await;
            tokio::time::sleep(LOOK + begun.elapsed() / PATIENCE).await;
        }
    }

    /// Waits until it stands still where that was wished for (state `T` of proc(5)).
    pub async fn halts(&mut self, provoke: impl AsyncFn()) {
        let begun = Instant::now();
        let file = format!("/proc/{}/stat", self.child.id());
        loop {
            self.assert_alive();
            let stat = fs::read_to_string(&file).unwrap_or_default();
            if stat.contains(") T ") {
                return;
            }
            self.assert_in_time(begun);
            provoke().await;
            tokio::time::sleep(LOOK + begun.elapsed() / PATIENCE).await;
        }
    }

    /// Lets it go on after a halt.
    pub fn goes_on(&mut self) {
        self.assert_alive();
        let pid = Pid::from_raw(i32::try_from(self.child.id()).unwrap()).unwrap();
        kill_process(pid, Signal::CONT).unwrap();
    }

    fn assert_in_time(&self, begun: Instant) {
        assert!(
            begun.elapsed() < DEADLINE,
            "waited {DEADLINE:?} for cartage {} to come to {:?}\n{}",
            self.arguments,
            self.wish,
            self.log.last()
        );
    }

    /// SIGKILL now.
    pub fn kill(&mut self) {
        self.assert_alive();
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    pub fn assert_alive(&mut self) {
        let ended = self.child.try_wait().unwrap();
        assert!(
            ended.is_none(),
            "cartage {} ended by itself with {ended:?}\n{}",
            self.arguments,
            self.log.last()
        );
    }

    /// What it ended with, if it has.
    pub fn status(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().unwrap()
    }

    pub async fn ended(mut self) -> ExitStatus {
        let deadline = Instant::now() + DEADLINE;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(
                Instant::now() < deadline,
                "waited {DEADLINE:?} for cartage {} to end\n{}",
                self.arguments,
                self.log.last()
            );
            tokio::time::sleep(LOOK).await;
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

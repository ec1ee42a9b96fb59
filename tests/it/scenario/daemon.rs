//! The real binary: commands that end, and the daemon that is killed and started again.

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

const STOP_DEADLINE: Duration = Duration::from_secs(40);

/// What a daemon says of a kill's aftermath, which every scenario provokes.
const AFTER_A_KILL: &[&str] = &["is still active", "the log is being read; waiting"];

fn cartage(config: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cartage"));
    command
        .env("CARTAGE_CONFIG", config)
        .env_remove("RUST_LOG")
        .stdin(Stdio::null());
    command
}

/// Runs a command to its end, which must be a good one.
pub fn command(config: &Path, arguments: &[&str]) -> String {
    let Output {
        status,
        stdout,
        stderr,
    } = cartage(config).args(arguments).output().unwrap();
    let stdout = String::from_utf8_lossy(&stdout).into_owned();
    assert!(
        status.success(),
        "cartage {} ended with {status}\n{stdout}\n{}",
        arguments.join(" "),
        String::from_utf8_lossy(&stderr)
    );
    stdout
}

/// The JSON document that a command prints, however it ends.
pub fn json(config: &Path, arguments: &[&str]) -> serde_json::Value {
    let output = cartage(config).args(arguments).output().unwrap();
    serde_json::from_slice(&output.stdout).unwrap_or_else(|e| {
        panic!(
            "cartage {arguments:?} printed no document: {e}\n{}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        )
    })
}

/// Runs a command that must be refused; all that it says.
pub fn refusal(config: &Path, arguments: &[&str]) -> String {
    let output = cartage(config).args(arguments).output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    assert!(
        !output.status.success(),
        "{arguments:?} was content\n{said}"
    );
    said
}

/// `cartage run`, over as many lives as the kills give it.
pub struct Daemon {
    config: PathBuf,
    log: PathBuf,
    environment: Vec<(String, String)>,
    child: Child,
}

impl Daemon {
    pub fn start(config: &Path) -> Self {
        Self::start_with(config, &[])
    }

    /// With switches of the test build, in all its lives.
    pub fn start_with(config: &Path, environment: &[(&str, &str)]) -> Self {
        let log = config.with_extension("log");
        let environment: Vec<(String, String)> = environment
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        Self {
            child: launch(config, &log, &environment),
            config: config.to_path_buf(),
            log,
            environment,
        }
    }

    pub fn pid(&self) -> Pid {
        Pid::from_raw(i32::try_from(self.child.id()).unwrap()).unwrap()
    }

    pub fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).unwrap();
    }

    /// Waits until it has ended by itself.
    pub async fn ended(&mut self) -> ExitStatus {
        let deadline = Instant::now() + STOP_DEADLINE;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(
                Instant::now() < deadline,
                "waited {STOP_DEADLINE:?} for the daemon to end by itself\n{}",
                self.log()
            );
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Waits until a line of its log has this text.
    pub async fn says(&mut self, text: &str) {
        self.says_again(text, 1).await;
    }

    /// The same, so many times.
    pub async fn says_again(&mut self, text: &str, times: usize) {
        let deadline = Instant::now() + STOP_DEADLINE;
        while self.log().matches(text).count() < times {
            assert!(self.alive(), "the daemon ended by itself\n{}", self.log());
            assert!(
                Instant::now() < deadline,
                "waited {STOP_DEADLINE:?} for the daemon to say: {text}\n{}",
                self.log()
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Waits until it is killed at the place that `CARTAGE_KILL` names.
    pub async fn killed(mut self) {
        let status = self.ended().await;
        assert_eq!(
            status.signal(),
            Some(9),
            "it ended with {status}\n{}",
            self.log()
        );
    }

    /// The most of memory that it ever had, in MiB (`VmHWM` of proc(5)).
    pub fn peak_memory(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmHWM:"));
        let kilobytes = line.and_then(|line| line.split_whitespace().nth(1));
        kilobytes.unwrap().parse::<u64>().unwrap() / 1024
    }

    /// SIGKILL, and a new life at once.
    pub fn kill(&mut self) {
        assert!(self.alive(), "the daemon ended by itself\n{}", self.log());
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.child = launch(&self.config, &self.log, &self.environment);
    }

    pub fn alive(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// What it ended with, once it has.
    pub fn exit_code(&mut self) -> Option<i32> {
        self.child.try_wait().unwrap()?.code()
    }

    /// SIGTERM: it must drain and exit with 0.
    pub async fn stop(mut self) {
        self.hears().await;
        self.signal(Signal::TERM);
        let status = self.ended().await;
        assert!(
            status.success(),
            "after SIGTERM it ended with {status}\n{}",
            self.log()
        );
    }

    /// Waits until it has a handler of SIGTERM: in the first milliseconds of its life it has none
    /// (`SigCgt` of proc(5)).
    async fn hears(&mut self) {
        let file = format!("/proc/{}/status", self.child.id());
        let bit = 1 << (Signal::TERM.as_raw() - 1);
        let deadline = Instant::now() + STOP_DEADLINE;
        loop {
            assert!(self.alive(), "the daemon ended by itself\n{}", self.log());
            let status = fs::read_to_string(&file).unwrap_or_default();
            let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:"));
            let caught = caught.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
            if caught.is_some_and(|mask| mask & bit != 0) {
                return;
            }
            assert!(
                Instant::now() < deadline,
                "no handler of SIGTERM\n{}",
                self.log()
            );
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// All that it has logged, in all its lives.
    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn launch(config: &Path, log: &Path, environment: &[(String, String)]) -> Child {
    let log = fs::File::options()
        .create(true)
        .append(true)
        .open(log)
        .unwrap();
    cartage(config)
        .args(["run", "--log-format", "json"])
        .envs(environment.iter().map(|(name, value)| (name, value)))
        .stdout(Stdio::null())
        .stderr(log)
        .spawn()
        .unwrap()
}

/// Lines that ask for a human although nothing is wrong.
pub fn unexpected(log: &str, allow: &[String]) -> Vec<String> {
    log.lines()
        .filter(|line| {
            let level = serde_json::from_str::<serde_json::Value>(line)
                .ok()
                .and_then(|line| Some(line.get("level")?.as_str()?.to_string()));
            match level {
                Some(level) => level == "WARN" || level == "ERROR",
                None => line.contains("panicked"),
            }
        })
        .filter(|line| !AFTER_A_KILL.iter().any(|part| line.contains(part)))
        .filter(|line| !allow.iter().any(|part| line.contains(part.as_str())))
        .map(str::to_string)
        .collect()
}

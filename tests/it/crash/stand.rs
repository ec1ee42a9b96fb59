//! One pair of shops with its configuration, and `cartage` as a process that is to be killed.

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use cartage::switch::Place;
use tempfile::TempDir;

use super::tally::Tally;
use crate::scenario::servers::Shops;

const DEADLINE: Duration = Duration::from_secs(120);
const LOOK: Duration = Duration::from_millis(5);
const SIGKILL: i32 = 9;

pub struct Stand {
    pub shops: Shops,
    pub tally: Tally,
    name: String,
    lanes: u32,
    batch_rows: u32,
    /// As the configuration names the ends.
    urls: [String; 2],
    timeout: &'static str,
    /// Smaller ones than usual (`CARTAGE_BOUND`).
    pub bounds: &'static str,
    /// The variant of the mapping that makes notes upper case.
    pub upper: bool,
    folder: TempDir,
}

/// A kill that is wished for: the n-th time that the process comes there.
#[derive(Clone, Copy, Debug)]
pub struct Kill {
    pub place: Place,
    pub nth: u64,
}

impl Stand {
    pub async fn new(name: &str, lanes: u32, batch_rows: u32) -> Self {
        let shops = Shops::create(name).await;
        let source = include_str!("old_shop.sql");
        shops.source.batch_execute(source).await.unwrap();
        let target = include_str!("new_shop.sql");
        shops.target.batch_execute(target).await.unwrap();
        let stand = Self {
            urls: [shops.source_url.clone(), shops.target_url.clone()],
            timeout: "10s",
            bounds: "",
            shops,
            tally: Tally::default(),
            name: name.to_owned(),
            lanes,
            batch_rows,
            upper: false,
            folder: tempfile::tempdir().unwrap(),
        };
        stand.configure();
        stand
    }

    /// Writes the configuration with the mapping's variant.
    pub fn configure(&self) {
        let note = if self.upper { "upper(note)" } else { "note" };
        let text = include_str!("cartage.toml")
            .replace("{{name}}", &self.name.replace('_', "-"))
            .replace("{{source_url}}", &self.urls[0])
            .replace("{{target_url}}", &self.urls[1])
            .replace("{{timeout}}", self.timeout)
            .replace("{{lanes}}", &self.lanes.to_string())
            .replace("{{batch_rows}}", &self.batch_rows.to_string())
            .replace("{{note}}", note);
        fs::write(self.config(), text).unwrap();
    }

    /// Both ends are reached at other ports, and lose patience soon.
    pub fn through(&mut self, source: u16, target: u16) {
        for (url, port) in self.urls.iter_mut().zip([source, target]) {
            let (server, database) = url.rsplit_once('/').unwrap();
            let (host, _) = server.rsplit_once(':').unwrap();
            *url = format!("{host}:{port}/{database}");
        }
        self.timeout = "1s";
        self.configure();
    }

    /// One lane, and batches of one.
    pub fn exact(&mut self) {
        (self.lanes, self.batch_rows) = (1, 1);
        self.configure();
    }

    fn config(&self) -> PathBuf {
        self.folder.path().join("cartage.toml")
    }

    /// The name of the slot and of the publication.
    pub fn slot(&self) -> String {
        format!("cartage_{}", self.name)
    }

    pub fn whole_log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// The last that cartage has said.
    pub fn log(&self) -> String {
        let log = self.whole_log();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(60)..].join("\n")
    }

    pub fn start(&self, arguments: &[&str], kill: Option<Kill>) -> Process<'_> {
        let log = fs::File::options()
            .create(true)
            .append(true)
            .open(self.folder.path().join("log"))
            .unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_cartage"));
        command
            .arg("--config")
            .arg(self.config())
            .args(arguments)
            .env("CARTAGE_PLACES", self.folder.path().join("places"))
            .env("CARTAGE_BOUND", self.bounds)
            .env_remove("CARTAGE_KILL")
            .env_remove("RUST_LOG")
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log);
        if let Some(Kill { place, nth }) = kill {
            command.env("CARTAGE_KILL", format!("{}@{nth}", place.name()));
        }
        Process {
            stand: self,
            child: command.spawn().unwrap(),
            kill,
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
        let mut process = self.start(arguments, Some(Kill { place, nth: 1 }));
        process.dies(async || {}).await;
    }

    /// Takes what the processes have noted into the tally.
    pub fn count(&mut self) {
        let places = fs::read_to_string(self.folder.path().join("places")).unwrap_or_default();
        self.tally.read(&places);
    }
}

pub struct Process<'a> {
    stand: &'a Stand,
    child: Child,
    kill: Option<Kill>,
    arguments: String,
}

impl Process<'_> {
    /// Waits for the kill that was wished for, while the provocation goes on.
    pub async fn dies(&mut self, provoke: impl AsyncFn()) {
        let deadline = Instant::now() + DEADLINE;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                assert_eq!(
                    status.signal(),
                    Some(SIGKILL),
                    "cartage {} ended with {status}, and not by {:?}\n{}",
                    self.arguments,
                    self.kill,
                    self.stand.log()
                );
                return;
            }
            assert!(
                Instant::now() < deadline,
                "waited {DEADLINE:?} for cartage {} to come to {:?}\n{}",
                self.arguments,
                self.kill,
                self.stand.log()
            );
            provoke().await;
            tokio::time::sleep(LOOK).await;
        }
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
            self.stand.log()
        );
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
                self.stand.log()
            );
            tokio::time::sleep(LOOK).await;
        }
    }
}

impl Drop for Process<'_> {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

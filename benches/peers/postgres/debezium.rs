//! Debezium's engine with a consumer that does nothing, where it is installed: it needs Java and
//! 200 MB of jars, so it is left out where nobody asked for it.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::timeout;

use crate::run::{Run, Watch};
use crate::shop::{DATABASE, OldShop, PUBLICATION};
use crate::{Failed, PATIENCE, Result, last_lines, place, usage};

const SLOT: &str = "bench_debezium";
const CONSUMER: &str = "Drain";
/// Of its heap; by itself it would take a quarter of the machine's memory.
const HEAP: &str = "-Xmx256m";
/// How long it has for its last words once its output has ended.
const END: Duration = Duration::from_secs(5);

/// The engine, or why there is none: what it fails at is its own, and others go on.
pub struct Debezium {
    engine: std::result::Result<Engine, String>,
}

impl Debezium {
    pub async fn find() -> Self {
        let jars = PathBuf::from(place("CARTAGE_DEBEZIUM", "target/debezium"));
        let mut found = Self {
            engine: Err(String::new()),
        };
        match Engine::prepare(jars).await {
            Ok(engine) => found.engine = Ok(engine),
            Err(error) => found.give_up(&error.to_string()),
        }
        found
    }

    /// None where it is not there, or did not get to the end, now or before.
    pub async fn turn(&mut self, old: &OldShop) -> Result<Option<Run>> {
        let Ok(engine) = &self.engine else {
            return Ok(None);
        };
        old.rewind(SLOT).await?;
        let drained = engine.drain(old).await;
        old.drop_slot(SLOT).await?;
        if let Err(error) = &drained {
            self.give_up(&error.to_string());
        }
        Ok(drained.ok())
    }

    /// Why nothing was measured, in a line.
    pub fn missing(&self) -> &str {
        self.engine.as_ref().err().map_or("", String::as_str)
    }

    fn give_up(&mut self, why: &str) {
        eprintln!("bench: Debezium: {why}");
        let line = why.lines().next().unwrap_or_default();
        self.engine = Err(format!("Debezium: {line}"));
    }
}

struct Engine {
    /// The compiled consumer, the configuration and the log.
    folder: TempDir,
    jars: PathBuf,
}

impl Engine {
    async fn prepare(jars: PathBuf) -> Result<Self> {
        if !holds_engine(&jars) || !starts("java").await || !starts("javac").await {
            return Err(Failed::because(
                "not present, scripts/setup-tools debezium installs it",
            ));
        }
        let engine = Self {
            folder: tempfile::tempdir()?,
            jars,
        };
        let source = engine.path("Drain.java");
        std::fs::write(&source, include_str!("../debezium/Drain.java"))?;
        let compiled = Command::new("javac")
            .args(["-cp", &engine.class_path(), "-d"])
            .args([engine.folder.path(), &source])
            .output()
            .await?;
        match compiled.status.success() {
            true => Ok(engine),
            false => {
                let said = String::from_utf8_lossy(&compiled.stderr).into_owned();
                Err(Failed::because(format!(
                    "its consumer does not compile, which takes Java 17:\n{said}"
                )))
            }
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn class_path(&self) -> String {
        format!("{}/*:{}", self.jars.display(), self.folder.path().display())
    }

    fn start(&self, old: &OldShop) -> Result<Child> {
        let properties = include_str!("../debezium/engine.properties")
            .replace("$PORT", &old.cluster()?.port().to_string())
            .replace("$DATABASE", DATABASE)
            .replace("$SLOT", SLOT)
            .replace("$PUBLICATION", PUBLICATION);
        std::fs::write(self.path("engine.properties"), properties)?;
        let child = Command::new("java")
            .args([HEAP, "-cp", &self.class_path(), CONSUMER])
            .arg(self.path("engine.properties"))
            .arg(old.backlog.rows.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(std::fs::File::create(self.path("log"))?)
            .kill_on_drop(true)
            .spawn()?;
        Ok(child)
    }

    async fn drain(&self, old: &OldShop) -> Result<Run> {
        old.server.settle().await?;
        let mut java = self.start(old)?;
        let mut said = match java.stdout.take() {
            Some(output) => BufReader::new(output).lines(),
            None => return Err(Failed::because("its output is not ours")),
        };
        self.says("first", &mut said, &mut java).await?;
        // That a virtual machine gets going takes seconds, which are not held against it.
        let watch = Watch::at_once(&old.server, None).await?;
        let spent = || java.id().and_then(usage::cpu_seconds);
        let before = spent();
        self.says("last", &mut said, &mut java).await?;
        let mut run = watch.stop(java.id()).await?;
        let after = run.applier_cpu;
        run.applier_cpu = after.zip(before).map(|(after, before)| after - before);
        // It ends with its input.
        drop(java.stdin.take());
        timeout(PATIENCE, java.wait()).await??;
        Ok(run)
    }

    async fn says(
        &self,
        word: &str,
        said: &mut Lines<BufReader<ChildStdout>>,
        java: &mut Child,
    ) -> Result<()> {
        let why = match timeout(PATIENCE, said.next_line()).await {
            Ok(line) => match line? {
                Some(line) if line == word => return Ok(()),
                Some(line) => format!("said {line:?} and not {word:?}"),
                None => match timeout(END, java.wait()).await {
                    Ok(status) => format!("ended with {} before its {word} change", status?),
                    Err(_) => format!("fell silent before its {word} change"),
                },
            },
            Err(_) => {
                let seconds = PATIENCE.as_secs();
                format!("did not come to its {word} change in {seconds} s")
            }
        };
        let last = last_lines(&self.path("log"), 20);
        Err(Failed::because(format!("{why}\n{last}").trim_end()))
    }
}

fn holds_engine(jars: &Path) -> bool {
    let names = std::fs::read_dir(jars).into_iter().flatten().flatten();
    let mut names = names.map(|entry| entry.file_name().to_string_lossy().into_owned());
    names.any(|name| name.starts_with("debezium-embedded-"))
}

/// Whether a program is there and runs.
async fn starts(program: &str) -> bool {
    let asked = Command::new(program).arg("-version").output().await;
    asked.is_ok_and(|answer| answer.status.success())
}

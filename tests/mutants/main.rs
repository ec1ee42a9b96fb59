//! Takes out one answer after another and looks whether the test that plays its history notices.
//!
//! For each mutant of the table: its tests must fail, the unrelated ones must not, and the rest of
//! their module is run beside them, to be told of. Without a mutant all of the table's tests must
//! pass. `cargo test --features switches --test mutants -- NAME…` runs only these mutants.
#![allow(clippy::unwrap_used)]

mod table;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use cartage::switch::Mutant;
use rustix::process::{Pid, Signal, kill_process_group};

use self::table::{TABLE, UNRELATED};

/// What hangs without an answer has failed to end, which is no proof that a test noticed.
const PATIENCE: Duration = Duration::from_secs(600);

fn main() -> ExitCode {
    let wanted: Vec<String> = std::env::args()
        .skip(1)
        .filter(|a| !a.starts_with('-'))
        .collect();
    let it = It::build();
    let mut failures = misfits(&it);
    let rows: Vec<_> = TABLE
        .iter()
        .filter(|(mutant, _)| wanted.is_empty() || wanted.iter().any(|w| w == mutant.name()))
        .collect();
    if rows.is_empty() {
        failures.push(format!("no mutant is named {}", wanted.join(", ")));
    }

    let healthy: BTreeSet<&str> = rows
        .iter()
        .flat_map(|(_, tests)| tests.iter().copied())
        .collect();
    let verdicts = it.run(
        None,
        healthy.iter().copied().chain(UNRELATED.iter().copied()),
    );
    for (name, verdict) in &verdicts {
        if *verdict != Verdict::Passed {
            failures.push(format!("{name} {verdict} although nothing was taken out"));
        }
    }

    for (mutant, tests) in rows {
        let begun = Instant::now();
        let verdicts = it.run(Some(*mutant), it.beside(tests));
        let of = |name: &str| verdicts.get(name).copied().unwrap_or(Verdict::Missing);
        let survived: Vec<&str> = tests
            .iter()
            .copied()
            .filter(|t| of(t) != Verdict::Failed)
            .collect();
        let dragged: Vec<&str> = UNRELATED
            .iter()
            .copied()
            .filter(|t| of(t) != Verdict::Passed && !tests.contains(t))
            .collect();
        let others: Vec<&str> = verdicts
            .iter()
            .filter(|(name, verdict)| {
                **verdict == Verdict::Failed && !tests.contains(name) && !UNRELATED.contains(name)
            })
            .map(|(name, _)| *name)
            .collect();
        let word = match survived.is_empty() {
            true => "killed",
            false => "SURVIVED",
        };
        let seconds = begun.elapsed().as_secs();
        println!(
            "{word:<9} {:<26} {seconds:>4} s  {}",
            mutant.name(),
            tests.join(", ")
        );
        if !others.is_empty() {
            println!("          fails too: {}", others.join(", "));
        }
        for name in survived {
            failures.push(format!(
                "{name} {} without the answer {}",
                of(name),
                mutant.name()
            ));
        }
        for name in dragged {
            failures.push(format!(
                "{name}, which is unrelated, {} without the answer {}",
                of(name),
                mutant.name()
            ));
        }
    }
    for failure in &failures {
        println!("FAILURE: {failure}");
    }
    match failures.is_empty() {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}

/// Where the table and the code disagree.
fn misfits(it: &It) -> Vec<String> {
    let mut misfits = Vec::new();
    for mutant in Mutant::ALL {
        let rows = TABLE.iter().filter(|(m, _)| m == mutant).count();
        if rows != 1 {
            misfits.push(format!("{} has {rows} rows in the table", mutant.name()));
        }
    }
    let named = TABLE.iter().flat_map(|(_, tests)| tests.iter().copied());
    for name in named.chain(UNRELATED.iter().copied()) {
        if !it.tests.contains(name) {
            misfits.push(format!("there is no test {name}"));
        }
    }
    misfits
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Passed,
    Failed,
    /// It did not come to an end, or was not run.
    Missing,
}

impl std::fmt::Display for Verdict {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Verdict::Passed => "passes",
            Verdict::Failed => "fails",
            Verdict::Missing => "did not end",
        })
    }
}

/// The binary of `tests/it`.
struct It {
    binary: String,
    tests: BTreeSet<&'static str>,
}

impl It {
    fn build() -> Self {
        let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
        let mut command = Command::new(cargo);
        // What cargo tells this program of itself would have dependencies built anew.
        for (name, _) in std::env::vars_os() {
            let told = [
                "CARGO_PKG_",
                "CARGO_MANIFEST_",
                "CARGO_BIN_EXE_",
                "CARGO_CRATE_",
            ];
            if told.iter().any(|t| name.to_string_lossy().starts_with(t)) {
                command.env_remove(name);
            }
        }
        let output = command
            .args(["test", "--locked", "--features", "switches", "--test", "it"])
            .args(["--no-run", "--message-format", "json"])
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .stderr(Stdio::inherit())
            .output()
            .unwrap();
        assert!(output.status.success(), "tests/it does not build");
        let binary = String::from_utf8_lossy(&output.stdout)
            .lines()
            .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
            .filter(|message| message["target"]["name"].as_str() == Some("it"))
            .find_map(|message| Some(message["executable"].as_str()?.to_owned()))
            .expect("cargo names the binary of tests/it");
        let list = Command::new(&binary)
            .args(["--list", "--format", "terse"])
            .output()
            .unwrap();
        let tests = String::from_utf8_lossy(&list.stdout)
            .lines()
            .filter_map(|line| line.strip_suffix(": test"))
            .map(|name| &*name.to_owned().leak())
            .collect();
        Self { binary, tests }
    }

    /// These tests, those of their modules, and the unrelated ones.
    fn beside(&self, tests: &[&str]) -> BTreeSet<&'static str> {
        let module = |name: &str| name.rsplit_once("::").map(|(m, _)| m.to_owned());
        let modules: BTreeSet<_> = tests.iter().map(|t| module(t)).collect();
        let near = |name: &&str| {
            let family = module(name).filter(|m| m.starts_with("protocol::"));
            tests.contains(name)
                || UNRELATED.contains(name)
                || family.is_some() && modules.contains(&family)
        };
        self.tests
            .iter()
            .copied()
            .filter(|name| near(&name))
            .collect()
    }

    fn run<'a>(
        &self,
        mutant: Option<Mutant>,
        tests: impl IntoIterator<Item = &'a str>,
    ) -> BTreeMap<&'a str, Verdict> {
        let mut verdicts: BTreeMap<&str, Verdict> = tests
            .into_iter()
            .map(|name| (name, Verdict::Missing))
            .collect();
        let mut command = Command::new(&self.binary);
        command
            .arg("--exact")
            .args(verdicts.keys())
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .env_remove("CARTAGE_MUTANT");
        if let Some(mutant) = mutant {
            command.env("CARTAGE_MUTANT", mutant.name());
        }
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .unwrap();
        let mut stdout = child.stdout.take().unwrap();
        let reading = std::thread::spawn(move || {
            let mut text = String::new();
            let _ = stdout.read_to_string(&mut text);
            text
        });
        let deadline = Instant::now() + PATIENCE;
        while child.try_wait().unwrap().is_none() {
            if Instant::now() > deadline {
                // With its daemons; its servers see it gone.
                let group = Pid::from_child(&child);
                let _ = kill_process_group(group, Signal::KILL);
                child.wait().unwrap();
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        let text = reading.join().unwrap();
        for line in text.lines() {
            let Some((name, end)) = line
                .strip_prefix("test ")
                .and_then(|rest| rest.split_once(" ... "))
            else {
                continue;
            };
            if let Some(verdict) = verdicts.get_mut(name) {
                *verdict = match end {
                    "ok" => Verdict::Passed,
                    _ => Verdict::Failed,
                };
            }
        }
        if mutant.is_none() && verdicts.values().any(|v| *v != Verdict::Passed) {
            println!("{text}");
        }
        verdicts
    }
}

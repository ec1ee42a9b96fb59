//! Counts instructions: valgrind runs this program with so many runs of a case and with twice as many,
//! and the difference is that of the runs alone. What it does before them differs a little from process
//! to process, for hashes are seeded anew: the runs are so many that this does not show. The counts are
//! held against those that are kept.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::ErrorKind;
use std::process::{Command, ExitCode};

use crate::measured::Case;

/// Says that this process is one that is counted: the name of a case, how many inputs it makes ready,
/// and how many of them it runs.
pub const REPEAT: &str = "--repeat";
/// Runs from which a count is first guessed, and about how many instructions are counted then.
const FEW: u64 = 256;
const MANY: u64 = 50_000_000;
/// No more, however little there is in one.
const MOST_RUNS: u64 = 1 << 15;

/// Cargo starts a benchmark in its package.
const KEPT: &str = "benches/micro/instructions.json";
/// So much may a count rise before it is an error, in per cent.
const MOST: f64 = 5.0;

type Counts = BTreeMap<String, u64>;

pub fn run(cases: &[Case], keep: bool) -> ExitCode {
    let counted = match count_all(cases) {
        Ok(counted) => counted,
        Err(why) => {
            eprintln!("micro: {why}");
            return ExitCode::FAILURE;
        }
    };
    let kept = match kept() {
        Ok(kept) => kept,
        Err(why) => {
            eprintln!("micro: {KEPT}: {why}");
            return ExitCode::FAILURE;
        }
    };
    let (table, risen) = compared(&counted, &kept);
    print!("{table}");
    if keep {
        return match save(&counted) {
            Ok(()) => ExitCode::SUCCESS,
            Err(why) => {
                eprintln!("micro: {KEPT}: {why}");
                ExitCode::FAILURE
            }
        };
    }
    if risen.is_empty() {
        return ExitCode::SUCCESS;
    }
    eprintln!(
        "micro: more than {MOST} % above what is kept: {}; if that is meant, keep it with --count --keep",
        risen.join(", ")
    );
    ExitCode::FAILURE
}

/// What the counted process does.
pub fn repeat(cases: &[Case], args: &[String]) -> ExitCode {
    let number = |at: usize| args.get(at).and_then(|text| text.parse().ok());
    let case = args
        .first()
        .and_then(|name| cases.iter().find(|c| c.name == name));
    let (Some(case), Some(made), Some(used)) = (case, number(1), number(2)) else {
        eprintln!("micro: expected {REPEAT} CASE MADE USED");
        return ExitCode::FAILURE;
    };
    (case.repeat)(made, used);
    ExitCode::SUCCESS
}

fn count_all(cases: &[Case]) -> Result<Vec<(&'static str, u64)>, String> {
    let each = cases.iter().map(|case| {
        let guess = per_run(case.name, FEW)?.max(1);
        let runs = (MANY / guess).next_power_of_two().clamp(FEW, MOST_RUNS);
        Ok((case.name, per_run(case.name, runs)?))
    });
    each.collect()
}

/// Instructions of one run among so many.
fn per_run(name: &str, runs: u64) -> Result<u64, String> {
    let [some, twice] = [counted(name, runs, runs)?, counted(name, runs, 2 * runs)?];
    let difference = twice.checked_sub(some);
    let difference =
        difference.ok_or_else(|| format!("{name}: fewer instructions for more runs"))?;
    Ok(difference / runs)
}

/// Instructions of a process that makes ready the inputs of twice `runs`, and runs as many as `used`.
fn counted(name: &str, runs: u64, used: u64) -> Result<u64, String> {
    let this = std::env::current_exe().map_err(|e| format!("where this program is: {e}"))?;
    let output = Command::new("valgrind")
        .args([
            "--tool=cachegrind",
            "--cache-sim=no",
            "--cachegrind-out-file=/dev/null",
        ])
        .arg(this)
        .args([REPEAT, name, &(2 * runs).to_string(), &used.to_string()])
        .output()
        .map_err(|e| match e.kind() {
            ErrorKind::NotFound => {
                "valgrind is not there; on Debian: apt-get install valgrind".to_owned()
            }
            _ => format!("valgrind cannot be started: {e}"),
        })?;
    let said = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        return Err(format!("{name} under valgrind: {}\n{said}", output.status));
    }
    total(&said).ok_or_else(|| format!("valgrind tells no count of {name}:\n{said}"))
}

/// From a line as `==1234== I   refs:      5,678,901`.
fn total(said: &str) -> Option<u64> {
    let line = said
        .lines()
        .find(|line| line.contains(" I ") && line.contains("refs:"))?;
    let (_, number) = line.split_once("refs:")?;
    number.trim().replace(',', "").parse().ok()
}

fn kept() -> Result<Counts, String> {
    match std::fs::read(KEPT) {
        Ok(bytes) => serde_json::from_slice(&bytes).map_err(|e| e.to_string()),
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(Counts::new()),
        Err(e) => Err(e.to_string()),
    }
}

fn save(counted: &[(&str, u64)]) -> Result<(), String> {
    let counts: Counts = counted
        .iter()
        .map(|(name, n)| ((*name).to_owned(), *n))
        .collect();
    let text = serde_json::to_string_pretty(&counts).map_err(|e| e.to_string())?;
    std::fs::write(KEPT, text + "\n").map_err(|e| e.to_string())
}

/// The table, and which counts have risen too much.
fn compared<'a>(counted: &[(&'a str, u64)], kept: &Counts) -> (String, Vec<&'a str>) {
    let mut table = format!(
        "{:<32}{:>14}{:>14}{:>10}\n",
        "", "instructions", "kept", "change"
    );
    let mut risen = Vec::new();
    for (name, now) in counted {
        let _ = write!(table, "{name:<32}{now:>14}");
        let Some(was) = kept.get(*name) else {
            let _ = writeln!(table, "{:>14}{:>10}", "-", "new");
            continue;
        };
        let change = (*now as f64 / (*was).max(1) as f64 - 1.0) * 100.0;
        let _ = writeln!(table, "{was:>14}{change:>+8.1} %");
        if change > MOST {
            risen.push(*name);
        }
    }
    for name in kept
        .keys()
        .filter(|name| counted.iter().all(|(n, _)| n != name))
    {
        let _ = writeln!(
            table,
            "{name:<32}{:>14}{:>14}{:>10}",
            "-", kept[name], "gone"
        );
    }
    (table, risen)
}

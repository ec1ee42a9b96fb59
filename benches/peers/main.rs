//! cartage beside what one would use instead, in one run on one machine: `make bench`.
//!
//! Each contender catches up with the same backlog, in turns, from copies of the same databases and of
//! the same slot. Figures are medians; compare ratios, for machines are noisy.

mod delay;
mod judge;
mod mariadb;
mod ours;
mod plot;
mod postgres;
mod report;
mod run;
mod scaling;
mod server;
mod shop;
mod usage;
mod verify;

use std::error::Error;
use std::fmt;
use std::path::Path;
use std::process::ExitCode;
use std::str::FromStr;
use std::time::Duration;

use cartage::config::usual_lanes;
use report::Report;

/// How long one contender may take.
const PATIENCE: Duration = Duration::from_secs(300);
/// How often it is looked for what is awaited.
const LOOK: Duration = Duration::from_millis(20);

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// What went wrong, in words.
#[derive(Debug)]
struct Failed(String);

impl Failed {
    fn because(what: impl Into<String>) -> Box<dyn Error + Send + Sync> {
        Box::new(Self(what.into()))
    }
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for Failed {}

#[derive(Clone, Copy, Debug)]
struct Size {
    carts: u64,
    transactions: u64,
    rounds: usize,
    lanes: usize,
}

impl Size {
    fn given() -> Result<Self> {
        Ok(Self {
            carts: number("CARTAGE_BENCH_CARTS", 100_000)?,
            transactions: number("CARTAGE_BENCH_TRANSACTIONS", 200_000)?,
            rounds: number("CARTAGE_BENCH_ROUNDS", 3)?,
            lanes: number("CARTAGE_BENCH_LANES", usual_lanes())?,
        })
    }
}

/// A number from the environment, for a shorter run or a longer one.
fn number<T: FromStr + PartialEq + From<u8>>(name: &str, usual: T) -> Result<T> {
    match std::env::var(name) {
        Err(_) => Ok(usual),
        Ok(text) => match text.parse() {
            Ok(number) if number != T::from(0) => Ok(number),
            _ => Err(Failed::because(format!(
                "{name}={text} is no number above 0"
            ))),
        },
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    match whole().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn whole() -> Result<()> {
    let (size, parts) = (Size::given()?, parts()?);
    let mut report = Report::new();
    eprintln!("bench: {size:?}");
    let measured = measure(size, &parts, &mut report).await;
    // What was measured before something failed has cost time and is true.
    print!("{}", report.text());
    let output = place("CARTAGE_BENCH_OUTPUT", "target/bench.json");
    report.save(Path::new(&output))?;
    if !report.curves.is_empty() {
        let folder = place("CARTAGE_BENCH_PLOTS", "docs/performance");
        plot::draw(&report.curves, Path::new(&folder))?;
    }
    measured?;
    match report.faults() {
        0 => Ok(()),
        faults => Err(Failed::because(format!(
            "{faults} differences and conflicts: the figures are worth nothing"
        ))),
    }
}

/// What is to be measured. The curves and the verification take as long as all the rest, and are
/// compared with nobody: they are only measured when they are named.
fn parts() -> Result<Vec<String>> {
    const KNOWN: [&str; 6] = [
        "postgres", "delays", "large", "mariadb", "scaling", "verify",
    ];
    let text = std::env::var("CARTAGE_BENCH_PARTS").unwrap_or_else(|_| KNOWN[..4].join(","));
    let parts: Vec<String> = text.split(',').map(|part| part.trim().to_owned()).collect();
    match parts.iter().find(|part| !KNOWN.contains(&part.as_str())) {
        None => Ok(parts),
        Some(part) => Err(Failed::because(format!(
            "CARTAGE_BENCH_PARTS: there is no {part:?}, but {}",
            KNOWN.join(", ")
        ))),
    }
}

async fn measure(size: Size, parts: &[String], report: &mut Report) -> Result<()> {
    let has = |part: &str| parts.iter().any(|named| named == part);
    if has("postgres") || has("delays") {
        postgres::run(size, has("delays"), report).await?;
    }
    if has("large") {
        postgres::large(size, report).await?;
    }
    if has("mariadb") {
        mariadb::run(size, report).await?;
    }
    if has("verify") {
        verify::run(size, report).await?;
    }
    if has("scaling") {
        scaling::run(size, report).await?;
    }
    Ok(())
}

/// Where results go: cargo starts a benchmark in its package.
fn place(name: &str, usual: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| usual.to_owned())
}

/// The end of what a program has logged, for the error that tells of it.
fn last_lines(log: &Path, most: usize) -> String {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(most)..].join("\n")
}

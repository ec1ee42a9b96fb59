//! What was measured: one table for people, and the same with every round as JSON.

use std::fmt::Write as _;
use std::path::Path;

use serde::Serialize;

use crate::Result;
use crate::delay::Delay;
use crate::run::Run;
use crate::verify::Verification;

#[derive(Debug, Default, Serialize)]
pub struct Report {
    /// Processor, cores and memory.
    pub machine: String,
    pub tables: Vec<Table>,
    pub delays: Vec<Delay>,
    pub ratios: Vec<Ratio>,
    pub curves: Vec<Curve>,
    pub verifications: Vec<Verification>,
}

/// Contenders that did the same work.
#[derive(Debug, Serialize)]
pub struct Table {
    pub title: String,
    pub rows: u64,
    pub transactions: u64,
    pub contenders: Vec<Contender>,
    /// How what cartage left compares with the source, round by round.
    pub verdicts: Vec<Verdict>,
}

#[derive(Debug, Serialize)]
pub struct Contender {
    pub name: String,
    pub runs: Vec<Run>,
}

/// How a target compares, and what was counted on the way.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Verdict {
    pub carts: u64,
    pub differences: u64,
    pub conflicts: u64,
    /// Source transactions for each patch of a cart, where there were patches.
    pub fold: Option<f64>,
}

/// How a figure of cartage's goes with something that is changed.
#[derive(Debug, Serialize)]
pub struct Curve {
    /// Of its picture's file.
    pub name: &'static str,
    pub title: &'static str,
    /// What is changed, and what is measured in which unit.
    pub axes: [&'static str; 2],
    pub axis: Axis,
    pub points: Vec<Point>,
}

/// What stands on the axis of what is changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Axis {
    Numbers,
    /// Numbers of which each is some times the one before.
    Log,
    Names,
}

#[derive(Debug, Serialize)]
pub struct Point {
    pub at: String,
    pub value: f64,
    pub verdict: Verdict,
}

/// A figure of cartage's in terms of somebody else's, and what it is to be.
#[derive(Debug, Serialize)]
pub struct Ratio {
    pub name: &'static str,
    /// One a round.
    pub values: Vec<f64>,
    /// None where nothing was measured, for the reason that is given then.
    pub median: Option<f64>,
    pub goal: Goal,
    pub reached: Option<bool>,
    pub not_measured: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Goal {
    AtLeast(f64),
    AtMost(f64),
}

impl Goal {
    fn is_reached(self, value: f64) -> bool {
        match self {
            Self::AtLeast(least) => value >= least,
            Self::AtMost(most) => value <= most,
        }
    }

    fn words(self) -> String {
        match self {
            Self::AtLeast(least) => format!(">= {least}"),
            Self::AtMost(most) => format!("<= {most}"),
        }
    }
}

impl Verdict {
    fn words(&self) -> String {
        let Self {
            carts,
            differences,
            conflicts,
            ..
        } = self;
        let counted = format!("{carts} carts, {differences} differences, {conflicts} conflicts");
        match self.fold {
            Some(fold) => format!("{counted}, fold factor {fold:.2}"),
            None => counted,
        }
    }
}

impl Curve {
    pub fn new(
        name: &'static str,
        title: &'static str,
        axes: [&'static str; 2],
        axis: Axis,
    ) -> Self {
        Self {
            name,
            title,
            axes,
            axis,
            points: Vec::new(),
        }
    }

    pub fn add(&mut self, at: impl ToString, (value, verdict): (f64, Verdict)) {
        let at = at.to_string();
        eprintln!("bench: {}: {at}: {value:.0}", self.name);
        self.points.push(Point { at, value, verdict });
    }
}

impl Table {
    pub fn new(title: &str, rows: u64, transactions: u64) -> Self {
        Self {
            title: title.to_owned(),
            rows,
            transactions,
            contenders: Vec::new(),
            verdicts: Vec::new(),
        }
    }

    /// Takes note of one run of a contender.
    pub fn add(&mut self, name: &str, run: Run) {
        match self.contenders.iter_mut().find(|c| c.name == name) {
            Some(contender) => contender.runs.push(run),
            None => self.contenders.push(Contender {
                name: name.to_owned(),
                runs: vec![run],
            }),
        }
    }

    /// What `of` gives of the one over what it gives of the other, round by round.
    pub fn over(&self, of: fn(&Run) -> f64, above: &str, below: &str) -> Vec<f64> {
        let runs = |name: &str| {
            let found = self.contenders.iter().find(|c| c.name == name);
            found.map_or(&[][..], |c| c.runs.as_slice())
        };
        let pairs = runs(above).iter().zip(runs(below));
        pairs.map(|(above, below)| of(above) / of(below)).collect()
    }

    fn print(&self, out: &mut String) {
        let _ = writeln!(
            out,
            "\n{}: {} rows, {} transactions\n{:<30} {:>8} {:>9} {:>9} {:>8} {:>8} {:>8} {:>8} {:>8}",
            self.title,
            self.rows,
            self.transactions,
            "",
            "s",
            "rows/s",
            "tx/s",
            "src CPU",
            "app CPU",
            "tgt CPU",
            "RSS MiB",
            "log MB"
        );
        for contender in &self.contenders {
            let of = |what: fn(&Run) -> f64| median(contender.runs.iter().map(what));
            let seconds = of(|run| run.seconds);
            let _ = writeln!(
                out,
                "{:<30} {:>8.2} {:>9.0} {:>9.0} {:>8.1} {:>8} {:>8.1} {:>8} {:>8.0}",
                contender.name,
                seconds,
                self.rows as f64 / seconds,
                self.transactions as f64 / seconds,
                of(|run| run.source_cpu),
                known(of(|run| run.applier_cpu.unwrap_or(f64::NAN)), 1),
                of(|run| run.target_cpu),
                known(of(|run| run.peak_mib.unwrap_or(f64::NAN)), 0),
                of(|run| run.target_log as f64 / 1e6),
            );
        }
        for verdict in &self.verdicts {
            let _ = writeln!(out, "compared: {}", verdict.words());
        }
    }
}

impl Report {
    pub fn new() -> Self {
        Self {
            machine: machine(),
            ..Self::default()
        }
    }

    /// Keeps a table, and shows it meanwhile to whoever waits.
    pub fn table(&mut self, table: Table) {
        let mut text = String::new();
        table.print(&mut text);
        eprint!("{text}");
        self.tables.push(table);
    }

    pub fn ratio(&mut self, name: &'static str, goal: Goal, values: Vec<f64>) {
        // What did not run has no ratio.
        if values.is_empty() {
            return;
        }
        let median = median(values.iter().copied());
        self.ratios.push(Ratio {
            name,
            values,
            median: Some(median),
            goal,
            reached: Some(goal.is_reached(median)),
            not_measured: None,
        });
    }

    /// The same against somebody who need not be there: then it is told why there is no ratio.
    pub fn ratio_if_any(&mut self, name: &'static str, goal: Goal, values: Vec<f64>, why: &str) {
        match values.is_empty() {
            false => self.ratio(name, goal, values),
            true => self.ratios.push(Ratio {
                name,
                values,
                median: None,
                goal,
                reached: None,
                not_measured: Some(why.to_owned()),
            }),
        }
    }

    /// Keeps a verification, and shows it meanwhile.
    pub fn verified(&mut self, verification: Verification) {
        eprintln!("bench: {verification:?}");
        self.verifications.push(verification);
    }

    /// Carts that were not as they should be, and conflicts, which the harness gives no cause for.
    pub fn faults(&self) -> u64 {
        let tables = self.tables.iter().flat_map(|table| &table.verdicts);
        let points = self.curves.iter().flat_map(|curve| &curve.points);
        let verdicts = tables.chain(points.map(|point| &point.verdict));
        let found = self.verifications.iter().map(|v| v.differences);
        verdicts
            .map(|v| v.differences + v.conflicts)
            .chain(found)
            .sum()
    }

    pub fn text(&self) -> String {
        let mut out = format!("{}\n", self.machine);
        for table in &self.tables {
            table.print(&mut out);
        }
        if !self.delays.is_empty() {
            let _ = writeln!(
                out,
                "\n{:<34} {:>8} {:>8} {:>9} {:>9} {:>9} {:>9}",
                "commit to visible", "meant/s", "tx/s", "p50 ms", "p99 ms", "p99.9 ms", "max ms"
            );
        }
        for delay in &self.delays {
            let _ = writeln!(
                out,
                "{:<34} {:>8} {:>8.0} {:>9.2} {:>9.2} {:>9.2} {:>9.2}",
                delay.name,
                delay.rate,
                delay.reached,
                delay.p50_ms,
                delay.p99_ms,
                delay.p999_ms,
                delay.max_ms
            );
        }
        for curve in &self.curves {
            let [across, up] = curve.axes;
            let _ = writeln!(out, "\n{}: {up} by {across}", curve.title);
            for point in &curve.points {
                let compared = point.verdict.words();
                let _ = writeln!(out, "{:>20} {:>12.0}  {compared}", point.at, point.value);
            }
        }
        if !self.verifications.is_empty() {
            let _ = writeln!(
                out,
                "\n{:<20} {:>9} {:>8} {:>9} {:>8} {:>11} {:>8} {:>14}",
                "verification, carts",
                "rows",
                "s",
                "rows/s",
                "app CPU",
                "rows/s/core",
                "RSS MiB",
                "longest query"
            );
        }
        for v in &self.verifications {
            let _ = writeln!(
                out,
                "{:<20} {:>9} {:>8.2} {:>9.0} {:>8.2} {:>11.0} {:>8.0} {:>11.1} ms",
                v.carts,
                v.rows,
                v.seconds,
                v.a_second(),
                v.cpu,
                v.a_core(),
                v.peak_mib,
                v.longest_ms
            );
        }
        let _ = writeln!(out, "\n{:<38} {:>9} {:>10}", "ratio", "median", "goal");
        for ratio in &self.ratios {
            let remark = match (&ratio.not_measured, ratio.reached) {
                (Some(why), _) => format!("  not measured ({why})"),
                (None, Some(false)) => "  not reached".to_owned(),
                (None, _) => String::new(),
            };
            let _ = writeln!(
                out,
                "{:<38} {:>9} {:>10}{remark}",
                ratio.name,
                known(ratio.median.unwrap_or(f64::NAN), 3),
                ratio.goal.words()
            );
        }
        out
    }

    pub fn save(&self, path: &Path) -> Result<()> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        Ok(std::fs::write(path, serde_json::to_vec_pretty(self)?)?)
    }
}

/// Contenders in the order of a round, each other time from the end: nobody always follows the same
/// one.
pub fn in_turn<const N: usize>(mut names: [&'static str; N], round: usize) -> [&'static str; N] {
    if round.is_multiple_of(2) {
        names.reverse();
    }
    names
}

/// A figure as it is printed, or that it is not known.
fn known(figure: f64, digits: usize) -> String {
    match figure.is_nan() {
        true => "-".to_owned(),
        false => format!("{figure:.digits$}"),
    }
}

pub fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

/// As `/proc` tells it.
fn machine() -> String {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let after = |text: &str, name: &str| {
        let line = text.lines().find(|line| line.starts_with(name));
        let value = line.and_then(|line| line.split_once(':'));
        value.map_or_else(String::new, |(_, value)| value.trim().to_owned())
    };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    format!(
        "{}, {cores} cores, {} memory",
        after(&read("/proc/cpuinfo"), "model name"),
        after(&read("/proc/meminfo"), "MemTotal")
    )
}

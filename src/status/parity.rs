//! Parity in the status: the verification that was done last, and the one that goes on.

use std::collections::BTreeMap;

use indicatif::HumanCount;
use serde::Serialize;

use crate::params;
use crate::target::error::TargetError;
use crate::target::row::Row;
use crate::target::session::Target;
use crate::target::words::Words;

/// A run that has written nothing for so long was cut short: one that works does so each second.
const CUT_SHORT: f64 = 60.0;

#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Parity {
    pub last: Option<Run>,
    pub running: Option<Run>,
}

/// A verification as its control table has it.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Run {
    pub run: i32,
    /// `full`, `carts`, `sample`, `since`.
    pub kind: String,
    /// `command` or `daemon`.
    pub by: String,
    pub done: i64,
    /// As estimated when it began.
    pub total: Option<i64>,
    pub waiting: Option<String>,
    pub started_seconds_ago: f64,
    pub finished_seconds_ago: Option<f64>,
    /// It is not finished, and nobody works at it.
    pub cut_short: bool,
    /// Carts by verdict.
    pub counts: BTreeMap<&'static str, i64>,
}

const VERDICTS: [&str; 8] = [
    "equal",
    "missing",
    "extra",
    "different",
    "pending",
    "held",
    "merged",
    "stale_lookups",
];

/// None where nothing was ever verified.
pub async fn read(target: &Target, pipeline: i32) -> Result<Option<Parity>, TargetError> {
    let last = one(
        target,
        pipeline,
        "finished_at IS NOT NULL AND stage = 'done'",
    )
    .await?;
    let running = one(target, pipeline, "finished_at IS NULL").await?;
    Ok((last.is_some() || running.is_some()).then_some(Parity { last, running }))
}

async fn one(target: &Target, pipeline: i32, which: &str) -> Result<Option<Run>, TargetError> {
    let verdicts = VERDICTS.map(|name| format!("r.{name}")).join(", ");
    let sql = |by: &str, ago: &dyn Fn(&str) -> String, table: &str| {
        format!(
            "SELECT r.id, r.kind, r.{by}, r.carts_done, r.carts_total, r.waiting, {}, {}, {}, \
             {verdicts} FROM {table} r WHERE r.pipeline = $1 AND {which} ORDER BY r.id DESC LIMIT 1",
            ago("r.started_at"),
            ago("r.finished_at"),
            ago("r.updated_at"),
        )
    };
    let here = |time: &str| format!("extract(epoch FROM now() - {time})::float8");
    let there = |time: &str| format!("timestampdiff(MICROSECOND, {time}, now(6)) / 1e6");
    let words = Words::each(
        sql("by", &here, "cartage.verify_run"),
        sql("`by`", &there, "cartage_verify_run"),
    );
    let row = target.first(words, params![pipeline]).await?;
    row.as_ref().map(from_row).transpose()
}

fn from_row(row: &Row) -> Result<Run, TargetError> {
    let mut counts = BTreeMap::new();
    for (at, verdict) in VERDICTS.into_iter().enumerate() {
        counts.insert(verdict, row.get(9 + at)?);
    }
    let finished: Option<f64> = row.get(7)?;
    let quiet: f64 = row.get(8)?;
    Ok(Run {
        run: row.get(0)?,
        kind: row.get(1)?,
        by: row.get(2)?,
        done: row.get(3)?,
        total: row.get(4)?,
        waiting: row.get(5)?,
        started_seconds_ago: row.get(6)?,
        finished_seconds_ago: finished,
        cut_short: finished.is_none() && quiet > CUT_SHORT,
        counts,
    })
}

impl Parity {
    /// For people, a line for each run.
    pub(super) fn lines(&self) -> Vec<String> {
        let last = self.last.as_ref().map(Run::last_line);
        let running = self.running.as_ref().map(Run::running_line);
        last.into_iter().chain(running).collect()
    }
}

impl Run {
    /// What it has counted, and not found none of.
    fn found(&self) -> String {
        let counts = VERDICTS.iter().filter_map(|verdict| {
            let carts = self.counts.get(verdict).copied().unwrap_or_default();
            let told = carts > 0 || *verdict == "equal";
            told.then(|| format!("{} {}", count(carts), verdict.replace('_', " ")))
        });
        counts.collect::<Vec<_>>().join(", ")
    }

    fn last_line(&self) -> String {
        let ago = self.finished_seconds_ago.unwrap_or_default();
        let found = self.found();
        format!("{} verification {} ago: {found}", self.kind, span(ago))
    }

    fn running_line(&self) -> String {
        let of = self
            .total
            .map_or_else(String::new, |total| format!(" of about {}", count(total)));
        let mut text = format!(
            "{} verification since {}: {}{of} carts, {}",
            self.kind,
            span(self.started_seconds_ago),
            count(self.done),
            self.found()
        );
        if let Some(why) = &self.waiting {
            text += &format!("; waits: {why}");
        }
        if self.cut_short {
            text += match self.by.as_str() {
                "daemon" => "; cut short, the daemon goes on with it",
                _ => "; cut short; go on: cartage verify --resume",
            };
        }
        text
    }
}

fn count(n: i64) -> String {
    HumanCount(n.unsigned_abs()).to_string()
}

fn span(seconds: f64) -> String {
    match seconds {
        ..120.0 => format!("{seconds:.0} s"),
        ..7_200.0 => format!("{:.0} min", seconds / 60.0),
        _ => format!("{:.0} h", seconds / 3_600.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_found_and_what_goes_on_is_a_line_each() {
        let mut run = Run {
            kind: "full".to_owned(),
            by: "command".to_owned(),
            done: 1_200,
            total: Some(5_000),
            finished_seconds_ago: Some(90.0),
            counts: [("equal", 1_198), ("different", 2)].into(),
            ..Run::default()
        };
        assert_eq!(
            run.last_line(),
            "full verification 90 s ago: 1,198 equal, 2 different"
        );
        run.finished_seconds_ago = None;
        run.waiting = Some("the source is busy".to_owned());
        run.cut_short = true;
        assert_eq!(
            run.running_line(),
            "full verification since 0 s: 1,200 of about 5,000 carts, 1,198 equal, 2 different; \
             waits: the source is busy; cut short; go on: cartage verify --resume"
        );
    }
}

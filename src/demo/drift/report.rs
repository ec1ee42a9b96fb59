//! What came of the drift: one page for people, one line of JSON for machines.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use indicatif::HumanCount;
use serde::Serialize;
use serde_json::Value;

use super::Plan;
use super::injector::Drift;
use super::judge::Judgement;
use super::new_shop::Written;
use super::repair::Repaired;
pub use super::verification::Count;
use super::verification::Found;
use crate::demo::shops::{About, Shops};

/// What a run gathered.
pub(super) struct Run<'a> {
    pub injected: &'a BTreeMap<i64, Drift>,
    pub verified: &'a Value,
    pub found: Found,
    pub repaired: Repaired,
    pub judgement: Judgement,
    pub written: &'a Written,
    pub kills: u32,
    pub kills_in_verification: u32,
    pub kills_in_repair: u32,
    pub transactions: u64,
    pub transactions_in_verification: u64,
    pub took: Duration,
}

#[derive(Debug, Clone, Serialize)]
pub struct Report {
    pub source: About,
    pub target: About,
    /// Carts that were made to drift, one drift each.
    pub injected: usize,
    /// Carts that `cartage verify` called missing, extra or different.
    pub found: usize,
    /// Carts that had drifted and were not among these.
    pub missed: usize,
    /// Carts that were, and had not drifted.
    pub false_alarms: usize,
    /// The same by kind of drift.
    pub kinds: BTreeMap<&'static str, Count>,
    /// How many carts drifted in each column, by a value or a flipped byte.
    pub columns: BTreeMap<String, usize>,
    /// Carts that `cartage verify` looked at, and those that it called pending, merged with what the
    /// new backend wrote, or written by it alone.
    pub verified: u64,
    pub pending: u64,
    pub merged_before: u64,
    pub written_before: u64,
    /// Carts that the repair mended, by its own count.
    pub repaired: i64,
    /// Carts that it merged, for the new backend had written them.
    pub merged: i64,
    /// Carts that it was asked for, and neither mended nor merged.
    pub not_repaired: i64,
    /// What the demo's judge found afterwards.
    pub carts_compared: i64,
    pub ended_compared: i64,
    pub different: i64,
    pub missing: i64,
    pub extra: i64,
    pub held: i64,
    /// Of carts that have not drifted.
    pub version_wrong: i64,
    /// Carts of which something that the new shop's customers wrote is gone.
    pub new_backend_lost: i64,
    /// Carts that they wrote, and how often.
    pub new_backend_carts: usize,
    pub new_backend_writes: i64,
    pub kills: u32,
    pub kills_in_verification: u32,
    pub kills_in_repair: u32,
    /// Of the old shop's storefront.
    pub transactions: u64,
    pub transactions_in_verification: u64,
    pub sabotaged: bool,
    pub seed: u64,
    pub seconds: f64,
    #[serde(skip)]
    well: bool,
}

impl Report {
    pub(super) fn new(run: Run<'_>, plan: &Plan, shops: &Shops) -> Self {
        let mut columns = BTreeMap::new();
        for drift in run
            .injected
            .values()
            .filter(|drift| drift.what.contains('.'))
        {
            *columns.entry(drift.what.clone()).or_default() += 1;
        }
        let count = |name: &str| run.verified[name].as_u64().unwrap_or_default();
        let comparison = &run.judgement.comparison;
        let found_all = run.found.all_well();
        Report {
            source: shops.old.about.clone(),
            target: shops.new.about.clone(),
            injected: run.injected.len(),
            found: run.found.found,
            missed: run.found.missed,
            false_alarms: run.found.false_alarms,
            kinds: run.found.by_kind,
            columns,
            verified: ["carts_compared", "pending", "held", "merged", "written"]
                .map(count)
                .iter()
                .sum(),
            pending: count("pending"),
            merged_before: count("merged"),
            written_before: count("written"),
            repaired: run.repaired.repaired,
            merged: run.repaired.merged,
            not_repaired: run.repaired.others,
            carts_compared: comparison.carts_compared,
            ended_compared: comparison.ended_compared,
            different: comparison.different,
            missing: comparison.missing,
            extra: comparison.extra,
            held: comparison.held,
            version_wrong: comparison.version_wrong,
            new_backend_lost: run.judgement.new_backend_lost,
            new_backend_carts: run.written.len(),
            new_backend_writes: run.written.values().map(|wrote| wrote.writes).sum(),
            kills: run.kills,
            kills_in_verification: run.kills_in_verification,
            kills_in_repair: run.kills_in_repair,
            transactions: run.transactions,
            transactions_in_verification: run.transactions_in_verification,
            sabotaged: plan.sabotage,
            seed: plan.pace.seed,
            seconds: (run.took.as_secs_f64() * 10.0).round() / 10.0,
            well: found_all && !run.injected.is_empty() && run.judgement.all_well(),
        }
    }

    /// Whether just what had drifted was found, and every cart is as it must be after the repair.
    pub fn all_well(&self) -> bool {
        self.well
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // HumanCount itself does not pad.
        let count = |n: u64| HumanCount(n).to_string();
        let signed = |n: i64| count(n.unsigned_abs());
        let sized = |n: usize| count(n as u64);
        writeln!(f)?;
        writeln!(f, "From {} to {}", self.source, self.target)?;
        writeln!(f, "Drift")?;
        writeln!(f, "  injected       {:>10}", sized(self.injected))?;
        for (kind, number) in &self.kinds {
            let Count { injected, found } = number;
            writeln!(f, "    {kind:<18} {injected:>4}  {found} found")?;
        }
        writeln!(f, "Verification")?;
        writeln!(
            f,
            "  looked at      {:>10}  carts, {} pending and {} of the new backend's among them",
            count(self.verified),
            self.pending,
            self.merged_before + self.written_before
        )?;
        writeln!(f, "  found          {:>10}", sized(self.found))?;
        writeln!(f, "  missed         {:>10}", sized(self.missed))?;
        writeln!(f, "  false alarms   {:>10}", sized(self.false_alarms))?;
        writeln!(f, "Repair")?;
        for (name, number) in [
            ("repaired", self.repaired),
            ("merged", self.merged),
            ("neither", self.not_repaired),
        ] {
            writeln!(f, "  {name:<14} {:>10}", signed(number))?;
        }
        writeln!(f, "Carts afterwards")?;
        for (name, number) in [
            ("compared", self.carts_compared),
            ("different", self.different),
            ("missing", self.missing),
            ("extra", self.extra),
            ("held", self.held),
            ("wrong version", self.version_wrong),
        ] {
            writeln!(f, "  {name:<14} {:>10}", signed(number))?;
        }
        writeln!(
            f,
            "  lost           {:>10}  of {} carts that the new shop's customers wrote",
            signed(self.new_backend_lost),
            self.new_backend_carts
        )?;
        writeln!(f, "The daemon")?;
        writeln!(
            f,
            "  killed         {:>10}  times by SIGKILL, {} in the verification, {} in the repair",
            self.kills, self.kills_in_verification, self.kills_in_repair
        )?;
        writeln!(f)?;
        let (seed, seconds) = (self.seed, self.seconds);
        match self.well {
            true => write!(
                f,
                "What drifted was found and mended, and nothing else. It took {seconds:.0} s (seed {seed})."
            ),
            false => write!(
                f,
                "Drift was NOT found and mended as it must be. It took {seconds:.0} s (seed {seed})."
            ),
        }
    }
}

//! What two writers came to: one page for people, one line of JSON for machines.

use std::fmt;
use std::time::Duration;

use indicatif::HumanCount;
use serde::Serialize;

use super::evidence::Evidence;
use super::judge::Judgement;
use super::trouble::Troubles;
use super::writers::Tally;
use super::{Kills, Plan};
use crate::demo::shops::{About, Shops};

/// What a run gathered.
pub struct Run<'a> {
    pub judgement: Judgement,
    pub evidence: Evidence,
    pub kills: Kills,
    pub old: &'a Tally,
    pub new: &'a Tally,
    pub troubles: Option<Troubles>,
    pub opened_for: Duration,
    pub took: Duration,
}

#[derive(Debug, Clone, Serialize)]
pub struct Report {
    pub source: About,
    pub target: About,
    pub carts_compared: i64,
    /// Of these, carts of which the bounds alone were checked: 1 to 99 of a product, on one line.
    pub edge_carts: i64,
    /// Carts that are not what customers of both shops meant; a held one is.
    pub different: i64,
    pub missing: i64,
    pub extra: i64,
    pub held: i64,
    /// Carts whose version counts more or fewer writes than the ledger and the new shop.
    pub version_wrong: i64,
    /// Carts of which the judge is not sure itself.
    pub unsure: i64,
    /// Records of merges in which what cartage had left in the new shop differs from what the old shop
    /// says and from what was found.
    pub conflicts: i64,
    pub conflicted_carts: i64,
    /// Carts with a record of a quantity that both shops had changed.
    pub quantity_carts: i64,
    /// The daemon's own counts.
    pub merge_conflicts: i64,
    pub merged_items: i64,
    pub conflict_records: i64,
    /// Records of carts that were held for a time.
    pub held_ever: i64,
    pub kills: u32,
    pub kills_with_lag: u32,
    /// Committed changes of a quantity.
    pub changes_old: u64,
    pub changes_new: u64,
    /// Of both shops, values other than quantities included.
    pub transactions: u64,
    /// Visits to the new shop that had to begin anew, because cartage or a customer had written the
    /// cart in between.
    pub late_visits: u64,
    /// Visits to either shop that the server broke off.
    pub broken_visits: u64,
    /// Null without trouble.
    pub deadlocks: Option<i64>,
    pub clerk_gave_way: Option<u64>,
    pub broken_off: Option<i64>,
    pub sabotaged: bool,
    pub seed: u64,
    /// For which both shops were open.
    pub open_seconds: f64,
    pub seconds: f64,
    #[serde(skip)]
    well: bool,
}

impl Report {
    pub(super) fn new(run: Run<'_>, plan: &Plan, shops: &Shops) -> Self {
        let Run {
            judgement,
            evidence,
            kills,
            old,
            new,
            troubles,
            opened_for,
            took,
        } = run;
        Report {
            source: shops.old.about.clone(),
            target: shops.new.about.clone(),
            carts_compared: judgement.carts_compared,
            edge_carts: judgement.edge_carts,
            different: judgement.different,
            missing: judgement.missing,
            extra: judgement.extra,
            held: judgement.held,
            version_wrong: judgement.version_wrong,
            unsure: judgement.unsure,
            conflicts: evidence.conflicts,
            conflicted_carts: evidence.conflicted_carts,
            quantity_carts: evidence.quantity_carts,
            merge_conflicts: evidence.merge_conflicts,
            merged_items: evidence.merged_items,
            conflict_records: evidence.records,
            held_ever: evidence.held_ever,
            kills: kills.total,
            kills_with_lag: kills.with_lag,
            changes_old: old.changes(),
            changes_new: new.changes(),
            transactions: old.transactions() + new.transactions(),
            late_visits: new.late(),
            broken_visits: old.deadlocks() + new.deadlocks(),
            deadlocks: troubles.map(|t| t.deadlocks),
            clerk_gave_way: troubles.map(|t| t.clerk_gave_way),
            broken_off: troubles.and_then(|t| t.broken_off),
            sabotaged: plan.sabotage,
            seed: plan.seed,
            open_seconds: tenths(opened_for),
            seconds: tenths(took),
            well: judgement.all_well(),
        }
    }

    /// Whether every cart is what was meant.
    pub fn all_well(&self) -> bool {
        self.well
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // HumanCount itself does not pad.
        let count = |n: u64| HumanCount(n).to_string();
        let signed = |n: i64| count(n.unsigned_abs());
        writeln!(f)?;
        writeln!(f, "From {} to {}", self.source, self.target)?;
        writeln!(f, "Carts")?;
        let compared = signed(self.carts_compared);
        let edges = self.edge_carts;
        writeln!(
            f,
            "  compared       {compared:>10}  {edges} of them by their bounds alone"
        )?;
        for (name, number) in [
            ("different", self.different),
            ("missing", self.missing),
            ("extra", self.extra),
            ("held", self.held),
            ("wrong version", self.version_wrong),
        ] {
            writeln!(f, "  {name:<14} {:>10}", signed(number))?;
        }
        writeln!(f, "Both shops")?;
        writeln!(
            f,
            "  changed        {:>10}  quantities in the old, {} in the new (seed {})",
            count(self.changes_old),
            count(self.changes_new),
            self.seed
        )?;
        writeln!(
            f,
            "  conflicts      {:>10}  in {} carts, over the quantity in {}",
            signed(self.conflicts),
            signed(self.conflicted_carts),
            signed(self.quantity_carts)
        )?;
        writeln!(f, "The daemon")?;
        writeln!(
            f,
            "  killed         {:>10}  times by SIGKILL, {} with lag",
            self.kills, self.kills_with_lag
        )?;
        writeln!(
            f,
            "  merged         {:>10}  lines",
            signed(self.merged_items)
        )?;
        writeln!(f)?;
        match self.well {
            true => write!(
                f,
                "Every cart is what was meant in both. It took {:.0} s.",
                self.seconds
            ),
            false => write!(
                f,
                "Carts are NOT what was meant. It took {:.0} s.",
                self.seconds
            ),
        }
    }
}

fn tenths(time: Duration) -> f64 {
    (time.as_secs_f64() * 10.0).round() / 10.0
}

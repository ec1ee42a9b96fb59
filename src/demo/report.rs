//! What the demo found: one page for people, one line of JSON for machines.

use std::fmt;
use std::time::Duration;

use indicatif::HumanCount;
use serde::Serialize;

use super::comparison::Comparison;
use super::probe::Delays;
use super::run::Plan;
use super::shops::{About, Shops};

/// SIGKILLs that the daemon was given.
#[derive(Debug, Clone, Copy, Default)]
pub struct Kills {
    pub total: u32,
    pub in_backfill: u32,
    pub with_lag: u32,
}

/// Rows moved over some time.
#[derive(Debug, Clone, Serialize)]
pub struct Stretch {
    #[serde(skip)]
    name: &'static str,
    pub rows: i64,
    pub seconds: f64,
    /// Null where it took no time that could be measured.
    pub rows_per_second: Option<f64>,
}

impl Stretch {
    pub fn new(name: &'static str, rows: i64, seconds: f64) -> Self {
        Stretch {
            name,
            rows,
            seconds: round(seconds),
            rows_per_second: (seconds > 0.0).then(|| (rows as f64 / seconds).round()),
        }
    }
}

/// Delays from commit to visible; null where nothing was measured.
#[derive(Debug, Clone, Serialize)]
pub struct Delay {
    pub samples: usize,
    pub p50_ms: Option<f64>,
    pub p99_ms: Option<f64>,
    pub max_ms: Option<f64>,
}

impl Delay {
    pub fn of(mut delays: Vec<Duration>) -> Self {
        delays.sort_unstable();
        let at = |share: f64| {
            // The nearest rank: the smallest delay that this share of all do not exceed.
            let rank = (share * delays.len() as f64).ceil() as usize;
            delays
                .get(rank.saturating_sub(1))
                .map(|delay| round(delay.as_secs_f64() * 1000.0))
        };
        Delay {
            samples: delays.len(),
            p50_ms: at(0.50),
            p99_ms: at(0.99),
            max_ms: at(1.0),
        }
    }
}

#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// What the old shop lives on.
    pub source: About,
    /// What the new shop lives on.
    pub target: About,
    /// Live carts of the old shop, each compared with the new shop's.
    pub carts_compared: i64,
    pub different: i64,
    pub missing: i64,
    pub extra: i64,
    pub held: i64,
    /// Carts whose version counts more or fewer writes than the ledger.
    pub version_wrong: i64,
    /// Bought orders that the new shop closed as well.
    pub ended_compared: i64,
    /// Orders of MySQL or MariaDB that were bought before cartage had read them as carts.
    pub ended_unseen: i64,
    pub kills: u32,
    pub kills_in_backfill: u32,
    pub kills_with_lag: u32,
    /// Of the storefront, without the probe's.
    pub transactions: u64,
    pub transactions_per_second: f64,
    /// While the daemon was up and caught up.
    pub delay: Delay,
    /// At any time, backfill and kills included.
    pub delay_all: Delay,
    pub rows_applied: i64,
    /// Source rows read whole.
    pub backfill: Stretch,
    /// Target rows written since, kills included.
    pub stream: Stretch,
    pub sabotaged: bool,
    pub seed: u64,
    pub seconds: f64,
    #[serde(skip)]
    well: bool,
}

impl Report {
    #[expect(
        clippy::too_many_arguments,
        reason = "one call, which gathers what the run measured"
    )]
    pub(super) fn new(
        comparison: Comparison,
        kills: Kills,
        delays: Delays,
        transactions: u64,
        [backfill, stream]: [Stretch; 2],
        rows_applied: i64,
        opened_for: Duration,
        took: Duration,
        plan: &Plan,
        shops: &Shops,
    ) -> Self {
        Report {
            source: shops.old.about.clone(),
            target: shops.new.about.clone(),
            carts_compared: comparison.carts_compared,
            different: comparison.different,
            missing: comparison.missing,
            extra: comparison.extra,
            held: comparison.held,
            version_wrong: comparison.version_wrong,
            ended_compared: comparison.ended_compared,
            ended_unseen: comparison.ended_unseen,
            kills: kills.total,
            kills_in_backfill: kills.in_backfill,
            kills_with_lag: kills.with_lag,
            transactions,
            transactions_per_second: (transactions as f64 / opened_for.as_secs_f64()).round(),
            delay: Delay::of(delays.steady),
            delay_all: Delay::of(delays.all),
            rows_applied,
            backfill,
            stream,
            sabotaged: plan.sabotage,
            seed: plan.pace.seed,
            seconds: round(took.as_secs_f64()),
            well: comparison.all_well(),
        }
    }

    /// Whether the shops agree in every cart.
    pub fn all_well(&self) -> bool {
        self.well
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // HumanCount itself does not pad.
        let count = |n: i64| HumanCount(n.unsigned_abs()).to_string();
        writeln!(f)?;
        writeln!(f, "From {} to {}", self.source, self.target)?;
        writeln!(f, "Carts")?;
        writeln!(
            f,
            "  compared       {:>10}  and {} bought orders",
            count(self.carts_compared),
            count(self.ended_compared)
        )?;
        if self.ended_unseen > 0 {
            writeln!(
                f,
                "  not moved      {:>10}  which were bought before they were read",
                count(self.ended_unseen)
            )?;
        }
        writeln!(f, "  different      {:>10}", count(self.different))?;
        writeln!(f, "  missing        {:>10}", count(self.missing))?;
        writeln!(f, "  extra          {:>10}", count(self.extra))?;
        writeln!(f, "  held           {:>10}", count(self.held))?;
        writeln!(f, "  wrong version  {:>10}", count(self.version_wrong))?;
        writeln!(f, "The daemon")?;
        writeln!(
            f,
            "  killed         {:>10}  times by SIGKILL: {} in the backfill, {} with lag",
            self.kills, self.kills_in_backfill, self.kills_with_lag
        )?;
        writeln!(f, "  applied        {:>10}  rows", count(self.rows_applied))?;
        for stretch in [&self.backfill, &self.stream] {
            writeln!(
                f,
                "  {:<14} {:>10}  rows in {:.1} s{}",
                stretch.name,
                count(stretch.rows),
                stretch.seconds,
                stretch
                    .rows_per_second
                    .map(|rate| format!(", {rate:.0} a second"))
                    .unwrap_or_default()
            )?;
        }
        writeln!(f, "From commit to visible")?;
        for (name, delay) in [("caught up", &self.delay), ("at any time", &self.delay_all)] {
            match (delay.p50_ms, delay.p99_ms) {
                (Some(p50), Some(p99)) => writeln!(
                    f,
                    "  {name:<14} {:>10}  ms p50, {p99} ms p99, {} samples",
                    p50, delay.samples
                )?,
                _ => writeln!(f, "  {name:<14} {:>10}", "not measured")?,
            }
        }
        writeln!(f, "The storefront")?;
        writeln!(
            f,
            "  committed      {:>10}  transactions, {:.0} a second (seed {})",
            HumanCount(self.transactions).to_string(),
            self.transactions_per_second,
            self.seed
        )?;
        writeln!(f)?;
        match self.well {
            true => write!(f, "Every cart is equal. It took {:.0} s.", self.seconds),
            false => write!(f, "The shops DIFFER. It took {:.0} s.", self.seconds),
        }
    }
}

fn round(number: f64) -> f64 {
    (number * 100.0).round() / 100.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_take_the_nearest_rank() {
        let delay = Delay::of((1..=200).rev().map(Duration::from_millis).collect());
        assert_eq!(delay.samples, 200);
        assert_eq!(delay.p50_ms, Some(100.0));
        assert_eq!(delay.p99_ms, Some(198.0));
        assert_eq!(delay.max_ms, Some(200.0));
    }

    #[test]
    fn nothing_measured_is_null() {
        let delay = Delay::of(Vec::new());
        assert_eq!(delay.p50_ms, None);
        assert_eq!(delay.p99_ms, None);
    }
}

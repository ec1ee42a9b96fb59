//! Every figure that is exported: its name, its kind and what it means. docs/metrics.md says the same.

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Gauge,
    Counter,
    Histogram,
}

impl Kind {
    pub fn word(self) -> &'static str {
        match self {
            Kind::Gauge => "gauge",
            Kind::Counter => "counter",
            Kind::Histogram => "histogram",
        }
    }
}

/// A figure. Its unit is the end of its name.
#[derive(Clone, Copy, Debug)]
pub struct Figure {
    pub name: &'static str,
    pub kind: Kind,
    pub help: &'static str,
}

const fn gauge(name: &'static str, help: &'static str) -> Figure {
    let kind = Kind::Gauge;
    Figure { name, kind, help }
}

const fn counter(name: &'static str, help: &'static str) -> Figure {
    let kind = Kind::Counter;
    Figure { name, kind, help }
}

const fn histogram(name: &'static str, help: &'static str) -> Figure {
    let kind = Kind::Histogram;
    Figure { name, kind, help }
}

pub const FIGURES: &[Figure] = &[
    gauge(
        "cartage_build_info",
        "Always 1; the label `version` is the program's",
    ),
    gauge(
        "cartage_running",
        "1 while the lanes are at work, 0 while the daemon starts or waits",
    ),
    gauge(
        "cartage_looked_timestamp_seconds",
        "When these figures were read, in Unix time",
    ),
    gauge(
        "cartage_phase",
        "1 for the phase that the pipeline is in, 0 for all others",
    ),
    gauge(
        "cartage_stalled",
        "1 where nothing moves although it should; cartage status says why",
    ),
    gauge("cartage_source_up", "1 where the source has answered"),
    gauge(
        "cartage_lag_bytes",
        "Log of the source that is not applied yet",
    ),
    gauge(
        "cartage_lag_seconds",
        "How long ago the source committed what was applied last",
    ),
    gauge(
        "cartage_source_position_bytes",
        "The end of the source's log",
    ),
    gauge(
        "cartage_applied_position_bytes",
        "How far the log is durable in the target, the least of all lanes",
    ),
    gauge(
        "cartage_source_retained_bytes",
        "Log that the source keeps for this pipeline",
    ),
    gauge(
        "cartage_source_headroom_bytes",
        "Log that may still be written before the source gives up what is not read",
    ),
    gauge(
        "cartage_source_log_expires_seconds",
        "After so long the source removes its log, read or not",
    ),
    gauge(
        "cartage_log_loss_seconds",
        "Until the source gives up log that is not applied, if nothing more is applied",
    ),
    gauge(
        "cartage_catch_up_seconds",
        "Until nothing is left to apply, at the present rates",
    ),
    gauge("cartage_lanes", "Lanes that write into the target"),
    gauge(
        "cartage_lanes_quiet_seconds",
        "Since the lane that has been quiet the longest last committed",
    ),
    gauge(
        "cartage_blocked_seconds",
        "How long a session of ours has waited for a lock of the target; 0 where none does",
    ),
    gauge("cartage_carts", "Carts of the ledger by state"),
    gauge("cartage_held_carts", "Carts that are held, by reason"),
    gauge("cartage_wishes", "Carts that are to be read again"),
    gauge(
        "cartage_walk_running",
        "1 while a walk over all carts goes on",
    ),
    gauge("cartage_walk_carts_done", "Carts that the walk has read"),
    gauge(
        "cartage_walk_carts_expected",
        "Carts that there were by estimate when the walk began",
    ),
    gauge(
        "cartage_walk_eta_seconds",
        "Until the walk is through, at its rate so far",
    ),
    histogram(
        "cartage_synthetic_delay_seconds",
        "From the commit in the old database until a synthetic cart was seen in the target",
    ),
    counter(
        "cartage_synthetic_failures_total",
        "Synthetic carts that did not go as they should, since the daemon started",
    ),
    gauge(
        "cartage_synthetic_last_success_timestamp_seconds",
        "When a synthetic cart last came and went as it should, in Unix time",
    ),
    counter(
        "cartage_patches_total",
        "Patches that were committed in the target",
    ),
    counter(
        "cartage_rows_applied_total",
        "Rows that were written into the target",
    ),
    counter("cartage_conflicts_total", "Conflicts that were found"),
    counter(
        "cartage_late_changes_total",
        "Changes to carts that the new backend had finished with",
    ),
    counter(
        "cartage_merge_conflicts_total",
        "Conflicts that were merged",
    ),
    counter(
        "cartage_merged_items_total",
        "Lines whose quantity both sides had changed",
    ),
    counter(
        "cartage_waived_transactions_total",
        "Transactions of the source that were applied in parts",
    ),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    const PAGE: &str = include_str!("../../docs/metrics.md");

    #[test]
    fn the_page_names_the_figures_and_no_others() {
        let rows = PAGE.lines().filter(|line| line.starts_with("| `cartage_"));
        let told: BTreeMap<&str, &str> = rows
            .map(|row| {
                let mut cells = row.split('|').skip(1).map(str::trim);
                let name = cells.next().unwrap_or_default().trim_matches('`');
                (name, cells.next().unwrap_or_default())
            })
            .collect();
        let known = FIGURES.iter().map(|f| (f.name, f.kind.word()));
        assert_eq!(told, known.collect::<BTreeMap<_, _>>());
    }

    #[test]
    fn a_counter_is_known_by_its_name() {
        for figure in FIGURES {
            let counts = figure.kind == Kind::Counter;
            assert_eq!(figure.name.ends_with("_total"), counts, "{}", figure.name);
        }
    }
}

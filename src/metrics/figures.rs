//! A status as figures. What is not measured is `NaN`, never 0.

use metrics::{counter, gauge};

use crate::forecast::Forecast;
use crate::status::Status;

/// The words of `pipeline.phase`.
const PHASES: [&str; 9] = [
    "new",
    "backfilling",
    "following",
    "routing",
    "switching",
    "switched",
    "rolling_back",
    "complete",
    "stopped",
];

/// Tells one look. Labels are words of our own: nothing of the shop's is among them.
pub fn tell(status: &Status) {
    gauge!("cartage_looked_timestamp_seconds").set(now());
    for phase in PHASES {
        gauge!("cartage_phase", "phase" => phase).set(truth(status.phase == phase));
    }
    gauge!("cartage_stalled").set(truth(status.stalled().is_some()));
    source(status);
    let applied = &status.applied;
    gauge!("cartage_lag_bytes").set(number(status.lag_bytes()));
    gauge!("cartage_lag_seconds").set(status.lag_seconds().unwrap_or(f64::NAN));
    gauge!("cartage_applied_position_bytes").set(number(applied.position));
    gauge!("cartage_lanes").set(applied.lanes as f64);
    gauge!("cartage_lanes_quiet_seconds").set(applied.quiet_seconds.unwrap_or(f64::NAN));
    gauge!("cartage_blocked_seconds").set(status.blocked.map_or(0.0, |blocked| blocked.seconds));
    carts(status);
    walk(status);
    let count = |value: i64| u64::try_from(value).unwrap_or(0);
    counter!("cartage_patches_total").absolute(count(status.patches));
    counter!("cartage_rows_applied_total").absolute(count(status.rows_applied));
    counter!("cartage_conflicts_total").absolute(count(status.conflicts));
    counter!("cartage_late_changes_total").absolute(count(status.late));
    counter!("cartage_merge_conflicts_total").absolute(count(status.merge_conflicts));
    counter!("cartage_merged_items_total").absolute(count(status.merged_items));
    counter!("cartage_waived_transactions_total").absolute(count(status.waived));
}

fn source(status: &Status) {
    let source = &status.source;
    gauge!("cartage_source_up").set(truth(source.unreachable.is_none()));
    gauge!("cartage_source_position_bytes").set(number(source.position));
    gauge!("cartage_source_retained_bytes").set(number(source.retained_bytes));
    let headroom = source.headroom_bytes.map_or(f64::NAN, |bytes| bytes as f64);
    gauge!("cartage_source_headroom_bytes").set(headroom);
    gauge!("cartage_source_log_expires_seconds").set(source.expires_seconds.unwrap_or(f64::NAN));
}

/// What becomes of the log, by the rates that the lookout has smoothed.
pub fn tell_forecast(forecast: &Forecast) {
    let seconds = |value: Option<f64>| value.unwrap_or(f64::NAN);
    gauge!("cartage_log_loss_seconds").set(seconds(forecast.loss_seconds));
    gauge!("cartage_catch_up_seconds").set(seconds(forecast.catch_up_seconds));
}

fn carts(status: &Status) {
    let carts = &status.carts;
    for (state, count) in [
        ("mirrored", carts.mirrored),
        ("merged", carts.merged),
        ("held", carts.held),
        ("ended", carts.ended),
        ("handed_over", carts.handed_over),
    ] {
        gauge!("cartage_carts", "state" => state).set(count as f64);
    }
    // The status has all reasons, those of no cart with 0.
    for (reason, count) in &status.holds {
        gauge!("cartage_held_carts", "reason" => reason.clone()).set(*count as f64);
    }
    gauge!("cartage_wishes").set(status.wishes as f64);
}

fn walk(status: &Status) {
    let walk = status.walk.as_ref();
    let part = |value: Option<i64>| value.map_or(f64::NAN, |value| value as f64);
    gauge!("cartage_walk_running").set(truth(walk.is_some_and(|walk| !walk.finished)));
    gauge!("cartage_walk_carts_done").set(part(walk.map(|walk| walk.done)));
    gauge!("cartage_walk_carts_expected").set(part(walk.and_then(|walk| walk.total)));
    gauge!("cartage_walk_eta_seconds").set(status.eta_seconds().unwrap_or(f64::NAN));
}

fn truth(value: bool) -> f64 {
    f64::from(u8::from(value))
}

fn number(value: Option<u64>) -> f64 {
    value.map_or(f64::NAN, |value| value as f64)
}

/// Unix time.
pub fn now() -> f64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(f64::NAN, |since| since.as_secs_f64())
}

#[cfg(test)]
pub(super) mod tests {
    use std::collections::BTreeMap;

    use super::*;

    /// A status in which a cart is held.
    pub fn full() -> Status {
        Status {
            holds: BTreeMap::from([("conflict".to_owned(), 1)]),
            ..Status::default()
        }
    }
}

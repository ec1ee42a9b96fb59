//! Where a pipeline stands: what the control tables say, and the source where it can be asked.

mod parity;
mod read;
pub mod text;

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Value, json};

pub use parity::{Parity, Run};
pub use read::look;

use crate::forecast::{self, Forecast, IDLE_BYTES, Known, Speed};
use crate::source::Spelling;
use crate::source::change::Lsn;
use crate::source::standing::Standing;
use crate::switch::{self, Mutant};
use crate::target::control::synthetic::Last;

/// With log left to apply, lanes that have committed nothing for so long are stalled: even idle
/// ones note every few seconds how far the log has come.
const STALL_SECONDS: f64 = 60.0;

/// One look. What could not be measured is none, never zero.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Status {
    pub pipeline: String,
    pub spelling: Spelling,
    pub phase: String,
    pub stopped_reason: Option<String>,
    pub source: Standing,
    pub applied: Applied,
    pub carts: Carts,
    pub wishes: i64,
    pub conflicts: i64,
    pub late: i64,
    pub merged_items: i64,
    pub merge_conflicts: i64,
    /// Held carts by the reason for which they are.
    pub holds: BTreeMap<String, i64>,
    pub waived: i64,
    pub patches: i64,
    pub rows_applied: i64,
    /// New columns that nothing maps, by table; none where nobody looked.
    pub unmapped: Option<Vec<String>>,
    pub blocked: Option<Blocked>,
    pub walk: Option<Walk>,
    /// The last synthetic cart that has come and gone.
    pub synthetic: Option<Last>,
    /// None where nothing was ever verified.
    pub parity: Option<Parity>,
    /// Measured between two looks.
    pub rates: Option<Rates>,
}

/// What is durable in the target.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Applied {
    /// The least of all lanes.
    pub position: Option<u64>,
    pub lanes: i64,
    /// Since the commit of the last source transaction that was applied.
    pub commit_age: Option<f64>,
    /// Since the lane that has been quiet the longest last committed.
    pub quiet_seconds: Option<f64>,
}

/// Carts of the ledger by state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Carts {
    pub mirrored: i64,
    pub merged: i64,
    pub held: i64,
    pub ended: i64,
    pub handed_over: i64,
}

/// A session of ours that waits for a lock in the target.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Blocked {
    /// The server process that holds it.
    pub by: Option<i32>,
    pub seconds: f64,
}

/// The walk over all carts that is going on, else the first backfill.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Walk {
    pub kind: String,
    pub done: i64,
    /// As estimated when it began.
    pub total: Option<i64>,
    pub rows: i64,
    pub waiting: Option<String>,
    pub finished: bool,
    pub seconds: f64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Rates {
    pub rows_per_second: f64,
    pub patches_per_second: f64,
    pub log_bytes_per_second: f64,
    /// How fast the source writes its log.
    pub source_bytes_per_second: Option<f64>,
    pub backfill_carts_per_second: Option<f64>,
}

impl Status {
    pub fn lag_bytes(&self) -> Option<u64> {
        let difference = || Some(self.source.position?.saturating_sub(self.applied.position?));
        let known = self.source.behind.or_else(difference);
        known.or(switch::mutant(Mutant::UnknownIsNear).then_some(0))
    }

    /// How long ago the source committed what was applied last. The log dates only commits, so
    /// with nothing of ours left in it, it is the time since the lanes last looked.
    pub fn lag_seconds(&self) -> Option<f64> {
        let bytes = self.lag_bytes()?;
        if bytes == 0 {
            return Some(0.0);
        }
        let quiet = self.applied.quiet_seconds?;
        if bytes < IDLE_BYTES && quiet < STALL_SECONDS {
            return Some(quiet);
        }
        self.applied.commit_age
    }

    /// Why nothing moves although it should.
    pub fn stalled(&self) -> Option<String> {
        if self.phase == "stopped" || self.stopped_reason.is_some() {
            return Some("the daemon stopped and needs a human".to_owned());
        }
        let slot = self.source.slot.as_deref().unwrap_or("(none)");
        if let Some(why) = &self.source.slot_lost {
            return Some(format!(
                "the source gave up the replication slot {slot} ({why}); run: cartage setup"
            ));
        }
        if self.source.slot_there == Some(false) && self.phase != "new" {
            return Some(format!(
                "the replication slot {slot} is not on the source; run: cartage setup"
            ));
        }
        if self.source.log_lost && self.applied.quiet_seconds? > STALL_SECONDS {
            return Some(
                "the source has removed log that is not applied yet: a daemon that starts does not \
                 find its place; run: cartage setup"
                    .to_owned(),
            );
        }
        let quiet = self.applied.quiet_seconds?;
        let behind = self.lag_bytes().is_none_or(|bytes| bytes > 0);
        (self.phase != "new" && behind && quiet > STALL_SECONDS).then(|| {
            format!(
                "no lane has committed for {} s; does the daemon run?",
                quiet as u64
            )
        })
    }

    /// Seconds until the walk ends at the rate so far.
    pub fn eta_seconds(&self) -> Option<f64> {
        let walk = self.walk.as_ref().filter(|walk| !walk.finished)?;
        let left = walk.total?.saturating_sub(walk.done).max(0) as f64;
        let rate = self
            .rates
            .and_then(|rates| rates.backfill_carts_per_second)
            .filter(|rate| *rate > 0.0)
            .or_else(|| (walk.seconds > 0.0).then(|| walk.done as f64 / walk.seconds))?;
        (rate > 0.0).then(|| left / rate)
    }

    /// Seconds until the source gives the slot up, if it writes on at this rate and nothing is
    /// confirmed to it meanwhile.
    pub fn headroom_seconds(&self) -> Option<f64> {
        let rate = self.rates?.source_bytes_per_second?;
        let bytes = self.source.headroom_bytes?.max(0) as f64;
        (rate > 0.0).then(|| bytes / rate)
    }

    /// What becomes of the log at the present rates.
    pub fn forecast(&self) -> Forecast {
        let speed = self.rates.and_then(|rates| {
            Some(Speed {
                source: rates.source_bytes_per_second?,
                applied: rates.log_bytes_per_second,
            })
        });
        self.forecast_at(speed, None)
    }

    /// `caught_up` is how many seconds ago nothing was left to apply, where somebody looked on: what is
    /// left now is younger. An idle shop's last commit may be old.
    pub fn forecast_at(&self, speed: Option<Speed>, caught_up: Option<f64>) -> Forecast {
        let ages = [self.lag_seconds(), caught_up].into_iter().flatten();
        forecast::forecast(&Known {
            lag_bytes: self.lag_bytes(),
            speed,
            headroom_bytes: self
                .source
                .headroom_bytes
                .map(|bytes| u64::try_from(bytes).unwrap_or(0)),
            age_seconds: ages.reduce(f64::min),
            expires_seconds: self.source.expires_seconds,
            idle_seconds: self.source.idle_seconds,
            lost: self.source.log_lost || self.source.slot_lost.is_some(),
        })
    }

    /// Whether a second look has something to tell: there is log to catch up.
    pub fn is_behind(&self) -> bool {
        self.lag_bytes().is_some_and(|bytes| bytes >= IDLE_BYTES)
    }

    /// Fills the rates from a look some seconds earlier; `written` are the bytes of log that the
    /// source wrote since, where it could be asked.
    pub fn compare_with(&mut self, before: &Status, seconds: f64, written: Option<u64>) {
        if seconds <= 0.0 {
            return;
        }
        let per_second = |now: i64, then: i64| now.saturating_sub(then).max(0) as f64 / seconds;
        // Positions of two files of a binlog have no difference.
        let lags = before.lag_bytes().zip(self.lag_bytes());
        let speed = written
            .zip(lags)
            .and_then(|(written, (then, now))| Speed::between(written, then, now, seconds));
        let walks = match (&self.walk, &before.walk) {
            (Some(now), Some(then)) if !now.finished => Some(per_second(now.done, then.done)),
            _ => None,
        };
        self.rates = Some(Rates {
            rows_per_second: per_second(self.rows_applied, before.rows_applied),
            patches_per_second: per_second(self.patches, before.patches),
            log_bytes_per_second: speed.map_or(0.0, |speed| speed.applied),
            source_bytes_per_second: speed.map(|speed| speed.source),
            backfill_carts_per_second: walks,
        });
    }

    /// The document of `--json`.
    pub fn json(&self) -> Value {
        let walk = self.walk.as_ref();
        json!({
            "pipeline": self.pipeline,
            "phase": self.phase,
            "stalled": self.stalled(),
            "stopped_reason": self.stopped_reason,
            "source": {
                "position": self.source.position.map(|at| self.spelling.show(Lsn(at))),
                "unreachable": self.source.unreachable,
                "slot": self.source.slot,
                "slot_active": self.source.slot_there.map(|_| self.source.slot_pid.is_some()),
                "retained_bytes": self.source.retained_bytes,
                "headroom_bytes": self.source.headroom_bytes,
                "headroom_seconds": self.headroom_seconds(),
                "expires_seconds": self.source.expires_seconds,
                "log_lost": self.source.log_lost,
                "wal_status": self.source.wal_status,
            },
            "applied": {
                "position": self.applied.position.map(|at| self.spelling.show(Lsn(at))),
                "lanes": self.applied.lanes,
                "quiet_seconds": self.applied.quiet_seconds,
            },
            "blocked": self.blocked.map(|blocked| json!({
                "by_pid": blocked.by,
                "seconds": blocked.seconds,
            })),
            "lag": { "bytes": self.lag_bytes(), "seconds": self.lag_seconds() },
            "carts": self.carts,
            "wishes": self.wishes,
            "rows_applied": self.rows_applied,
            "patches": self.patches,
            "conflicts": self.conflicts,
            "late": self.late,
            "merged_items": self.merged_items,
            "merge_conflicts": self.merge_conflicts,
            "holds": self.holds,
            "waived": self.waived,
            "unmapped": self.unmapped,
            "backfill": {
                "kind": walk.map(|walk| walk.kind.as_str()),
                "done": walk.map(|walk| walk.done),
                "total": walk.and_then(|walk| walk.total),
                "rows": walk.map(|walk| walk.rows),
                "finished": walk.map(|walk| walk.finished),
                "waiting": walk.and_then(|walk| walk.waiting.as_deref()),
                "eta_seconds": self.eta_seconds(),
            },
            "throughput": self.rates,
            "synthetic": self.synthetic.as_ref().map(|last| json!({
                "n": last.number,
                "seconds_ago": last.seconds_ago,
                "create_seconds": last.create,
                "change_seconds": last.change,
                "remove_seconds": last.remove,
                "failure": last.failure,
                "failures": last.failures,
                "success_seconds_ago": last.success_seconds_ago,
            })),
            "forecast": self.forecast(),
            "parity": self.parity,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn following(lag: u64, quiet: f64) -> Status {
        Status {
            phase: "following".to_owned(),
            source: Standing {
                position: Some(0x0200_0000 + lag),
                slot_there: Some(true),
                ..Standing::default()
            },
            applied: Applied {
                position: Some(0x0200_0000),
                lanes: 4,
                commit_age: Some(900.0),
                quiet_seconds: Some(quiet),
            },
            ..Status::default()
        }
    }

    #[test]
    fn an_idle_pipeline_has_no_lag_but_a_backlog_has() {
        assert_eq!(following(0, 2.0).lag_seconds(), Some(0.0));
        assert_eq!(following(300, 2.0).lag_seconds(), Some(2.0));
        assert_eq!(following(1 << 24, 2.0).lag_seconds(), Some(900.0));
    }

    #[test]
    fn what_is_not_measured_is_null() {
        let mut status = following(5, 1.0);
        status.source = Standing::default();
        let json = status.json();
        assert_eq!(json["lag"], json!({ "bytes": null, "seconds": null }));
        assert_eq!(json["source"]["position"], Value::Null);
        assert_eq!(json["backfill"]["done"], Value::Null);
        assert_eq!(json["throughput"], Value::Null);
    }

    #[test]
    fn stalled_is_said_with_its_reason() {
        assert_eq!(following(0, 9_000.0).stalled(), None);
        assert_eq!(following(10, 3.0).stalled(), None);
        assert!(following(10, 61.0).stalled().is_some());
        let mut lost = following(0, 1.0);
        lost.source.slot_lost = Some("wal_removed".to_owned());
        assert!(
            lost.stalled()
                .is_some_and(|why| why.contains("wal_removed"))
        );
        let mut stopped = following(0, 1.0);
        stopped.phase = "stopped".to_owned();
        assert!(stopped.stalled().is_some());
        let mut new = following(10, 600.0);
        new.phase = "new".to_owned();
        assert_eq!(new.stalled(), None);
    }

    #[test]
    fn rates_and_the_time_left_come_from_two_looks() {
        let mut before = following(0, 0.0);
        before.walk = Some(Walk {
            done: 100,
            total: Some(1_000),
            seconds: 1.0,
            ..Walk::default()
        });
        let mut now = before.clone();
        now.rows_applied = 500;
        now.source.position = now.source.position.map(|at| at + 400);
        now.source.headroom_bytes = Some(1_000);
        now.walk = Some(Walk {
            done: 200,
            total: Some(1_000),
            seconds: 3.0,
            ..Walk::default()
        });
        now.compare_with(&before, 2.0, Some(400));
        assert_eq!(now.rates.map(|r| r.rows_per_second), Some(250.0));
        assert_eq!(now.eta_seconds(), Some(16.0));
        assert_eq!(now.headroom_seconds(), Some(5.0));
        now.source.headroom_bytes = None;
        assert_eq!(now.headroom_seconds(), None);
    }
}

//! The document of `--json`: what stands in it whether both ends can be reached or not.

use serde_json::{Value, json};

use super::control::{self, Lane, Records};
use super::facts::{Hold, Stalled, Walk};
use crate::cart::key::CartKey;
use crate::source::change::Lsn;
use crate::status::{self, Status};
use crate::target::control::pipeline::PipelineRow;
use crate::target::ledger::{self, Entry, LedgerError};
use crate::target::session::Target;

/// What the control tables and the source's log say of a cart, rows apart.
pub(super) struct Known {
    pub status: Status,
    pub entry: Option<Entry>,
    pub lane: Lane,
    pub hold: Option<Hold>,
    /// The reason, and since when.
    pub wish: Option<(String, String)>,
    pub records: Records,
    ledger: Value,
    verification: Value,
}

impl Known {
    /// `current` is the mapping that counts as the current one.
    pub async fn of(
        target: &Target,
        status: Status,
        pipeline: &PipelineRow,
        cart: &CartKey,
        current: Option<i32>,
    ) -> Result<Self, LedgerError> {
        let loaded = ledger::load(target, pipeline.id, &[cart]).await?;
        let entry = loaded.into_iter().next().and_then(|loaded| loaded.entry);
        Ok(Self {
            status,
            lane: control::lane(target, pipeline.id, cart).await?,
            hold: control::hold(target, pipeline.id, cart).await?,
            wish: control::wish(target, pipeline.id, cart).await?,
            records: Records::of(target, pipeline.id, cart).await?,
            ledger: match &entry {
                Some(entry) => control::ledger_row(target, pipeline, cart, current, entry).await?,
                None => Value::Null,
            },
            verification: control::verification(target, pipeline.id, cart).await?,
            entry,
        })
    }

    /// The walk over all carts that goes on.
    fn walking(&self) -> Option<&status::Walk> {
        self.status.walk.as_ref().filter(|walk| !walk.finished)
    }

    pub fn walk(&self) -> Option<Walk> {
        self.walking().map(|walk| Walk {
            kind: walk.kind.clone(),
            waiting: walk.waiting.clone(),
        })
    }

    /// Why nothing moves, and what is to be run about it.
    pub fn stalled(&self, pipeline: &PipelineRow) -> Option<Stalled> {
        let unit = format!("cartage@{}", pipeline.name);
        if self.status.phase == "new" {
            return Some(Stalled {
                why: "the pipeline is set up, and its daemon has never run".to_owned(),
                next: format!("systemctl start {unit}"),
            });
        }
        let Some(why) = self.status.stalled() else {
            return self.status.lock_line().map(|why| Stalled {
                why,
                next: "cartage status".to_owned(),
            });
        };
        let source = &self.status.source;
        let stopped = self.status.phase == "stopped" || self.status.stopped_reason.is_some();
        let lost =
            source.slot_lost.is_some() || source.slot_there == Some(false) || source.log_lost;
        let next = match (stopped, lost) {
            (true, _) => "cartage status".to_owned(),
            (false, true) => "cartage setup".to_owned(),
            (false, false) => format!("systemctl status {unit}"),
        };
        Some(Stalled { why, next })
    }

    /// Of what was read up to a point of the log, and whether that has passed.
    pub fn positions(&self, read: Option<(Lsn, bool)>) -> Value {
        let (status, lane) = (&self.status, &self.lane);
        let show = |at: Lsn| status.spelling.show(at);
        json!({
            "source_end": status.source.position.map(|at| show(Lsn(at))),
            "read_up_to": read.map(|(upto, _)| show(upto)),
            "lane": lane.number,
            "lane_applied": lane.position.map(show),
            "lane_past_what_was_read": read.map(|(_, passed)| passed),
            "all_lanes_applied": status.applied.position.map(|at| show(Lsn(at))),
            "lag_bytes": status.lag_bytes(),
            "lag_seconds": status.lag_seconds(),
        })
    }

    /// Puts what is known beside what the document has.
    pub fn add_to(&self, document: &mut Value) {
        let wish = self.wish.as_ref();
        let walk = self.walking();
        document["phase"] = json!(self.status.phase);
        document["stopped_reason"] = json!(self.status.stopped_reason);
        document["ledger"] = self.ledger.clone();
        document["last_batch"] = json!({
            "lane": self.lane.number,
            "source_commit_seconds_ago": self.lane.commit_age,
            "lane_committed_seconds_ago": self.lane.quiet,
        });
        document["hold"] = json!(self.hold);
        document["wish"] =
            json!(wish.map(|(reason, since)| json!({ "reason": reason, "since": since })));
        document["walk"] = json!(walk.map(|walk| json!({
            "kind": walk.kind,
            "done": walk.done,
            "total": walk.total,
            "waiting": walk.waiting,
        })));
        document["conflicts"] = self.records.json(&self.status.spelling);
        document["verification"] = self.verification.clone();
    }
}

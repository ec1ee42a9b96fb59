//! The status for people, one matter a line.

use std::fmt::Write;
use std::time::Duration;

use indicatif::{HumanBytes, HumanCount, HumanDuration};

use super::Status;
use crate::source::change::Lsn;
use crate::source::standing::Pressure;

const UNKNOWN: &str = "not known";

impl Status {
    pub fn text(&self) -> String {
        let mut out = String::new();
        let mut line = |name: &str, value: String| {
            let _ = writeln!(out, "{name:<10} {value}");
        };
        line("pipeline", format!("{} ({})", self.pipeline, self.phase));
        if let Some(why) = self.stalled() {
            line("STALLED", why);
        }
        if let Some(why) = &self.stopped_reason {
            line("stopped", why.clone());
        }
        line("source", self.source_line());
        line("applied", or_unknown(self.position(self.applied.position)));
        line("lag", self.lag_line());
        if let Some(forecast) = self.forecast().text() {
            line("forecast", forecast);
        }
        if let Some(lock) = self.lock_line() {
            line("waits", lock);
        }
        line(
            "carts",
            format!(
                "{} mirrored, {} merged, {} held, {} ended, {} handed over",
                count(self.carts.mirrored),
                count(self.carts.merged),
                count(self.carts.held),
                count(self.carts.ended),
                count(self.carts.handed_over)
            ),
        );
        line(
            "applied",
            format!(
                "{} rows in {} patches{}",
                count(self.rows_applied),
                count(self.patches),
                self.rates.map_or_else(String::new, |rates| format!(
                    "; {:.0} rows/s, {}/s of log",
                    rates.rows_per_second,
                    HumanBytes(rates.log_bytes_per_second as u64)
                ))
            ),
        );
        line(
            "conflicts",
            format!(
                "{}, {} of them merged ({} lines); {} late changes, {} transactions waived, {} carts to be read again",
                count(self.conflicts),
                count(self.merge_conflicts),
                count(self.merged_items),
                count(self.late),
                count(self.waived),
                count(self.wishes)
            ),
        );
        if let Some(new) = self.unmapped.as_ref().filter(|new| !new.is_empty()) {
            line(
                "unmapped",
                format!("{} (new since the mapping was stored)", new.join(", ")),
            );
        }
        if let Some(holds) = self.holds_line() {
            line("held", holds);
        }
        if let Some(walk) = self.walk_line() {
            line("backfill", walk);
        }
        if let Some(last) = self.synthetic_line() {
            line("synthetic", last);
        }
        if let Some(parity) = &self.parity {
            parity
                .lines()
                .into_iter()
                .for_each(|text| line("parity", text));
        }
        if self.carts.held > 0 {
            line("next", "cartage held list".to_owned());
        }
        out
    }

    fn synthetic_line(&self) -> Option<String> {
        let last = self.synthetic.as_ref()?;
        let ago = last.seconds_ago;
        Some(match &last.failure {
            Some(why) => format!("FAILED {ago:.0} s ago: {why}"),
            None => {
                let steps = [last.create, last.change, last.remove]
                    .into_iter()
                    .flatten();
                let delays: Vec<String> = steps.map(|d| format!("{:.0} ms", d * 1e3)).collect();
                format!("{} to arrive, {ago:.0} s ago", delays.join(", "))
            }
        })
    }

    /// Phase and lag in one line, as `systemctl status` shows it.
    pub fn line(&self) -> String {
        let mut text = self.phase.clone();
        if let Some(walk) = self.walk.as_ref().filter(|walk| !walk.finished) {
            match walk.total {
                Some(total) if total > 0 => {
                    let percent = (walk.done.max(0) * 100 / total).min(100);
                    let _ = write!(text, " {percent} %");
                }
                _ => {
                    let _ = write!(text, " {} carts", count(walk.done));
                }
            }
            if let Some(why) = &walk.waiting {
                let _ = write!(text, ", waits: {why}");
            }
        }
        match (&self.source.unreachable, self.lag_bytes()) {
            (Some(why), _) => {
                let _ = write!(text, ", lag not known: {why}");
            }
            (None, Some(bytes)) => {
                let _ = write!(text, ", {} ", HumanBytes(bytes));
                if let Some(seconds) = self.lag_seconds() {
                    let _ = write!(text, "({seconds:.1} s) ");
                }
                text.push_str("behind");
            }
            (None, None) => text.push_str(", lag not known"),
        }
        if let Some(lock) = self.lock_line() {
            let _ = write!(text, "; {lock}");
        }
        text
    }

    /// Why carts are held.
    fn holds_line(&self) -> Option<String> {
        let holds = self.holds.iter().filter(|(_, carts)| **carts > 0);
        let holds: Vec<String> = holds
            .map(|(reason, carts)| format!("{} {reason}", count(*carts)))
            .collect();
        (!holds.is_empty()).then(|| holds.join(", "))
    }

    /// That a lane waits for somebody else's lock.
    pub fn lock_line(&self) -> Option<String> {
        let blocked = self.blocked?;
        let by = blocked
            .by
            .map_or_else(String::new, |pid| format!(", held by PID {pid}"));
        let seconds = blocked.seconds;
        Some(format!(
            "a lane has waited {seconds:.0} s for a lock in the target{by}"
        ))
    }

    fn source_line(&self) -> String {
        if let Some(why) = &self.source.unreachable {
            return format!("{UNKNOWN}: {why}");
        }
        let mut text = or_unknown(self.position(self.source.position));
        if let Some(bytes) = self.source.retained_bytes {
            let _ = write!(text, ", keeps {} of log for us", HumanBytes(bytes));
        }
        if let Some(bytes) = self.source.headroom_bytes {
            let bytes = u64::try_from(bytes).unwrap_or(0);
            let end = match self.source.slot {
                Some(_) => "gives up the slot",
                None => "removes what is not applied",
            };
            let _ = write!(text, ", {} more before it {end}", HumanBytes(bytes));
            if let Some(seconds) = self.headroom_seconds() {
                let left = Duration::from_secs_f64(seconds.min(1e9));
                let _ = write!(text, " (about {} at this rate)", HumanDuration(left));
            }
        }
        if let Some(expires) = self.source.expires_seconds {
            let after = Duration::from_secs_f64(expires.min(1e9));
            let _ = write!(text, ", keeps its log for {}", HumanDuration(after));
            if self.lag_seconds().is_some_and(|lag| lag > expires / 2.0) {
                text.push_str("; LITTLE OF THAT IS LEFT");
            }
        }
        if self.source.log_lost {
            text.push_str("; LOG THAT IS NOT APPLIED IS GONE");
        }
        match self.source.pressure {
            Pressure::None => {}
            Pressure::Low => text.push_str("; LITTLE IS LEFT"),
            Pressure::Unreserved => text.push_str("; IT GOES WITH THE NEXT CHECKPOINT"),
        }
        if self.source.slot_there == Some(true) && self.source.slot_pid.is_none() {
            text.push_str("; nobody reads the slot");
        }
        text
    }

    fn position(&self, at: Option<u64>) -> Option<String> {
        at.map(|at| self.spelling.show(Lsn(at)))
    }

    fn lag_line(&self) -> String {
        let bytes = self.lag_bytes().map(|bytes| HumanBytes(bytes).to_string());
        let seconds = self.lag_seconds().map(|seconds| format!("{seconds:.1} s"));
        format!("{}, {}", or_unknown(bytes), or_unknown(seconds))
    }

    fn walk_line(&self) -> Option<String> {
        let walk = self.walk.as_ref()?;
        let mut text = format!("{}: {}", walk.kind, count(walk.done));
        if let Some(total) = walk.total.filter(|_| !walk.finished) {
            let _ = write!(text, " of about {}", count(total));
        }
        text.push_str(" carts");
        if walk.finished {
            text.push_str(", done");
        } else if let Some(seconds) = self.eta_seconds() {
            let left = Duration::from_secs_f64(seconds.min(1e9));
            let _ = write!(text, ", about {} left", HumanDuration(left));
        }
        if let Some(why) = &walk.waiting {
            let _ = write!(text, "; waits: {why}");
        }
        Some(text)
    }
}

fn or_unknown(text: Option<String>) -> String {
    text.unwrap_or_else(|| UNKNOWN.to_owned())
}

fn count(n: i64) -> String {
    HumanCount(n.unsigned_abs()).to_string()
}

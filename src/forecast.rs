//! Whether the pipeline catches up before the source gives up log that is not applied yet (hazard 12).
//! Pure: rates and room go in, two times and a verdict come out.

use serde::Serialize;

use crate::switch::{self, Mutant};

/// Log that idle servers write by themselves between two notes of an idle lane: with no more than
/// that left, nothing has to be caught up.
pub const IDLE_BYTES: u64 = 64 << 10;
/// What is lost later than that is not warned of: rates do not stay as they are for so long.
const HORIZON: f64 = 24.0 * 3_600.0;
/// How much a new measurement counts against those before.
const WEIGHT: f64 = 0.3;
/// So many looks in a row have to be good before a warning can come again.
const CALM: u32 = 3;

/// What is known. What could not be measured is none.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Known {
    /// Log that is not applied yet.
    pub lag_bytes: Option<u64>,
    pub speed: Option<Speed>,
    /// Log that may still be written before what is not applied goes; none means no limit.
    pub headroom_bytes: Option<u64>,
    /// Since the source committed what was applied last.
    pub age_seconds: Option<f64>,
    /// The source removes its log at this age; none means never by its age.
    pub expires_seconds: Option<f64>,
    /// Until a slot that nobody reads is given up for that; none while it is read, or for ever.
    pub idle_seconds: Option<f64>,
    /// Log that is not applied is gone.
    pub lost: bool,
}

/// Bytes of log a second.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Speed {
    pub source: f64,
    pub applied: f64,
}

impl Speed {
    /// From what the source wrote in so many seconds, and the lag before and after.
    pub fn between(written: u64, before: u64, after: u64, seconds: f64) -> Option<Self> {
        let applied = (written as f64 + before as f64 - after as f64).max(0.0);
        (seconds > 0.0).then(|| Self {
            source: written as f64 / seconds,
            applied: applied / seconds,
        })
    }

    /// With what was measured before: a single look is a matter of chance.
    pub fn smoothed(self, before: Option<Self>) -> Self {
        let Some(before) = before else { return self };
        let mix = |now: f64, then: f64| then + WEIGHT * (now - then);
        Self {
            source: mix(self.source, before.source),
            applied: mix(self.applied, before.applied),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Nothing is left to apply.
    CaughtUp,
    /// It catches up, and before that nothing is lost.
    InTime,
    /// It does not catch up at this rate, and the source has no limit that is known.
    FallingBehind,
    /// It catches up, but not before the source would give the log up if the lanes stood still.
    Tight,
    /// The log is given up first.
    TooLate,
    /// It is gone.
    Lost,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Forecast {
    /// Until the source gives up log that is not applied, if nothing more is applied meanwhile.
    pub loss_seconds: Option<f64>,
    /// Until nothing is left to apply; none too where it never comes to that.
    pub catch_up_seconds: Option<f64>,
    /// None where too little is known.
    pub verdict: Option<Verdict>,
}

pub fn forecast(known: &Known) -> Forecast {
    if known.lost {
        return Forecast {
            loss_seconds: Some(0.0),
            catch_up_seconds: None,
            verdict: Some(Verdict::Lost),
        };
    }
    let Some(lag) = known.lag_bytes else {
        return Forecast::default();
    };
    if lag < IDLE_BYTES {
        // A slot that nobody reads goes even though nothing of it is missing.
        return Forecast {
            loss_seconds: known.idle_seconds,
            catch_up_seconds: Some(0.0),
            verdict: Some(match known.idle_seconds {
                Some(_) => Verdict::TooLate,
                None => Verdict::CaughtUp,
            }),
        };
    }
    let by_size = known.headroom_bytes.zip(known.speed);
    let by_size =
        by_size.and_then(|(room, speed)| (speed.source > 0.0).then(|| room as f64 / speed.source));
    // The file that is needed was last written when the commit in question was, or later.
    let by_age = known.expires_seconds.zip(known.age_seconds);
    let by_age = by_age.map(|(expires, age)| (expires - age).max(0.0));
    let limits = [by_size, by_age, known.idle_seconds];
    let loss = limits.into_iter().flatten().reduce(f64::min);
    let loss = loss.filter(|_| !switch::mutant(Mutant::LossUnforeseen));
    let Some(speed) = known.speed else {
        return Forecast {
            loss_seconds: loss,
            ..Forecast::default()
        };
    };
    let gain = speed.applied - speed.source;
    let catch_up = (gain > 0.0).then(|| lag as f64 / gain);
    let verdict = match (loss, catch_up) {
        (None, Some(_)) => Verdict::InTime,
        (Some(loss), Some(catch_up)) if catch_up < loss => Verdict::InTime,
        (Some(_), Some(_)) => Verdict::Tight,
        (Some(_), None) => Verdict::TooLate,
        (None, None) => Verdict::FallingBehind,
    };
    Forecast {
        loss_seconds: loss,
        catch_up_seconds: catch_up,
        verdict: Some(verdict),
    }
}

impl Forecast {
    /// For people; none where there is nothing to say.
    pub fn text(&self) -> Option<String> {
        let loss = self.loss_seconds.map(span);
        let catch_up = self.catch_up_seconds.map(span);
        let (loss, catch_up) = (
            loss.unwrap_or_else(|| "a time that is not known".to_owned()),
            catch_up.unwrap_or_else(|| "for ever".to_owned()),
        );
        match self.verdict? {
            Verdict::CaughtUp => None,
            Verdict::InTime if self.loss_seconds.is_none() => Some(format!(
                "catches up in {catch_up}; the source gives no log up by then"
            )),
            Verdict::InTime => Some(format!(
                "catches up in {catch_up}; standing still, the source would give the log up in {loss}"
            )),
            Verdict::FallingBehind => Some("does not catch up at the present rate".to_owned()),
            Verdict::Lost => Some("the source has given up log that is not applied".to_owned()),
            Verdict::Tight | Verdict::TooLate => Some(format!(
                "at the present rate the source gives the log up in {loss}, catching up takes {catch_up}"
            )),
        }
    }

    /// How bad it is: 0 is nothing to warn of.
    fn grade(&self) -> u8 {
        let Some(loss) = self.loss_seconds.filter(|loss| *loss < HORIZON) else {
            return 0;
        };
        let near = match loss {
            ..300.0 => 4,
            ..900.0 => 3,
            ..3_600.0 => 2,
            _ => 1,
        };
        match self.verdict {
            // It shrinks, so that its nearness says little.
            Some(Verdict::Tight) => 1,
            Some(Verdict::TooLate) => 1 + near,
            _ => 0,
        }
    }
}

/// Minutes, or what is near them.
fn span(seconds: f64) -> String {
    match seconds {
        ..90.0 => format!("{seconds:.0} s"),
        ..7_200.0 => format!("{:.0} min", seconds / 60.0),
        ..172_800.0 => format!("{:.0} h", seconds / 3_600.0),
        _ => format!("{:.0} days", seconds / 86_400.0),
    }
}

/// What was warned of: each worsening once.
#[derive(Clone, Copy, Debug, Default)]
pub struct Warned {
    grade: u8,
    good: u32,
}

impl Warned {
    /// Whether this is worse than all since it was last well.
    pub fn worse(&mut self, forecast: &Forecast) -> bool {
        let grade = forecast.grade();
        self.good = match grade {
            0 => self.good.saturating_add(1),
            _ => 0,
        };
        if self.good >= CALM {
            self.grade = 0;
        }
        let worse = grade > self.grade;
        self.grade = self.grade.max(grade);
        worse
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;

    fn behind(source: f64, applied: f64) -> Known {
        Known {
            lag_bytes: Some(100 * MIB),
            speed: Some(Speed { source, applied }),
            headroom_bytes: Some(60 * MIB),
            ..Known::default()
        }
    }

    #[test]
    fn a_pipeline_that_stands_still_loses_the_log_when_the_room_is_full() {
        let told = forecast(&behind(MIB as f64, 0.0));
        assert_eq!(told.loss_seconds, Some(60.0));
        assert_eq!(told.catch_up_seconds, None);
        assert_eq!(told.verdict, Some(Verdict::TooLate));
        let text = told.text().expect("a text");
        assert!(
            text.contains("in 60 s, catching up takes for ever"),
            "{text}"
        );
    }

    #[test]
    fn one_that_is_faster_than_the_source_catches_up_in_time_or_only_just() {
        let told = forecast(&behind(MIB as f64, 11.0 * MIB as f64));
        assert_eq!(told.catch_up_seconds, Some(10.0));
        assert_eq!(told.verdict, Some(Verdict::InTime));
        let slow = forecast(&behind(MIB as f64, 2.0 * MIB as f64));
        assert_eq!(slow.catch_up_seconds, Some(100.0));
        assert_eq!(slow.verdict, Some(Verdict::Tight));
    }

    #[test]
    fn without_a_limit_nothing_is_lost() {
        let mut known = behind(MIB as f64, 0.0);
        known.headroom_bytes = None;
        let told = forecast(&known);
        assert_eq!(
            (told.loss_seconds, told.verdict),
            (None, Some(Verdict::FallingBehind))
        );
        known.speed = Some(Speed {
            source: 1.0,
            applied: 9.0,
        });
        assert_eq!(forecast(&known).verdict, Some(Verdict::InTime));
    }

    #[test]
    fn what_is_not_known_is_null() {
        assert_eq!(forecast(&Known::default()), Forecast::default());
        let mut known = behind(1.0, 0.0);
        known.speed = None;
        assert_eq!(forecast(&known), Forecast::default());
        let json = serde_json::to_value(Forecast::default()).expect("JSON");
        assert_eq!(json["loss_seconds"], serde_json::Value::Null);
        assert_eq!(json["verdict"], serde_json::Value::Null);
    }

    #[test]
    fn age_and_idleness_are_limits_too_and_the_nearest_counts() {
        let mut known = behind(MIB as f64, 0.0);
        known.age_seconds = Some(3_590.0);
        known.expires_seconds = Some(3_600.0);
        assert_eq!(forecast(&known).loss_seconds, Some(10.0));
        known.idle_seconds = Some(4.0);
        assert_eq!(forecast(&known).loss_seconds, Some(4.0));
        // An idle source writes nothing, and its log grows old all the same.
        known.idle_seconds = None;
        known.speed = Some(Speed {
            source: 0.0,
            applied: 0.0,
        });
        assert_eq!(forecast(&known).loss_seconds, Some(10.0));
    }

    #[test]
    fn nothing_is_to_be_caught_up_where_nothing_is_left() {
        let mut known = behind(MIB as f64, 0.0);
        known.lag_bytes = Some(100);
        let told = forecast(&known);
        assert_eq!(
            (told.catch_up_seconds, told.verdict),
            (Some(0.0), Some(Verdict::CaughtUp))
        );
        assert_eq!(told.text(), None);
        known.idle_seconds = Some(60.0);
        assert_eq!(forecast(&known).verdict, Some(Verdict::TooLate));
        known.lost = true;
        assert_eq!(forecast(&known).verdict, Some(Verdict::Lost));
    }

    #[test]
    fn rates_come_from_what_was_written_and_from_both_lags() {
        let speed = Speed::between(1_000, 500, 300, 2.0).expect("a speed");
        assert_eq!(
            speed,
            Speed {
                source: 500.0,
                applied: 600.0
            }
        );
        assert_eq!(Speed::between(1, 0, 1, 0.0), None);
        let blocked = Speed::between(1_000, 500, 1_500, 1.0).expect("a speed");
        assert_eq!(blocked.applied, 0.0);
        let mixed = blocked.smoothed(Some(speed));
        assert_eq!((mixed.source, mixed.applied), (650.0, 420.0));
    }

    #[test]
    fn each_worsening_is_warned_of_once() {
        let late = |loss: f64| Forecast {
            loss_seconds: Some(loss),
            catch_up_seconds: None,
            verdict: Some(Verdict::TooLate),
        };
        let mut warned = Warned::default();
        assert!(!warned.worse(&late(10.0 * HORIZON)));
        assert!(warned.worse(&late(5_000.0)));
        assert!(!warned.worse(&late(4_000.0)));
        assert!(warned.worse(&late(600.0)));
        assert!(!warned.worse(&late(2_000.0)));
        let well = Forecast {
            verdict: Some(Verdict::CaughtUp),
            ..Forecast::default()
        };
        for _ in 0..CALM {
            assert!(!warned.worse(&well));
        }
        assert!(warned.worse(&late(600.0)));
    }
}

//! Since when: what a shop's `changed_at` says, against a moment that was asked for.

use std::time::Duration;

use chrono::{DateTime, NaiveDate, NaiveDateTime, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;

/// A cart whose date cannot be read, or is missing, may have changed at any time.
pub(super) fn is_later(changed_at: Option<&str>, zone: Tz, since: i64) -> bool {
    changed_at
        .and_then(|text| micros(text, zone))
        .is_none_or(|changed| changed >= since)
}

/// Microseconds since 1970 UTC of a timestamp as a server prints it. One without a zone means the
/// shop's; in the hour that a clock goes through twice it is the later.
pub(super) fn micros(text: &str, zone: Tz) -> Option<i64> {
    if let Ok(aware) = DateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f%#z") {
        return Some(aware.timestamp_micros());
    }
    let naive = NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f").ok();
    let naive = naive.or_else(|| {
        let day = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
        day.and_hms_opt(0, 0, 0)
    })?;
    let local = zone.from_local_datetime(&naive);
    // In the hour that a clock leaves out there is none.
    let local = local.latest().map(|at| at.timestamp_micros());
    Some(local.unwrap_or_else(|| naive.and_utc().timestamp_micros()))
}

/// What `--since` takes: how long ago (`90m`, `2h`, `7d`), or a moment (`2026-11-29`,
/// `2026-11-29 06:00`, `2026-11-29T06:00:00Z`; without a zone it is UTC). In microseconds since 1970.
pub fn moment(text: &str, now: DateTime<Utc>) -> Option<i64> {
    let text = text.trim();
    if let Some(ago) = ago(text) {
        let ago = TimeDelta::from_std(ago).ok()?;
        return Some(now.checked_sub_signed(ago)?.timestamp_micros());
    }
    if let Ok(aware) = DateTime::parse_from_rfc3339(&text.replacen(' ', "T", 1)) {
        return Some(aware.timestamp_micros());
    }
    let text = text.replacen('T', " ", 1);
    let forms = ["%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%d %H:%M"];
    let naive = forms
        .iter()
        .find_map(|form| NaiveDateTime::parse_from_str(&text, form).ok());
    let day = || NaiveDate::parse_from_str(&text, "%Y-%m-%d").ok();
    let naive = naive.or_else(|| day()?.and_hms_opt(0, 0, 0))?;
    Some(naive.and_utc().timestamp_micros())
}

fn ago(text: &str) -> Option<Duration> {
    crate::config::duration(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_without_a_zone_is_of_the_shops() {
        let berlin: Tz = "Europe/Berlin".parse().expect("a zone");
        let utc = |text| micros(text, Tz::UTC);
        assert_eq!(utc("1970-01-01 00:00:01.5+00"), Some(1_500_000));
        assert_eq!(micros("1970-01-01 01:00:00", berlin), Some(0));
        assert_eq!(utc("1970-01-02"), Some(86_400_000_000));
        assert_eq!(utc("infinity"), None);
        // The clock leaves 02:30 out.
        assert!(micros("2026-03-29 02:30:00", berlin).is_some());
    }

    #[test]
    fn what_cannot_be_told_may_be_later() {
        assert!(is_later(None, Tz::UTC, i64::MAX));
        assert!(is_later(Some("infinity"), Tz::UTC, i64::MAX));
        assert!(is_later(Some("1970-01-01 00:00:02"), Tz::UTC, 2_000_000));
        assert!(!is_later(Some("1970-01-01 00:00:01"), Tz::UTC, 2_000_000));
    }

    #[test]
    fn since_takes_a_while_or_a_moment() {
        let now = DateTime::from_timestamp(1_000_000, 0).expect("a moment");
        let seconds = |text| moment(text, now).map(|micros| micros / 1_000_000);
        assert_eq!(seconds("90m"), Some(1_000_000 - 5_400));
        assert_eq!(seconds("2h"), Some(1_000_000 - 7_200));
        assert_eq!(seconds("1970-01-02"), Some(86_400));
        assert_eq!(seconds("1970-01-02 01:00"), Some(90_000));
        assert_eq!(seconds("1970-01-02T01:00:00Z"), Some(90_000));
        assert_eq!(seconds("1970-01-02 01:00:00+01:00"), Some(86_400));
        assert_eq!(seconds("soon"), None);
    }
}

//! Dates and times in the ISO form that the server prints under `DateStyle=ISO, TimeZone=UTC`.

use chrono::{DateTime, MappedLocalTime, NaiveDateTime, TimeDelta, TimeZone};
use chrono_tz::Tz;

use super::calendar;

pub const SECOND: i64 = 1_000_000;
pub const DAY: i64 = 86_400 * SECOND;

/// `infinity` and `-infinity`, for timestamps (microseconds) and dates (days) alike.
pub const INFINITY: i64 = i64::MAX;
pub const NEGATIVE_INFINITY: i64 = i64::MIN;

/// 2000-01-01, from which the server counts: roundings are symmetric around it.
const SERVER_EPOCH: i64 = 946_684_800 * SECOND;

/// The days that the server knows, from the first Julian one on (`IS_VALID_DATE` in its `date.h`).
/// Timestamps end where their microseconds here do, in the year 294246.
const DAYS: std::ops::Range<i64> = -2_440_588..2_145_042_906;

/// Where the zone of a text with a time comes from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Zone {
    None,
    /// Seconds east of UTC.
    Offset(i64),
    Named(Tz),
}

/// A time zone by its name, in any case. Names that the server reads as abbreviations of a fixed
/// offset are none, for here they would be regions with a summer time (manual, 8.5.3).
pub fn zone(name: &str) -> Option<Tz> {
    const ABBREVIATIONS: [&str; 4] = ["CET", "EET", "MET", "WET"];
    if ABBREVIATIONS.iter().any(|a| a.eq_ignore_ascii_case(name)) {
        return None;
    }
    let same = |tz: &&Tz| tz.name().eq_ignore_ascii_case(name);
    name.parse()
        .ok()
        .or_else(|| chrono_tz::TZ_VARIANTS.iter().find(same).copied())
}

fn infinite(text: &str) -> Option<i64> {
    match text.to_ascii_lowercase().as_str() {
        "infinity" | "+infinity" => Some(INFINITY),
        "-infinity" => Some(NEGATIVE_INFINITY),
        _ => None,
    }
}

fn print_infinite(value: i64) -> Option<String> {
    match value {
        INFINITY => Some("infinity".into()),
        NEGATIVE_INFINITY => Some("-infinity".into()),
        _ => None,
    }
}

/// Days since 1970. A time that follows is checked and dropped, as `date` does with it.
pub fn parse_date(text: &str) -> Option<i64> {
    let text = text.trim();
    if let Some(days) = infinite(text) {
        return Some(days);
    }
    let (days, rest) = date_part(text)?;
    if !rest.is_empty() {
        time_part(rest)?;
    }
    Some(days)
}

pub fn print_date(days: i64) -> Option<String> {
    if let Some(text) = print_infinite(days) {
        return Some(text);
    }
    let (text, era) = print_day(days)?;
    Some(text + era)
}

/// Microseconds since 1970 of the wall clock in `text`, and its zone if it names one.
pub fn parse_timestamp(text: &str) -> Option<(i64, Zone)> {
    let text = text.trim();
    if let Some(value) = infinite(text) {
        return Some((value, Zone::None));
    }
    let (date, rest) = date_part(text)?;
    let (micros, zone) = if rest.is_empty() {
        (0, Zone::None)
    } else {
        time_part(rest)?
    };
    Some((date.checked_mul(DAY)?.checked_add(micros)?, zone))
}

pub fn print_timestamp(micros: i64) -> Option<String> {
    if let Some(text) = print_infinite(micros) {
        return Some(text);
    }
    let (day, time, era) = print_parts(micros)?;
    Some(format!("{day} {time}{era}"))
}

pub fn print_timestamp_tz(micros: i64) -> Option<String> {
    if let Some(text) = print_infinite(micros) {
        return Some(text);
    }
    let (day, time, era) = print_parts(micros)?;
    Some(format!("{day} {time}+00{era}"))
}

/// As the JSON functions write timestamps: a `T` in the middle.
pub fn print_for_json(micros: i64, zone: &str) -> Option<String> {
    if let Some(text) = print_infinite(micros) {
        return Some(text);
    }
    let (day, time, era) = print_parts(micros)?;
    Some(format!("{day}T{time}{zone}{era}"))
}

/// Microseconds since midnight. A date before it is checked and dropped, and with it a zone.
pub fn parse_time(text: &str) -> Option<i64> {
    let text = text.trim();
    // The server reads `T` before a time of day in another way.
    if let Some((_, rest)) = date_part(text).filter(|_| !text.contains('T')) {
        return Some(time_part(rest)?.0);
    }
    match time_part(text)? {
        (micros, Zone::None) => Some(micros),
        _ => None,
    }
}

pub fn print_time(micros: i64) -> String {
    let (seconds, fraction) = (micros / SECOND, micros % SECOND);
    let mut text = format!(
        "{:02}:{:02}:{:02}",
        seconds / 3600,
        seconds / 60 % 60,
        seconds % 60
    );
    if fraction > 0 {
        text.push_str(format!(".{fraction:06}").trim_end_matches('0'));
    }
    text
}

/// Rounds to `digits` of fractional seconds, half away from the server's epoch.
pub fn round(micros: i64, digits: u32) -> i64 {
    if digits >= 6 || micros == INFINITY || micros == NEGATIVE_INFINITY {
        return micros;
    }
    let step = 10i64.pow(6 - digits);
    let since = micros.saturating_sub(SERVER_EPOCH);
    let magnitude = since.saturating_abs().saturating_add(step / 2) / step * step;
    magnitude
        .saturating_mul(since.signum())
        .saturating_add(SERVER_EPOCH)
}

/// Rounds a time of day likewise, half up.
pub fn round_time(micros: i64, digits: u32) -> i64 {
    if digits >= 6 {
        return micros;
    }
    let step = 10i64.pow(6 - digits);
    (micros + step / 2) / step * step
}

/// The moment at which a wall clock in `zone` shows `micros`. A time that the clock skips counts
/// from before the change, one that it shows twice is the later, as the server decides.
pub fn to_utc(micros: i64, zone: Tz) -> Option<i64> {
    if micros == INFINITY || micros == NEGATIVE_INFINITY {
        return Some(micros);
    }
    if zone == Tz::UTC {
        return Some(micros);
    }
    let repeated = repeated(micros);
    let local = naive(micros - repeated)?;
    let at = match zone.from_local_datetime(&local) {
        MappedLocalTime::Single(at) => at.timestamp_micros(),
        MappedLocalTime::Ambiguous(_, later) => later.timestamp_micros(),
        MappedLocalTime::None => (1..=48).find_map(|half_hours| {
            let back = TimeDelta::minutes(30 * half_hours);
            let before = zone
                .from_local_datetime(&local.checked_sub_signed(back)?)
                .latest()?;
            Some(before.checked_add_signed(back)?.timestamp_micros())
        })?,
    };
    at.checked_add(repeated)
}

/// What a wall clock in `zone` shows at a moment.
pub fn to_local(micros: i64, zone: Tz) -> Option<i64> {
    if micros == INFINITY || micros == NEGATIVE_INFINITY {
        return Some(micros);
    }
    if zone == Tz::UTC {
        return Some(micros);
    }
    let repeated = repeated(micros);
    let known = naive(micros - repeated)?;
    let local = zone.from_utc_datetime(&known).naive_local();
    local.and_utc().timestamp_micros().checked_add(repeated)
}

/// How much earlier the same clock is known for its zone.
fn repeated(micros: i64) -> i64 {
    let (year, ..) = calendar::date(micros.div_euclid(DAY));
    calendar::repeats(year) * DAY
}

/// The start of the `unit` that holds `micros`; none for an unknown unit.
pub fn truncate(unit: &str, micros: i64) -> Option<i64> {
    if micros == INFINITY || micros == NEGATIVE_INFINITY {
        return Some(micros);
    }
    let step = match unit.to_ascii_lowercase().as_str() {
        "microsecond" | "microseconds" => 1,
        "millisecond" | "milliseconds" => 1_000,
        "second" | "seconds" => SECOND,
        "minute" | "minutes" => 60 * SECOND,
        "hour" | "hours" => 3600 * SECOND,
        "day" | "days" => DAY,
        unit => return truncate_date(unit, micros.div_euclid(DAY)),
    };
    Some(micros.div_euclid(step) * step)
}

fn truncate_date(unit: &str, days: i64) -> Option<i64> {
    let (year, month, _) = calendar::date(days);
    // Decades start with the year 0 of the ten, centuries with the year 1 of the hundred.
    let start = |year: i64| calendar::days(year, 1, 1);
    let day = match unit {
        // 1970-01-01 was a Thursday.
        "week" | "weeks" => Some(days - (days + 3).rem_euclid(7)),
        "month" | "months" => calendar::days(year, month, 1),
        "quarter" => calendar::days(year, (month - 1) / 3 * 3 + 1, 1),
        "year" | "years" => start(year),
        "decade" | "decades" => start(year.div_euclid(10) * 10),
        "century" | "centuries" => start((year - 1).div_euclid(100) * 100 + 1),
        "millennium" | "millennia" => start((year - 1).div_euclid(1000) * 1000 + 1),
        _ => None,
    }?;
    day.checked_mul(DAY)
}

/// Within the days that the server's timestamps can name (manual, 8.5), in its calendar's range.
pub fn on_calendar(micros: i64) -> bool {
    /// 4714-11-24 BC, from which the server counts its Julian days.
    const FIRST: i64 = -210_866_803_200 * SECOND;
    micros >= FIRST && naive(micros).is_some()
}

pub fn naive(micros: i64) -> Option<NaiveDateTime> {
    DateTime::from_timestamp_micros(micros).map(|d| d.naive_utc())
}

/// The day as printed, and its era, which the server writes after everything else.
fn print_day(days: i64) -> Option<(String, &'static str)> {
    if !DAYS.contains(&days) {
        return None;
    }
    let (year, month, day) = calendar::date(days);
    let (year, era) = match year {
        year if year > 0 => (year, ""),
        year => (1 - year, " BC"),
    };
    Some((format!("{year:04}-{month:02}-{day:02}"), era))
}

fn print_parts(micros: i64) -> Option<(String, String, &'static str)> {
    let (day, era) = print_day(micros.div_euclid(DAY))?;
    Some((day, print_time(micros.rem_euclid(DAY)), era))
}

/// `YYYY-MM-DD` in days, an era taken from the end, and what stands between.
fn date_part(text: &str) -> Option<(i64, &str)> {
    let (text, before_christ) = match text.strip_suffix(" BC") {
        Some(text) => (text, true),
        None => (text, false),
    };
    let (year, rest) = text.split_once('-')?;
    let (month, rest) = rest.split_once('-')?;
    let end = rest
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(rest.len());
    let (day, rest) = rest.split_at(end);
    if year.len() < 4 || month.len() > 2 || day.len() > 2 {
        return None;
    }
    let year = match (i64::from(number(year)?), before_christ) {
        (0, _) => return None,
        (year, true) => 1 - year,
        (year, false) => year,
    };
    let days = calendar::days(year, number(month)?, number(day)?)?;
    if !DAYS.contains(&days) {
        return None;
    }
    Some((days, rest.strip_prefix('T').unwrap_or(rest).trim_start()))
}

/// `HH:MM[:SS[.f]]` or `MM:SS.f`, and a zone: microseconds since midnight.
fn time_part(text: &str) -> Option<(i64, Zone)> {
    let end = text
        .find(|c: char| !(c.is_ascii_digit() || c == ':' || c == '.'))
        .unwrap_or(text.len());
    let (clock, zone) = text.split_at(end);
    let mut parts = clock.split(':');
    let (hour, minute) = (parts.next()?, parts.next()?);
    // Two parts of which the last has a fraction are minutes and seconds.
    let (hour, minute, seconds) = match parts.next() {
        Some(seconds) => (hour, minute, seconds),
        None if minute.contains('.') => ("0", hour, minute),
        None => (hour, minute, "0"),
    };
    let (second, fraction) = seconds.split_once('.').unwrap_or((seconds, ""));
    if parts.next().is_some() || [hour, minute, second].iter().any(|p| p.len() > 2) {
        return None;
    }
    let (hour, minute, second) = (number(hour)?, number(minute)?, number(second)?);
    let micros = i64::from(hour * 3600 + minute * 60 + second) * SECOND + fraction_of(fraction)?;
    // A leap second and midnight's other name are taken.
    if hour > 24 || minute > 59 || second > 60 || micros > DAY {
        return None;
    }
    Some((micros, parse_zone(zone.trim())?))
}

fn fraction_of(digits: &str) -> Option<i64> {
    if !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let fraction: f64 = format!("0.{digits}0").parse().ok()?;
    Some((fraction * SECOND as f64).round_ties_even() as i64)
}

fn parse_zone(text: &str) -> Option<Zone> {
    if text.is_empty() {
        return Some(Zone::None);
    }
    if matches!(text, "Z" | "z" | "UTC" | "utc") {
        return Some(Zone::Offset(0));
    }
    let (sign, digits) = match text.split_at_checked(1)? {
        ("+", digits) => (1, digits),
        ("-", digits) => (-1, digits),
        _ => return zone(text).map(Zone::Named),
    };
    let parts: Vec<&str> = if digits.contains(':') {
        digits.split(':').collect()
    } else {
        vec![
            digits.get(..2)?,
            digits.get(2..).filter(|m| !m.is_empty()).unwrap_or("0"),
        ]
    };
    let mut seconds = 0;
    for (part, unit) in parts.iter().zip([3600, 60, 1]) {
        seconds += i64::from(number(part)?) * unit;
    }
    (parts.len() <= 3 && seconds < 16 * 3600).then_some(Zone::Offset(sign * seconds))
}

fn number(digits: &str) -> Option<u32> {
    digits
        .bytes()
        .all(|b| b.is_ascii_digit())
        .then(|| digits.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn prints_as_the_server_does() {
        let at = |text| print_timestamp(parse_timestamp(text).unwrap().0).unwrap();
        assert_eq!(at("2024-02-29T12:34:56.120"), "2024-02-29 12:34:56.12");
        assert_eq!(at("0044-03-15 00:00:00 BC"), "0044-03-15 00:00:00 BC");
        assert_eq!(at("infinity"), "infinity");
        assert_eq!(
            parse_timestamp("2024-01-01 00:00+05:30").unwrap().1,
            Zone::Offset(19_800)
        );
        assert!(parse_timestamp("2023-02-29").is_none());
        assert!(parse_timestamp("0000-00-00 00:00:00").is_none());
    }

    #[test]
    fn clock_changes_resolve_as_in_the_server() {
        let berlin: Tz = "Europe/Berlin".parse().unwrap();
        let utc = |text| {
            let (local, _) = parse_timestamp(text).unwrap();
            print_timestamp(to_utc(local, berlin).unwrap()).unwrap()
        };
        assert_eq!(utc("2024-03-31 02:30:00"), "2024-03-31 01:30:00");
        assert_eq!(utc("2024-10-27 02:30:00"), "2024-10-27 01:30:00");
        assert_eq!(utc("2024-07-01 12:00:00"), "2024-07-01 10:00:00");
    }

    #[test]
    fn truncates() {
        let cut = |unit| {
            print_timestamp(
                truncate(unit, parse_timestamp("2024-08-15 12:34:56").unwrap().0).unwrap(),
            )
            .unwrap()
        };
        assert_eq!(cut("week"), "2024-08-12 00:00:00");
        assert_eq!(cut("quarter"), "2024-07-01 00:00:00");
        assert_eq!(cut("century"), "2001-01-01 00:00:00");
    }

    proptest! {
        #[test]
        fn timestamps_read_back(micros in -200_000_000_000_000_000i64..200_000_000_000_000_000) {
            let text = print_timestamp(micros).unwrap();
            prop_assert_eq!(parse_timestamp(&text), Some((micros, Zone::None)));
        }

        #[test]
        fn no_text_panics(text in "[0-9:. TZ+BCinfty-]{0,30}") {
            let _ = (parse_timestamp(&text), parse_date(&text), parse_time(&text));
        }
    }
}

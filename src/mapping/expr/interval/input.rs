//! Reads an interval: numbers with units, a clock, years-months, or the form of ISO 8601.

use super::{DAYS_IN_MONTH, Interval, MONTHS_IN_YEAR};
use crate::mapping::expr::moment::{DAY, SECOND};

const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Unit {
    Microsecond,
    Millisecond,
    Second,
    Minute,
    Hour,
    Day,
    Week,
    Month,
    Year,
    Decade,
    Century,
    Millennium,
}

/// The spellings of the server's table `deltatktbl`, which keeps ten letters of a word.
fn unit(word: &str) -> Option<Unit> {
    let lower = word.to_ascii_lowercase();
    Some(match lower.get(..10).unwrap_or(&lower) {
        "us" | "usec" | "usecs" | "usecond" | "useconds" | "microsecon" => Unit::Microsecond,
        "ms" | "msec" | "msecs" | "msecond" | "mseconds" | "millisecon" => Unit::Millisecond,
        "s" | "sec" | "secs" | "second" | "seconds" => Unit::Second,
        "m" | "min" | "mins" | "minute" | "minutes" => Unit::Minute,
        "h" | "hr" | "hrs" | "hour" | "hours" => Unit::Hour,
        "d" | "day" | "days" => Unit::Day,
        "w" | "week" | "weeks" => Unit::Week,
        "mon" | "mons" | "month" | "months" => Unit::Month,
        "y" | "yr" | "yrs" | "year" | "years" => Unit::Year,
        "dec" | "decs" | "decade" | "decades" => Unit::Decade,
        "c" | "cent" | "century" | "centuries" => Unit::Century,
        "mil" | "mils" | "millennia" | "millennium" => Unit::Millennium,
        _ => return None,
    })
}

/// A number as it is written: the whole part, and what stands behind the point with its sign.
#[derive(Clone, Copy)]
struct Number {
    whole: i64,
    fraction: f64,
}

/// What has been read so far; each unit may come once.
#[derive(Default)]
struct Sum {
    interval: Interval,
    seen: Vec<Unit>,
}

impl Sum {
    fn add(&mut self, number: Number, unit: Unit) -> Option<()> {
        if self.seen.contains(&unit) {
            return None;
        }
        self.seen.push(unit);
        let Number { whole, fraction } = number;
        match unit {
            Unit::Microsecond => self.time(whole, fraction, 1),
            Unit::Millisecond => self.time(whole, fraction, SECOND / 1000),
            Unit::Second => self.time(whole, fraction, SECOND),
            Unit::Minute => self.time(whole, fraction, MINUTE),
            Unit::Hour => self.time(whole, fraction, HOUR),
            Unit::Day => {
                self.days(whole, 1)?;
                self.time(0, fraction, DAY)
            }
            Unit::Week => {
                self.days(whole, 7)?;
                self.part_of_days(fraction, 7)
            }
            Unit::Month => {
                self.months(whole, 1)?;
                self.part_of_days(fraction, DAYS_IN_MONTH)
            }
            Unit::Year => self.years(number, 1),
            Unit::Decade => self.years(number, 10),
            Unit::Century => self.years(number, 100),
            Unit::Millennium => self.years(number, 1000),
        }
    }

    fn time(&mut self, whole: i64, fraction: f64, scale: i64) -> Option<()> {
        let part = fraction * scale as f64;
        // The middle between two microseconds goes to zero (`AdjustFractMicroseconds`).
        let mut micros = part.trunc() as i64;
        match part - part.trunc() {
            rest if rest > 0.5 => micros += 1,
            rest if rest < -0.5 => micros -= 1,
            _ => {}
        }
        let micros = whole.checked_mul(scale)?.checked_add(micros)?;
        self.interval.micros = self.interval.micros.checked_add(micros)?;
        Some(())
    }

    fn days(&mut self, whole: i64, scale: i32) -> Option<()> {
        let days = i32::try_from(whole).ok()?.checked_mul(scale)?;
        self.interval.days = self.interval.days.checked_add(days)?;
        Some(())
    }

    fn part_of_days(&mut self, fraction: f64, scale: i32) -> Option<()> {
        let days = fraction * f64::from(scale);
        self.days(days.trunc() as i64, 1)?;
        self.time(0, days - days.trunc(), DAY)
    }

    fn months(&mut self, whole: i64, scale: i32) -> Option<()> {
        let months = i32::try_from(whole).ok()?.checked_mul(scale)?;
        self.interval.months = self.interval.months.checked_add(months)?;
        Some(())
    }

    fn years(&mut self, Number { whole, fraction }: Number, scale: i32) -> Option<()> {
        let years = i32::try_from(whole).ok()?.checked_mul(scale)?;
        self.months(years.into(), MONTHS_IN_YEAR)?;
        let months = fraction * f64::from(scale) * f64::from(MONTHS_IN_YEAR);
        self.months(months.round_ties_even() as i64, 1)
    }
}

pub fn read(text: &str) -> Option<Interval> {
    let text = text.trim_matches(|c: char| c.is_ascii_whitespace());
    match text.strip_prefix('P') {
        Some(rest) => iso(rest),
        None => words(text),
    }
}

fn words(text: &str) -> Option<Interval> {
    let mut sum = Sum::default();
    let mut rest = text;
    let mut ago = false;
    let mut any = false;
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == '@');
        if rest.is_empty() {
            break;
        }
        if ago {
            return None;
        }
        if rest.eq_ignore_ascii_case("ago") {
            ago = true;
            rest = "";
            continue;
        }
        any = true;
        rest = part(rest, &mut sum)?;
    }
    match (any, ago) {
        (false, _) => None,
        (true, false) => Some(sum.interval),
        (true, true) => sum.interval.neg(),
    }
}

/// One number with its unit, one clock, or one `years-months`; gives what follows.
fn part<'t>(text: &'t str, sum: &mut Sum) -> Option<&'t str> {
    let (negative, unsigned) = signed(text);
    let end = unsigned
        .find(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | ':' | '-')))
        .unwrap_or(unsigned.len());
    let (digits, rest) = unsigned.split_at(end);
    if digits.contains(':') {
        let micros = clock(digits)?;
        sum.add(
            Number {
                whole: 0,
                fraction: 0.0,
            },
            Unit::Hour,
        )?;
        sum.add(
            Number {
                whole: 0,
                fraction: 0.0,
            },
            Unit::Minute,
        )?;
        let micros = if negative { -micros } else { micros };
        let whole = Number {
            whole: 0,
            fraction: 0.0,
        };
        sum.add(whole, Unit::Second)?;
        sum.interval.micros = sum.interval.micros.checked_add(micros)?;
        return Some(rest);
    }
    if let Some((years, months)) = digits.split_once('-') {
        let (years, months) = (whole(years)?, whole(months)?);
        if months >= i64::from(MONTHS_IN_YEAR) {
            return None;
        }
        let months = years
            .checked_mul(i64::from(MONTHS_IN_YEAR))?
            .checked_add(months)?;
        let months = Number {
            whole: if negative { -months } else { months },
            fraction: 0.0,
        };
        sum.add(months, Unit::Month)?;
        return Some(rest);
    }
    let number = number(digits, negative)?;
    let rest = rest.trim_start_matches(|c: char| c.is_ascii_whitespace());
    let end = rest
        .find(|c: char| !c.is_ascii_alphabetic())
        .unwrap_or(rest.len());
    let (word, rest) = rest.split_at(end);
    // The server takes a longer word before a digit for a part of a date.
    let joins = matches!(word, "d" | "h" | "m" | "s" | "y" | "mon" | "dec");
    if rest.starts_with(['-', '/', '.'])
        || !joins && !word.is_empty() && rest.starts_with(|c: char| c == '+' || c.is_ascii_digit())
    {
        return None;
    }
    let unit = match word {
        // A number alone is seconds at the end, and days before a clock.
        "" if rest.is_empty() => Unit::Second,
        "" if is_clock(rest) => Unit::Day,
        word => unit(word)?,
    };
    sum.add(number, unit)?;
    Some(rest)
}

fn is_clock(text: &str) -> bool {
    let digits = signed(text).1;
    digits
        .find(|c: char| !c.is_ascii_digit())
        .is_some_and(|at| at > 0 && digits[at..].starts_with(':'))
}

fn signed(text: &str) -> (bool, &str) {
    let blank = |c: char| c.is_ascii_whitespace();
    match text.split_at_checked(1) {
        Some(("-", rest)) => (true, rest.trim_start_matches(blank)),
        Some(("+", rest)) => (false, rest.trim_start_matches(blank)),
        _ => (false, text),
    }
}

fn whole(digits: &str) -> Option<i64> {
    digits
        .bytes()
        .all(|b| b.is_ascii_digit())
        .then(|| digits.parse().ok())?
}

fn number(text: &str, negative: bool) -> Option<Number> {
    let (before, after) = text.split_once('.').unwrap_or((text, ""));
    if before.is_empty() && after.is_empty() || !after.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let before = if before.is_empty() { 0 } else { whole(before)? };
    let fraction: f64 = format!("0.{after}0").parse().ok()?;
    Some(match negative {
        false => Number {
            whole: before,
            fraction,
        },
        true => Number {
            whole: -before,
            fraction: -fraction,
        },
    })
}

/// `HH:MM`, `HH:MM:SS[.f]` or `MM:SS.f`: microseconds.
fn clock(text: &str) -> Option<i64> {
    let parts: Vec<&str> = text.split(':').collect();
    let (hours, minutes, seconds) = match parts.as_slice() {
        [minutes, seconds] if seconds.contains('.') => ("0", *minutes, *seconds),
        [hours, minutes] => (*hours, *minutes, "0"),
        [hours, minutes, seconds] => (*hours, *minutes, *seconds),
        _ => return None,
    };
    let (seconds, fraction) = seconds.split_once('.').unwrap_or((seconds, ""));
    if !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let fraction: f64 = format!("0.{fraction}0").parse().ok()?;
    let (hours, minutes, seconds) = (whole(hours)?, whole(minutes)?, whole(seconds)?);
    if minutes > 59 || seconds > 60 {
        return None;
    }
    hours
        .checked_mul(HOUR)?
        .checked_add(minutes * MINUTE + seconds * SECOND)?
        .checked_add((fraction * SECOND as f64).round_ties_even() as i64)
}

/// `P1Y2M3W4DT5H6M7.8S`, with a sign before any number (manual, 8.5.4).
fn iso(text: &str) -> Option<Interval> {
    let mut sum = Sum::default();
    let mut rest = text;
    let (mut time, mut any) = (false, false);
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix('T').filter(|_| !time) {
            (time, any, rest) = (true, false, after);
            continue;
        }
        let (negative, unsigned) = match rest.split_at(usize::from(rest.starts_with(['-', '+']))) {
            ("-", unsigned) => (true, unsigned),
            (_, unsigned) => (false, unsigned),
        };
        let end = unsigned.find(|c: char| !(c.is_ascii_digit() || c == '.'))?;
        let (digits, after) = unsigned.split_at(end);
        let (unit, after) = match (after.split_at_checked(1)?, time) {
            (("Y", after), false) => (Unit::Year, after),
            (("M", after), false) => (Unit::Month, after),
            (("W", after), false) => (Unit::Week, after),
            (("D", after), false) => (Unit::Day, after),
            (("H", after), true) => (Unit::Hour, after),
            (("M", after), true) => (Unit::Minute, after),
            (("S", after), true) => (Unit::Second, after),
            _ => return None,
        };
        sum.add(number(digits, negative)?, unit)?;
        (any, rest) = (true, after);
    }
    any.then_some(sum.interval)
}

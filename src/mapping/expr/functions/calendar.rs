//! Arithmetic of dates, moments and intervals (manual, 9.9).

use chrono::{Datelike, Months};
use chrono_tz::Tz;

use super::{Args, Function, Takes, function};
use crate::mapping::expr::error::EvalError;
use crate::mapping::expr::float;
use crate::mapping::expr::interval::Interval;
use crate::mapping::expr::moment;
use crate::sqltype::Class;

const DATE: Takes = Takes::Is(Class::Date);
const TIME: Takes = Takes::Is(Class::Time);
const CLOCK: Takes = Takes::Is(Class::Timestamp);
const MOMENT: Takes = Takes::Is(Class::TimestampTz);
const SPAN: Takes = Takes::Is(Class::Interval);
const INT: Takes = Takes::Is(Class::Int4);
const FLOAT: Takes = Takes::Is(Class::Float8);

type Given = Result<Option<String>, EvalError>;

/// A literal without a type takes the first form that has its place, so two of a kind come first.
pub(super) const ALL: &[Function] = &[
    function("-", &[DATE, DATE], Class::Int4, |a| {
        let days = date(a, 0)?.checked_sub(date(a, 1)?);
        let days = days.and_then(|days| i32::try_from(days).ok());
        fits(a, days.map(|days| days.to_string()))
    }),
    function("-", &[TIME, TIME], Class::Interval, |a| {
        let micros = time(a, 0)? - time(a, 1)?;
        print(
            a,
            Some(Interval {
                micros,
                ..Interval::default()
            }),
        )
    }),
    function("-", &[CLOCK, CLOCK], Class::Interval, between),
    function("-", &[MOMENT, MOMENT], Class::Interval, between),
    function("-", &[SPAN, SPAN], Class::Interval, |a| {
        let other = span(a, 1)?.neg();
        let left = span(a, 0)?;
        print(a, other.and_then(|other| left.add(&other)))
    }),
    function("+", &[SPAN, SPAN], Class::Interval, |a| {
        print(a, span(a, 0)?.add(&span(a, 1)?))
    }),
    function("+", &[DATE, INT], Class::Date, |a| {
        later(a, 0, a.integer(1)?)
    }),
    function("+", &[INT, DATE], Class::Date, |a| {
        later(a, 1, a.integer(0)?)
    }),
    function("-", &[DATE, INT], Class::Date, |a| {
        later(a, 0, -a.integer(1)?)
    }),
    function("+", &[DATE, TIME], Class::Timestamp, |a| at_time(a, 0, 1)),
    function("+", &[TIME, DATE], Class::Timestamp, |a| at_time(a, 1, 0)),
    function("+", &[DATE, SPAN], Class::Timestamp, |a| {
        moved(a, 0, span(a, 1)?)
    }),
    function("+", &[SPAN, DATE], Class::Timestamp, |a| {
        moved(a, 1, span(a, 0)?)
    }),
    function("-", &[DATE, SPAN], Class::Timestamp, |a| {
        moved(a, 0, back(a)?)
    }),
    function("+", &[CLOCK, SPAN], Class::Timestamp, |a| {
        moved(a, 0, span(a, 1)?)
    }),
    function("+", &[SPAN, CLOCK], Class::Timestamp, |a| {
        moved(a, 1, span(a, 0)?)
    }),
    function("-", &[CLOCK, SPAN], Class::Timestamp, |a| {
        moved(a, 0, back(a)?)
    }),
    function("+", &[MOMENT, SPAN], Class::TimestampTz, |a| {
        moved_moment(a, 0, span(a, 1)?)
    }),
    function("+", &[SPAN, MOMENT], Class::TimestampTz, |a| {
        moved_moment(a, 1, span(a, 0)?)
    }),
    function("-", &[MOMENT, SPAN], Class::TimestampTz, |a| {
        moved_moment(a, 0, back(a)?)
    }),
    function("+", &[TIME, SPAN], Class::Time, |a| {
        turned(a, 0, span(a, 1)?)
    }),
    function("+", &[SPAN, TIME], Class::Time, |a| {
        turned(a, 1, span(a, 0)?)
    }),
    function("-", &[TIME, SPAN], Class::Time, |a| turned(a, 0, back(a)?)),
    function("*", &[SPAN, FLOAT], Class::Interval, |a| {
        print(a, span(a, 0)?.mul(real(a, 1)?))
    }),
    function("*", &[FLOAT, SPAN], Class::Interval, |a| {
        print(a, span(a, 1)?.mul(real(a, 0)?))
    }),
    function("/", &[SPAN, FLOAT], Class::Interval, |a| {
        match real(a, 1)? {
            0.0 => Err(EvalError::value("division by zero")),
            divisor => print(a, span(a, 0)?.div(divisor)),
        }
    }),
];

fn span(a: &Args<'_>, at: usize) -> Result<Interval, EvalError> {
    Interval::parse(a.text(at)).ok_or_else(|| a.error("needs a finite interval"))
}

/// The second argument, backwards.
fn back(a: &Args<'_>) -> Result<Interval, EvalError> {
    span(a, 1)?.neg().ok_or_else(|| out_of_range(a))
}

fn date(a: &Args<'_>, at: usize) -> Result<i64, EvalError> {
    match moment::parse_date(a.text(at)) {
        Some(moment::INFINITY | moment::NEGATIVE_INFINITY) | None => {
            Err(a.error("needs a finite date"))
        }
        Some(days) => Ok(days),
    }
}

fn time(a: &Args<'_>, at: usize) -> Result<i64, EvalError> {
    moment::parse_time(a.text(at)).ok_or_else(|| a.error("needs a time"))
}

fn real(a: &Args<'_>, at: usize) -> Result<f64, EvalError> {
    float::parse(a.text(at)).ok_or_else(|| a.error("needs a number"))
}

/// The wall clock of a timestamp or date; of a moment, which is kept in UTC, the moment.
fn micros(a: &Args<'_>, at: usize) -> Result<i64, EvalError> {
    let (micros, _) =
        moment::parse_timestamp(a.text(at)).ok_or_else(|| a.error("needs a timestamp"))?;
    Ok(micros)
}

fn is_infinite(value: i64) -> bool {
    matches!(value, moment::INFINITY | moment::NEGATIVE_INFINITY)
}

fn out_of_range(a: &Args<'_>) -> EvalError {
    a.error("date or interval out of range")
}

fn fits(a: &Args<'_>, text: Option<String>) -> Given {
    text.map(Some).ok_or_else(|| out_of_range(a))
}

fn print(a: &Args<'_>, interval: Option<Interval>) -> Given {
    fits(a, interval.map(|i| i.print()))
}

/// Days and time, for the server turns every 24 hours of a difference into a day.
fn between(a: &Args<'_>) -> Given {
    let (left, right) = (micros(a, 0)?, micros(a, 1)?);
    if is_infinite(left) || is_infinite(right) {
        return Err(a.error("needs finite timestamps"));
    }
    let difference = left.checked_sub(right).ok_or_else(|| out_of_range(a))?;
    let days = i32::try_from(difference / moment::DAY).map_err(|_| out_of_range(a))?;
    let micros = difference % moment::DAY;
    print(
        a,
        Some(Interval {
            months: 0,
            days,
            micros,
        }),
    )
}

/// A date `days` later; infinity stays what it is.
fn later(a: &Args<'_>, at: usize, days: i64) -> Given {
    let date = moment::parse_date(a.text(at)).ok_or_else(|| a.error("needs a date"))?;
    if is_infinite(date) {
        return Ok(Some(a.text(at).to_owned()));
    }
    fits(
        a,
        date.checked_add(days)
            .filter(|days| moment::on_calendar(days.saturating_mul(moment::DAY)))
            .and_then(moment::print_date),
    )
}

fn at_time(a: &Args<'_>, of_date: usize, of_time: usize) -> Given {
    let (date, time) = (micros(a, of_date)?, time(a, of_time)?);
    let sum = match is_infinite(date) {
        true => Some(date),
        false => date.checked_add(time),
    };
    fits(a, sum.and_then(moment::print_timestamp))
}

fn moved(a: &Args<'_>, at: usize, by: Interval) -> Given {
    let moved = shift(micros(a, at)?, by, Tz::UTC);
    fits(a, moved.and_then(moment::print_timestamp))
}

/// Days and months are those of the clock in the mapping's zone, as they are of the session's.
fn moved_moment(a: &Args<'_>, at: usize, by: Interval) -> Given {
    let moved = shift(micros(a, at)?, by, a.env.time_zone);
    fits(a, moved.and_then(moment::print_timestamp_tz))
}

/// Months first, then days, each on the clock of `zone`; then the time.
fn shift(mut micros: i64, by: Interval, zone: Tz) -> Option<i64> {
    if is_infinite(micros) {
        return Some(micros);
    }
    if by.months != 0 {
        let local = moment::naive(moment::to_local(micros, zone)?)?;
        let months = Months::new(by.months.unsigned_abs());
        // The day is at most the last of its month, as the server has it.
        let moved = match by.months {
            ..0 => local.checked_sub_months(months)?,
            _ => local.checked_add_months(months)?,
        };
        debug_assert!(moved.day() <= local.day());
        micros = moment::to_utc(moved.and_utc().timestamp_micros(), zone)?;
    }
    if by.days != 0 {
        let days = i64::from(by.days).checked_mul(moment::DAY)?;
        let local = moment::to_local(micros, zone)?.checked_add(days)?;
        micros = moment::to_utc(local, zone)?;
    }
    micros
        .checked_add(by.micros)
        .filter(|micros| moment::on_calendar(*micros))
}

/// A time of day goes round; whole days and months do not turn it.
fn turned(a: &Args<'_>, at: usize, by: Interval) -> Given {
    let time = time(a, at)?.wrapping_add(by.micros % moment::DAY);
    Ok(Some(moment::print_time(time.rem_euclid(moment::DAY))))
}

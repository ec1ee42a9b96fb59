//! `extract(field from x)`: the parts of dates, times and intervals (manual, 9.9.1).

use chrono::{Datelike, NaiveDateTime, Timelike};

use super::{Args, Function, Takes, function};
use crate::mapping::expr::decimal::Decimal;
use crate::mapping::expr::error::EvalError;
use crate::mapping::expr::interval::Interval;
use crate::mapping::expr::moment::{self, DAY, SECOND};
use crate::sqltype::Class;

const FIELD: Takes = Takes::Is(Class::Text);

type Given = Result<Option<String>, EvalError>;

/// Null comes only from `infinity`, of which some parts are not known.
const fn extracts(
    takes: &'static [Takes],
    call: fn(&Args<'_>) -> Result<Option<String>, EvalError>,
) -> Function {
    Function {
        nullable: true,
        ..function("extract", takes, Class::Numeric, call)
    }
}

pub(super) const ALL: &[Function] = &[
    extracts(&[FIELD, Takes::Is(Class::Date)], |a| {
        of_calendar(a, moment::parse_date(a.text(1)).map(days_to_micros))
    }),
    extracts(&[FIELD, Takes::Is(Class::Timestamp)], |a| {
        of_calendar(a, moment::parse_timestamp(a.text(1)).map(|(t, _)| t))
    }),
    extracts(&[FIELD, Takes::Is(Class::TimestampTz)], |a| {
        let moment = moment::parse_timestamp(a.text(1)).map(|(t, _)| t);
        if a.text(0) == "epoch" {
            return of_calendar(a, moment);
        }
        of_calendar(a, moment.and_then(|t| moment::to_local(t, a.env.time_zone)))
    }),
    extracts(&[FIELD, Takes::Is(Class::Time)], |a| {
        let micros = moment::parse_time(a.text(1)).ok_or_else(|| a.error("needs a time"))?;
        match a.text(0) {
            "epoch" => decimal(micros, 6),
            field => of_time(field, micros).ok_or_else(|| a.error("unknown field"))?,
        }
    }),
    extracts(&[FIELD, Takes::Is(Class::Interval)], of_interval),
];

const OF_TIME: &[&str] = &[
    "microseconds",
    "milliseconds",
    "second",
    "minute",
    "hour",
    "epoch",
];
const OF_DATE: &[&str] = &[
    "day",
    "month",
    "quarter",
    "year",
    "decade",
    "century",
    "millennium",
];
const OF_DATE_ONLY: &[&str] = &["week", "isoyear", "dow", "isodow", "doy", "julian"];

/// The one name under which a field of a class is known, and none where there is no such field.
pub fn field(word: &str, class: Class) -> Option<&'static str> {
    let word = word.to_ascii_lowercase();
    let one = match word.as_str() {
        "microsecond" => "microseconds",
        "millisecond" => "milliseconds",
        "millenium" => return None,
        "seconds" | "minutes" | "hours" | "days" | "weeks" | "months" | "years" | "decades" => {
            &word[..word.len() - 1]
        }
        "centuries" => "century",
        "millennia" => "millennium",
        word => word,
    };
    let known: [&[&'static str]; 3] = match class {
        Class::Time => [OF_TIME, &[], &[]],
        Class::Interval => [OF_TIME, OF_DATE, &[]],
        Class::Date => [&["epoch"], OF_DATE, OF_DATE_ONLY],
        _ => [OF_TIME, OF_DATE, OF_DATE_ONLY],
    };
    known
        .into_iter()
        .flatten()
        .copied()
        .find(|field| *field == one)
}

fn days_to_micros(days: i64) -> i64 {
    match days {
        moment::INFINITY | moment::NEGATIVE_INFINITY => days,
        days => days.saturating_mul(DAY),
    }
}

fn whole(value: i64) -> Given {
    Ok(Some(value.to_string()))
}

fn decimal(value: i64, scale: u32) -> Given {
    Ok(Some(Decimal::new(value, scale).to_string()))
}

/// The fields of a time of day and of an interval's time, each with its sign.
fn of_time(field: &str, micros: i64) -> Option<Given> {
    let in_minute = micros % (60 * SECOND);
    Some(match field {
        "microseconds" => whole(in_minute),
        "milliseconds" => decimal(in_minute, 3),
        "second" => decimal(in_minute, 6),
        "minute" => whole(micros / (60 * SECOND) % 60),
        "hour" => whole(micros / (3600 * SECOND)),
        _ => return None,
    })
}

fn of_calendar(a: &Args<'_>, micros: Option<i64>) -> Given {
    let micros = micros.ok_or_else(|| a.error("needs a timestamp"))?;
    let field = a.text(0);
    let plain_date = matches!(a.values.get(1), Some(v) if v.class() == Some(Class::Date));
    if matches!(micros, moment::INFINITY | moment::NEGATIVE_INFINITY) {
        // What only grows is infinite with it, what comes round is not known.
        let grows = [
            "year",
            "decade",
            "century",
            "millennium",
            "julian",
            "isoyear",
            "epoch",
        ];
        let infinity = match micros {
            moment::INFINITY => "Infinity",
            _ => "-Infinity",
        };
        return Ok(grows.contains(&field).then(|| infinity.to_owned()));
    }
    let at = moment::naive(micros).ok_or_else(|| a.error("timestamp out of range"))?;
    match field {
        "epoch" if plain_date => whole(micros / SECOND),
        "epoch" => decimal(micros, 6),
        "julian" => julian(a, at, micros.rem_euclid(DAY), plain_date),
        field => match of_time(field, micros.rem_euclid(DAY)) {
            Some(given) => given,
            None => whole(of_date(field, at).ok_or_else(|| a.error("unknown field"))?),
        },
    }
}

fn of_date(field: &str, at: NaiveDateTime) -> Option<i64> {
    let date = at.date();
    Some(match field {
        "day" => date.day().into(),
        "month" => date.month().into(),
        "quarter" => date.month0() as i64 / 3 + 1,
        "week" => date.iso_week().week().into(),
        "dow" => date.weekday().num_days_from_sunday().into(),
        "isodow" => date.weekday().number_from_monday().into(),
        "doy" => date.ordinal().into(),
        "isoyear" => without_zero(date.iso_week().year()),
        "year" => without_zero(date.year()),
        "decade" => i64::from(date.year()).div_euclid(10),
        "century" => since_year_one(date.year(), 100),
        "millennium" => since_year_one(date.year(), 1000),
        _ => return None,
    })
}

/// There is no year 0: the one before 1 is -1.
fn without_zero(year: i32) -> i64 {
    i64::from(year) - i64::from(year <= 0)
}

/// Centuries and millennia begin with a year 1, and there is none of number 0.
fn since_year_one(year: i32, length: i64) -> i64 {
    match i64::from(year) {
        year @ 1.. => (year - 1) / length + 1,
        year => -(-year / length + 1),
    }
}

/// Days since 4714 BC and the part of the day.
fn julian(a: &Args<'_>, at: NaiveDateTime, time: i64, plain_date: bool) -> Given {
    const OF_YEAR_ONE: i64 = 1_721_425;
    let days = i64::from(at.date().num_days_from_ce()) + OF_YEAR_ONE;
    if plain_date {
        return whole(days);
    }
    debug_assert_eq!(time / SECOND, i64::from(at.num_seconds_from_midnight()));
    let part = Decimal::new(time, 0).div(&Decimal::new(DAY, 0));
    let part = part.ok_or_else(|| a.error("timestamp out of range"))?;
    Ok(Some(Decimal::new(days, 0).add(&part).to_string()))
}

fn of_interval(a: &Args<'_>) -> Given {
    let interval = Interval::parse(a.text(1)).ok_or_else(|| a.error("needs a finite interval"))?;
    let (years, months) = (interval.months / 12, interval.months % 12);
    if let Some(given) = of_time(a.text(0), interval.micros) {
        return given;
    }
    match a.text(0) {
        "day" => whole(interval.days.into()),
        "month" => whole(months.into()),
        "quarter" => whole(i64::from(months / 3 + 1)),
        "year" => whole(years.into()),
        "decade" => whole(i64::from(years / 10)),
        "century" => whole(i64::from(years / 100)),
        "millennium" => whole(i64::from(years / 1000)),
        // A year counts 365.25 days here, and a month of no year 30.
        "epoch" => {
            let quarters =
                i64::from(years) * 1461 + i64::from(months) * 120 + i64::from(interval.days) * 4;
            let micros = i128::from(quarters) * i128::from(DAY / 4) + i128::from(interval.micros);
            Ok(Some(Decimal::new(micros, 6).to_string()))
        }
        _ => Err(a.error("unknown field")),
    }
}

//! Functions of moments and clocks.

use chrono_tz::Tz;

use super::{Args, Function, Takes, function};
use crate::mapping::expr::decimal::Decimal;
use crate::mapping::expr::error::EvalError;
use crate::mapping::expr::moment;
use crate::sqltype::Class;

const TEXT: Takes = Takes::Is(Class::Text);
const CLOCK: Takes = Takes::Is(Class::Timestamp);
const MOMENT: Takes = Takes::Is(Class::TimestampTz);

type Given = Result<Option<String>, EvalError>;

pub(super) const ALL: &[Function] = &[
    function(
        "to_timestamp",
        &[Takes::Is(Class::Numeric)],
        Class::TimestampTz,
        to_timestamp,
    ),
    // The server knows `to_timestamp` of floats only; the seconds of a float column go through it.
    function(
        "to_timestamp",
        &[Takes::Is(Class::Float8)],
        Class::TimestampTz,
        to_timestamp,
    ),
    function("date_trunc", &[TEXT, MOMENT], Class::TimestampTz, |a| {
        truncate_moment(a, a.env.time_zone)
    }),
    function("date_trunc", &[TEXT, CLOCK], Class::Timestamp, |a| {
        let local = clock(a, 1)?;
        print(
            a,
            moment::truncate(a.text(0), local).and_then(moment::print_timestamp),
        )
    }),
    function(
        "date_trunc",
        &[TEXT, MOMENT, TEXT],
        Class::TimestampTz,
        |a| truncate_moment(a, zone(a, 2)?),
    ),
    // `timestamp at time zone zone` is this function with its arguments turned (manual, 9.9.4).
    function("timezone", &[TEXT, MOMENT], Class::Timestamp, |a| {
        let local = moment::to_local(clock(a, 1)?, zone(a, 0)?);
        print(a, local.and_then(moment::print_timestamp))
    }),
    function("timezone", &[TEXT, CLOCK], Class::TimestampTz, |a| {
        let utc = moment::to_utc(clock(a, 1)?, zone(a, 0)?);
        print(a, utc.and_then(moment::print_timestamp_tz))
    }),
    Function {
        sql: false,
        ..function("commit_time", &[], Class::TimestampTz, |a| {
            print(a, moment::print_timestamp_tz(a.env.stamp))
        })
    },
];

fn print(a: &Args<'_>, text: Option<String>) -> Given {
    text.map(Some)
        .ok_or_else(|| a.error("timestamp out of range"))
}

/// The wall clock of a timestamp; of one with a zone, which is kept in UTC, the moment.
fn clock(a: &Args<'_>, at: usize) -> Result<i64, EvalError> {
    let (micros, _) =
        moment::parse_timestamp(a.text(at)).ok_or_else(|| a.error("needs a timestamp"))?;
    Ok(micros)
}

fn zone(a: &Args<'_>, at: usize) -> Result<Tz, EvalError> {
    moment::zone(a.text(at)).ok_or_else(|| a.error("unknown time zone"))
}

fn to_timestamp(a: &Args<'_>) -> Given {
    let micros = match Decimal::parse(a.text(0)) {
        Some(seconds) => seconds.mul(&Decimal::new(moment::SECOND, 0)).to_i64(),
        None => None,
    };
    print(a, micros.and_then(moment::print_timestamp_tz))
}

fn truncate_moment(a: &Args<'_>, zone: Tz) -> Given {
    let local = moment::to_local(clock(a, 1)?, zone);
    let cut = local.and_then(|local| moment::truncate(a.text(0), local));
    let cut = cut.ok_or_else(|| a.error("unknown unit"))?;
    print(
        a,
        moment::to_utc(cut, zone).and_then(moment::print_timestamp_tz),
    )
}

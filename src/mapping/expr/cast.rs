//! Conversions between types: what reads a text as a type, and what turns one class into another.

use std::borrow::Cow;

use chrono_tz::Tz;

use super::decimal::Decimal;
use super::error::EvalError;
use super::moment::{self, Zone};
use super::{float, interval, json};
use crate::sqltype::{Class, SqlType};

/// How willingly a cast happens (manual, CREATE CAST).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Context {
    /// Wherever it helps an operator.
    Implicit,
    /// When a value is written into a column.
    Assignment,
    /// Only where `cast` asks for it.
    Explicit,
}

/// The weakest context in which `from` becomes `to`; none where it never does.
pub fn context(from: Class, to: Class) -> Option<Context> {
    use Class::*;
    use Context::*;
    if from == to {
        // Two types that only pass through may be two different ones.
        return Some(if from == Other { Assignment } else { Implicit });
    }
    let rank = |class| match class {
        Int2 => Some(0),
        Int4 => Some(1),
        Int8 => Some(2),
        Numeric => Some(3),
        Float4 => Some(4),
        Float8 => Some(5),
        _ => None,
    };
    if let (Some(a), Some(b)) = (rank(from), rank(to)) {
        return Some(if a < b { Implicit } else { Assignment });
    }
    Some(match (from, to) {
        (Text | Char, Text | Char) => Implicit,
        (Date, Timestamp | TimestampTz) | (Timestamp, TimestampTz) => Implicit,
        (Timestamp | TimestampTz, Date | Time) | (TimestampTz, Timestamp) => Assignment,
        (Json, Jsonb) | (Jsonb, Json) => Assignment,
        (_, Text | Char) => Assignment,
        // The server asks for a cast by name here; these names cannot be written in an expression.
        (Text | Char, Enum | Uuid | Json | Jsonb | Inet | Other) => Assignment,
        (Enum, Enum) | (Other, Inet) | (Inet, Other) => Assignment,
        (Time, Interval) => Implicit,
        (Interval, Time) => Assignment,
        (Text | Char, _) => Explicit,
        (Int4, Bool) | (Bool, Int4) => Explicit,
        (Jsonb, Bool | Int2 | Int4 | Int8 | Numeric | Float4 | Float8) => Explicit,
        _ => return None,
    })
}

pub(super) fn unfit(ty: &SqlType) -> EvalError {
    EvalError::Value(format!("a value does not fit {}", ty.name))
}

/// Converts a value's text. `zone` is what zoneless timestamps mean.
pub fn cast<'a>(
    text: Cow<'a, str>,
    from: Class,
    to: &SqlType,
    context: Context,
    zone: Tz,
) -> Result<Cow<'a, str>, EvalError> {
    use Class::*;
    if from == to.class {
        return modify(text, to, context);
    }
    let unfit = || unfit(to);
    let printed = |text: Option<String>| text.ok_or_else(unfit);
    match (from, to.class) {
        (Int2 | Int4 | Int8, Int2 | Int4 | Int8) => input(&text, to, context).map(Cow::Owned),
        (Int2 | Int4 | Int8, Numeric) => modify(text, to, context),
        (Numeric, Int2 | Int4 | Int8) => {
            let value = Decimal::parse(&text)
                .and_then(|d| d.to_i64())
                .ok_or_else(unfit)?;
            integer(value, to)
        }
        (Float4 | Float8, Int2 | Int4 | Int8) => {
            let value = float::read(from, &text)
                .ok_or_else(unfit)?
                .round_ties_even();
            // 2^63 is the first float that is too large.
            if !(i64::MIN as f64..-(i64::MIN as f64)).contains(&value) {
                return Err(unfit());
            }
            integer(value as i64, to)
        }
        (Float4, Float8) => printed(float::read(from, &text).map(float::print)).map(Cow::Owned),
        (Float8, Float4) => {
            let value = float::parse(&text).and_then(float::narrow);
            printed(value.map(float::print_single)).map(Cow::Owned)
        }
        (Float4 | Float8, Numeric) => {
            let digits = if from == Float4 { 6 } else { 15 };
            let value = float::read(from, &text).ok_or_else(unfit)?;
            if !value.is_finite() {
                return modify(text, to, context);
            }
            // The server goes through `%.*g` with the type's sure digits.
            let rounded = format!("{value:.*e}", digits - 1);
            let decimal = Decimal::parse(&rounded).ok_or_else(unfit)?;
            modify(Cow::Owned(shorten(&decimal.to_string())), to, context)
        }
        (Bool, Int4) => Ok(Cow::Borrowed(if text == "t" { "1" } else { "0" })),
        (Int4, Bool) => Ok(Cow::Borrowed(if text == "0" { "f" } else { "t" })),
        (Bool, Text | Char) => {
            let word = if text == "t" { "true" } else { "false" };
            modify(Cow::Borrowed(word), to, context)
        }
        (Char, Text) => modify(
            Cow::Owned(text.trim_end_matches(' ').to_owned()),
            to,
            context,
        ),
        (Inet, Text | Char) => modify(Cow::Owned(with_mask(&text)), to, context),
        (Date, Timestamp | TimestampTz) => {
            let micros = match moment::parse_date(&text).ok_or_else(unfit)? {
                special @ (moment::INFINITY | moment::NEGATIVE_INFINITY) => special,
                days => days.checked_mul(moment::DAY).ok_or_else(unfit)?,
            };
            printed(print_moment(micros, Zone::None, to, zone)).map(Cow::Owned)
        }
        (Timestamp, TimestampTz) => {
            let (micros, _) = moment::parse_timestamp(&text).ok_or_else(unfit)?;
            printed(print_moment(micros, Zone::None, to, zone)).map(Cow::Owned)
        }
        (TimestampTz | Timestamp, Timestamp | Date | Time) => {
            let (mut micros, _) = moment::parse_timestamp(&text).ok_or_else(unfit)?;
            if from == TimestampTz {
                micros = moment::to_local(micros, zone).ok_or_else(unfit)?;
            }
            printed(print_clock(micros, to)).map(Cow::Owned)
        }
        (Time, Interval) => {
            let micros = moment::parse_time(&text).ok_or_else(unfit)?;
            let (months, days) = (0, 0);
            let interval = interval::Interval {
                months,
                days,
                micros,
            };
            modify(Cow::Owned(interval.print()), to, context)
        }
        (Interval, Time) => {
            let interval = interval::Interval::parse(&text).ok_or_else(unfit)?;
            printed(print_clock(interval.micros, to)).map(Cow::Owned)
        }
        (Jsonb, Bool) => match &*text {
            "true" => Ok(Cow::Borrowed("t")),
            "false" => Ok(Cow::Borrowed("f")),
            _ => Err(unfit()),
        },
        (Jsonb, class) if class.is_number() => {
            let number = Decimal::parse(&text).ok_or_else(unfit)?.to_string();
            cast(Cow::Owned(number), Numeric, to, context, zone)
        }
        (Text | Char, TimestampTz) => {
            let (micros, named) = moment::parse_timestamp(&text).ok_or_else(unfit)?;
            printed(print_moment(micros, named, to, zone)).map(Cow::Owned)
        }
        (Json, Text) | (_, Json) if to.class == Text => modify(text, to, context),
        (_, Text | Char) => modify(text, to, context),
        _ => input(&text, to, context).map(Cow::Owned),
    }
}

/// Applies the modifier of a type to a value that is already of its class.
fn modify<'a>(
    text: Cow<'a, str>,
    to: &SqlType,
    context: Context,
) -> Result<Cow<'a, str>, EvalError> {
    let as_is = match to.class {
        Class::Text | Class::Char => to.length.is_none(),
        Class::Numeric => to.numeric.is_none_or(|m| fits_numeric(&text, m)),
        Class::Time | Class::Timestamp | Class::TimestampTz | Class::Interval => to
            .fraction
            .is_none_or(|digits| fits_fraction(&text, digits)),
        Class::Enum => to.labels.is_empty(),
        _ => true,
    };
    if as_is {
        return Ok(text);
    }
    input(&text, to, context).map(Cow::Owned)
}

/// A plain number that already has the column's scale and few enough digits: the common case.
fn fits_numeric(text: &str, (precision, scale): (u32, i32)) -> bool {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let digits = whole.len() + fraction.len();
    usize::try_from(scale).is_ok_and(|scale| scale == fraction.len())
        && digits <= precision as usize
        && unsigned.bytes().all(|b| b.is_ascii_digit() || b == b'.')
}

/// A printed time with no more digits of a second than the column has: the common case, and the only one
/// in which a date that is none can stay what it is.
fn fits_fraction(text: &str, digits: u32) -> bool {
    let there = || {
        let fraction = text.split_once('.').map_or("", |(_, rest)| rest);
        fraction.bytes().take_while(u8::is_ascii_digit).count()
    };
    digits >= 6 || there() <= digits as usize
}

/// Reads `text` as the server's input function of a type does, and prints it as its output does.
pub fn input(text: &str, to: &SqlType, context: Context) -> Result<String, EvalError> {
    let unfit = || unfit(to);
    let found = match to.class {
        Class::Bool => boolean(text).map(|b| if b { "t" } else { "f" }.to_owned()),
        Class::Int2 | Class::Int4 | Class::Int8 => {
            let text = text.trim_matches(|c: char| c.is_ascii_whitespace());
            let value: i64 = text.parse().map_err(|_| unfit())?;
            return integer(value, to).map(Cow::into_owned);
        }
        Class::Numeric => numeric(text, to.numeric),
        Class::Float8 => float::parse(text).map(float::print),
        Class::Float4 => float::parse_single(text).map(float::print_single),
        Class::Text => limit(text, to.length, context).map(str::to_owned),
        Class::Char => limit(text, to.length, context)
            .map(|text| format!("{text:width$}", width = to.length.unwrap_or(0) as usize)),
        Class::Bytea => {
            super::functions::bytes::input(text).map(|b| super::functions::bytes::print(&b))
        }
        Class::Date => moment::parse_date(text).and_then(moment::print_date),
        Class::Time => moment::parse_time(text)
            .map(|t| moment::print_time(moment::round_time(t, to.fraction.unwrap_or(6)))),
        Class::Timestamp => moment::parse_timestamp(text).and_then(|(t, _)| print_clock(t, to)),
        Class::TimestampTz => {
            moment::parse_timestamp(text).and_then(|(t, z)| print_moment(t, z, to, Tz::UTC))
        }
        Class::Uuid => uuid(text),
        Class::Json => json::parse(text).map(|_| text.to_owned()),
        Class::Jsonb => json::canonical(text),
        Class::Enum => {
            (to.labels.is_empty() || to.labels.iter().any(|l| l == text)).then(|| text.to_owned())
        }
        Class::Interval => match text.trim().to_ascii_lowercase().as_str() {
            // Servers since 17 have them; they pass through and are not calculated with.
            special @ ("infinity" | "-infinity") => Some(special.to_owned()),
            _ => interval::Interval::parse(text)
                .and_then(|i| i.round(to.fraction.unwrap_or(6)))
                .map(|i| i.print()),
        },
        Class::TimeTz | Class::Inet | Class::Other => Some(text.to_owned()),
    };
    found.ok_or_else(unfit)
}

/// An address as its cast to text prints it, where its output leaves out the mask of a host.
fn with_mask(text: &str) -> String {
    match (text.contains('/'), text.contains(':')) {
        (true, _) => text.to_owned(),
        (false, true) => format!("{text}/128"),
        (false, false) => format!("{text}/32"),
    }
}

fn integer(value: i64, to: &SqlType) -> Result<Cow<'static, str>, EvalError> {
    Ok(Cow::Owned(ranged(value, to)?.to_string()))
}

/// It must be in the range of the type.
pub(super) fn ranged(value: i64, to: &SqlType) -> Result<i64, EvalError> {
    let fits = match to.class {
        Class::Int2 => i16::try_from(value).is_ok(),
        Class::Int4 => i32::try_from(value).is_ok(),
        _ => true,
    };
    if !fits {
        return Err(unfit(to));
    }
    Ok(value)
}

fn boolean(text: &str) -> Option<bool> {
    let text = text.trim().to_ascii_lowercase();
    let word = |word: &str, least: usize| text.len() >= least && word.starts_with(text.as_str());
    if word("true", 1) || word("yes", 1) || word("on", 2) || text == "1" {
        return Some(true);
    }
    (word("false", 1) || word("no", 1) || word("off", 2) || text == "0").then_some(false)
}

fn numeric(text: &str, modifier: Option<(u32, i32)>) -> Option<String> {
    let Some(value) = Decimal::parse(text) else {
        return match (text.trim().to_ascii_lowercase().as_str(), modifier) {
            ("nan", _) => Some("NaN".into()),
            ("infinity" | "inf" | "+infinity", None) => Some("Infinity".into()),
            ("-infinity" | "-inf", None) => Some("-Infinity".into()),
            _ => None,
        };
    };
    let Some((precision, scale)) = modifier else {
        return Some(value.to_string());
    };
    let value = value.round(i64::from(scale));
    // Digits left of the point may be at most precision - scale; with scale > precision the
    // digits right of it must start with zeros.
    let digits = value.significant_digits();
    let digits = digits.saturating_sub(usize::try_from(-scale).unwrap_or(0));
    (digits <= precision as usize).then(|| value.to_string())
}

/// Drops the zeros that a number gained by being printed with all its digits.
fn shorten(text: &str) -> String {
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text.to_owned()
    }
}

/// `character` types refuse what is too long, unless only blanks are cut or a cast asks for it.
fn limit(text: &str, length: Option<u32>, context: Context) -> Option<&str> {
    let Some(length) = length else {
        return Some(text);
    };
    let Some((end, _)) = text.char_indices().nth(length as usize) else {
        return Some(text);
    };
    let (kept, cut) = text.split_at(end);
    (context == Context::Explicit || cut.chars().all(|c| c == ' ')).then_some(kept)
}

/// Hexadecimal in groups of four, hyphens between any of them, braces around.
fn uuid(text: &str) -> Option<String> {
    let inner = match text.strip_prefix('{') {
        Some(rest) => rest.strip_suffix('}')?,
        None => text,
    };
    let mut digits = String::with_capacity(36);
    let mut after_hyphen = false;
    for c in inner.chars() {
        let hex = digits.len() - digits.matches('-').count();
        match c {
            '-' if hex > 0 && hex < 32 && hex.is_multiple_of(4) && !after_hyphen => {
                after_hyphen = true;
                continue;
            }
            c if c.is_ascii_hexdigit() && hex < 32 => {
                if matches!(hex, 8 | 12 | 16 | 20) {
                    digits.push('-');
                }
                digits.push(c.to_ascii_lowercase());
                after_hyphen = false;
            }
            _ => return None,
        }
    }
    (digits.len() == 36).then_some(digits)
}

fn print_moment(micros: i64, named: Zone, to: &SqlType, zone: Tz) -> Option<String> {
    let utc = match named {
        _ if to.class == Class::Timestamp => return print_clock(micros, to),
        Zone::None => moment::to_utc(micros, zone)?,
        Zone::Offset(east) => micros.checked_sub(east * moment::SECOND)?,
        Zone::Named(zone) => moment::to_utc(micros, zone)?,
    };
    moment::print_timestamp_tz(moment::round(utc, to.fraction.unwrap_or(6)))
}

fn print_clock(micros: i64, to: &SqlType) -> Option<String> {
    let infinite = matches!(micros, moment::INFINITY | moment::NEGATIVE_INFINITY);
    match to.class {
        Class::Date if infinite => moment::print_date(micros),
        Class::Date => moment::print_date(micros.div_euclid(moment::DAY)),
        Class::Time if infinite => None,
        Class::Time => {
            let time = micros.rem_euclid(moment::DAY);
            Some(moment::print_time(moment::round_time(
                time,
                to.fraction.unwrap_or(6),
            )))
        }
        _ => moment::print_timestamp(moment::round(micros, to.fraction.unwrap_or(6))),
    }
}

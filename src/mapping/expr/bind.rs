//! What a value becomes in a column of the target.

use std::borrow::Cow;

use chrono_tz::Tz;

use super::bounds;
use super::cast::{self, Context};
use super::decimal::Decimal;
use super::error::EvalError;
use super::value::Value;
use crate::sqltype::{Class, SqlType};

/// Whether a value of a class can be written into a column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Assign {
    Exact,
    /// It depends on the value; says what could fail.
    MayFail(String),
    /// Never; says why.
    No(String),
}

/// The text of `value` as a column of type `ty` holds and prints it; none for null. `zone` is what
/// zoneless timestamps mean.
pub fn bind<'v>(
    value: &'v Value<'_>,
    ty: &SqlType,
    zone: Tz,
) -> Result<Option<Cow<'v, str>>, EvalError> {
    let Value::Of { class, text } = value else {
        return Ok(None);
    };
    let refused = || {
        EvalError::Value(format!(
            "{} cannot be written into {}",
            class.name(),
            ty.name
        ))
    };
    if *class == Class::Bool && is_flag(ty) {
        return Ok(Some(Cow::Borrowed(if value.is_true() { "1" } else { "0" })));
    }
    cast::context(*class, ty.class)
        .filter(|c| *c <= Context::Assignment)
        .ok_or_else(refused)?;
    let text = cast::cast(
        Cow::Borrowed(text.as_ref()),
        *class,
        ty,
        Context::Assignment,
        zone,
    )?;
    Ok(Some(text))
}

/// What MySQL keeps a boolean in.
fn is_flag(ty: &SqlType) -> bool {
    ty.name.starts_with("tinyint") || ty.name == "bit(1)"
}

/// A text of type `ty` in the one form in which the server prints it.
pub fn canonical(text: &str, ty: &SqlType) -> Result<Box<str>, EvalError> {
    cast::input(text, ty, Context::Assignment).map(String::into_boxed_str)
}

/// Whether values of type `ty` go into a column of type `to`. `nullable` says that they can be
/// null; whether the column takes null is the caller's to know.
pub fn assignable(ty: &SqlType, nullable: bool, to: &SqlType) -> Assign {
    let from = ty.class;
    // The server cuts any text to 63 bytes, or to one, without a word.
    if matches!(to.base.as_str(), "name" | "\"char\"") && ty.base != to.base {
        return Assign::No(format!("the server cuts it to fit {}", to.name));
    }
    if from == Class::Bool && is_flag(to) {
        return Assign::Exact;
    }
    match cast::context(from, to.class).filter(|_| !is_strange(ty, to)) {
        None => Assign::No(format!("{} cannot become {}", ty.name, to.name)),
        Some(Context::Explicit) => Assign::No(format!(
            "{} becomes {} only by a cast: write cast(… as {})",
            ty.name, to.name, to.base
        )),
        Some(_) => match (risk(ty, to), nullable) {
            (Some(risk), true) => Assign::MayFail(format!("{risk}; it can be null")),
            (Some(risk), false) => Assign::MayFail(risk),
            (None, _) => Assign::Exact,
        },
    }
}

/// The same of a literal, by its value; none where that is not known of values of its type.
pub fn literal_fits(value: &Value<'_>, to: &SqlType) -> Option<Assign> {
    let (class, text) = (value.class()?, value.text()?);
    // The others could depend on a zone, or on the server.
    let judged = class.is_integer() || matches!(class, Class::Numeric | Class::Text | Class::Bool);
    if !judged || matches!(to.class, Class::Inet | Class::Other) {
        return None;
    }
    let written = match bind(value, to, Tz::UTC) {
        Ok(written) => written?,
        Err(why) => return Some(Assign::MayFail(why.to_string())),
    };
    if class.is_number() && to.class.is_number() {
        let (is, was) = (Decimal::parse(&written)?, Decimal::parse(text)?);
        if is.cmp(&was).is_ne() {
            return Some(Assign::MayFail(format!("it becomes {written}")));
        }
    }
    if let (Some((low, high)), Ok(number)) = (bounds::of(to), written.parse::<i128>())
        && !(low..=high).contains(&number)
    {
        let message = format!("it is out of the range of {}", to.name);
        return Some(Assign::MayFail(message));
    }
    let cut = matches!(to.class, Class::Text) && class == Class::Text && written != text;
    (!cut).then_some(Assign::Exact)
}

/// One of these two is a type of the server's own that reads no text of the other.
fn is_strange(ty: &SqlType, to: &SqlType) -> bool {
    /// What has to do with nothing but itself and its neighbours here.
    const FAMILIES: &[&[&str]] = &[
        &["inet", "cidr"],
        &["macaddr", "macaddr8"],
        &["\"bit\"", "bit varying"],
        &["money"],
        &["xml"],
        &["oid"],
        &["pg_lsn"],
        &["point"],
        &["tsvector"],
        &["tsquery"],
    ];
    let family = |name: &str| match FAMILIES.iter().position(|f| f.contains(&name)) {
        Some(known) => Some(known),
        None if name.ends_with("[]") => Some(FAMILIES.len()),
        None if name.ends_with("multirange") => Some(FAMILIES.len() + 1),
        None if name.ends_with("range") => Some(FAMILIES.len() + 2),
        None => None,
    };
    let foreign = |class| matches!(class, Class::Inet | Class::Other);
    // What an expression gives of such types goes without a name.
    foreign(ty.class)
        && foreign(to.class)
        && ty.base != Class::Other.name()
        && family(&ty.base) != family(&to.base)
}

/// Every value of the one type is a value of the other, by their modifiers.
fn holds(ty: &SqlType, to: &SqlType) -> bool {
    use Class::*;
    match (ty.class, to.class) {
        (Text | Char, Text) | (Char, Char) => match (ty.length, to.length) {
            (Some(from), Some(to)) => from <= to,
            (_, to) => to.is_none(),
        },
        (Numeric, Numeric) => match (ty.numeric, to.numeric) {
            (Some((p, s)), Some((precision, scale))) => {
                s <= scale && i64::from(p) - i64::from(s) <= i64::from(precision) - i64::from(scale)
            }
            (_, to) => to.is_none(),
        },
        (Time, Time) | (TimeTz, TimeTz) | (Timestamp, Timestamp) | (TimestampTz, TimestampTz) => {
            ty.fraction.unwrap_or(6) <= to.fraction.unwrap_or(6) && !bounds::years_exceed(ty, to)
        }
        (Enum, Enum) => ty.labels.iter().all(|label| to.labels.contains(label)),
        // Nothing is known of these but their names: the same type, and no modifier in the way.
        (Inet, Inet) => true,
        (Interval, Interval) | (Other, Other) => {
            ty.name == to.name || ty.base == to.base && to.name == to.base
        }
        _ => false,
    }
}

/// What about a value could fail or change on its way into a column.
fn risk(ty: &SqlType, to: &SqlType) -> Option<String> {
    use Class::*;
    let (from, name) = (ty.class, &to.name);
    if holds(ty, to) {
        return None;
    }
    match (from, to.class) {
        (_, Text | Char) => to
            .length
            .map(|n| format!("it may be longer than {n} characters")),
        (_, Int2 | Int4 | Int8) if bounds::of(ty).is_some() => {
            bounds::exceeds(ty, to).then(|| format!("it may be out of the range of {name}"))
        }
        (Numeric | Float4 | Float8, Int2 | Int4 | Int8) => Some(format!(
            "it is rounded, and may be out of the range of {name}"
        )),
        (_, Numeric) if bounds::of(ty).is_some() && bounds::of(to).is_some() => {
            bounds::exceeds(ty, to).then(|| format!("it may be out of the range of {name}"))
        }
        (_, Numeric) => match to.numeric {
            Some(_) => Some(format!(
                "it is rounded to {name}, and may have too many digits"
            )),
            None if from.is_float() => Some("it is rounded to its sure digits".into()),
            None => None,
        },
        (Int8 | Numeric, Float8) | (_, Float4) if from != to.class => {
            Some(format!("{name} may not hold it exactly"))
        }
        (Timestamp | Date, TimestampTz) => Some("it is read as UTC: write `at time zone`".into()),
        (TimestampTz, Timestamp) => Some("it is written in UTC: write `at time zone`".into()),
        (Timestamp | TimestampTz, Date | Time) | (Interval, Time) => {
            Some(format!("only its part in {name} is kept"))
        }
        (Timestamp | TimestampTz | Date, _) if bounds::years_exceed(ty, to) => {
            Some(format!("it may be out of the range of {name}"))
        }
        (Timestamp | TimestampTz | Time | TimeTz, _) => to
            .fraction
            .filter(|d| *d < 6)
            .map(|_| format!("it is rounded to {name}")),
        (Interval, Interval) => Some(format!("it is rounded to {name}")),
        (Enum, Enum) => Some(format!("it may be no label of {name}")),
        (Text | Char, Enum | Uuid | Json | Jsonb) | (Json, Jsonb) => {
            Some(format!("it may be no valid {name}"))
        }
        (Text | Char | Inet | Other, Inet | Other) => Some(format!("it may be no valid {name}")),
        _ => None,
    }
}

//! Functions of numbers, and money in minor units.

use super::{Args, Function, Takes, function};
use crate::mapping::expr::currency;
use crate::mapping::expr::decimal::Decimal;
use crate::mapping::expr::digits::Digits;
use crate::mapping::expr::error::EvalError;
use crate::mapping::expr::float;
use crate::sqltype::Class;

const NUMERIC: Takes = Takes::Is(Class::Numeric);
const FLOAT: Takes = Takes::Is(Class::Float8);
const INT: Takes = Takes::Is(Class::Int4);
const BIG: Takes = Takes::Is(Class::Int8);
const TEXT: Takes = Takes::Is(Class::Text);

type Given = Result<Option<String>, EvalError>;

pub(super) const ALL: &[Function] = &[
    function("abs", &[Takes::Is(Class::Int2)], Class::Int2, |a| {
        absolute(a, i64::from(i16::MAX))
    }),
    function("abs", &[INT], Class::Int4, |a| {
        absolute(a, i64::from(i32::MAX))
    }),
    function("abs", &[BIG], Class::Int8, |a| absolute(a, i64::MAX)),
    function("abs", &[NUMERIC], Class::Numeric, |a| {
        exact(a, Decimal::abs)
    }),
    function("abs", &[Takes::Is(Class::Float4)], Class::Float4, |a| {
        let value = float::parse_single(a.text(0)).ok_or_else(|| a.error("needs a number"))?;
        Ok(Some(float::print_single(value.abs())))
    }),
    function("abs", &[FLOAT], Class::Float8, |a| inexact(a, f64::abs)),
    function("round", &[NUMERIC], Class::Numeric, |a| {
        exact(a, |d| d.round(0))
    }),
    function("round", &[NUMERIC, INT], Class::Numeric, |a| {
        scaled(a, Decimal::round)
    }),
    function("round", &[FLOAT], Class::Float8, |a| {
        inexact(a, f64::round_ties_even)
    }),
    function("trunc", &[NUMERIC], Class::Numeric, |a| {
        exact(a, |d| d.trunc(0))
    }),
    function("trunc", &[NUMERIC, INT], Class::Numeric, |a| {
        scaled(a, Decimal::trunc)
    }),
    function("trunc", &[FLOAT], Class::Float8, |a| inexact(a, f64::trunc)),
    function("floor", &[NUMERIC], Class::Numeric, |a| {
        exact(a, Decimal::floor)
    }),
    function("floor", &[FLOAT], Class::Float8, |a| inexact(a, f64::floor)),
    function("ceil", &[NUMERIC], Class::Numeric, |a| {
        exact(a, Decimal::ceil)
    }),
    function("ceil", &[FLOAT], Class::Float8, |a| inexact(a, f64::ceil)),
    Function {
        sql: false,
        ..function("whole", &[NUMERIC], Class::Int8, |a| {
            whole(a, a.decimal(0)?)
        })
    },
    Function {
        sql: false,
        ..function("whole", &[FLOAT], Class::Int8, |a| {
            let value = float::parse(a.text(0)).filter(|value| value.is_finite());
            let exact = value.and_then(|value| Decimal::parse(&value.to_string()));
            whole(a, exact.ok_or_else(|| a.error("needs a finite number"))?)
        })
    },
    Function {
        sql: false,
        ..function("minor_units", &[NUMERIC, TEXT], Class::Int8, minor_units)
    },
    Function {
        sql: false,
        ..function("major_units", &[BIG, TEXT], Class::Numeric, major_units)
    },
];

fn absolute(a: &Args<'_>, most: i64) -> Given {
    match a.integer(0)?.checked_abs().filter(|n| *n <= most) {
        Some(n) => Ok(Some(n.to_string())),
        None => Err(a.error("integer out of range")),
    }
}

fn exact(a: &Args<'_>, change: impl Fn(&Decimal) -> Decimal) -> Given {
    Ok(Some(change(&a.decimal(0)?).to_string()))
}

/// Postgres limits the digits that `round` and `trunc` may be asked for.
fn scaled(a: &Args<'_>, change: fn(&Decimal, i64) -> Decimal) -> Given {
    let scale = a.integer(1)?.clamp(-2_000, 2_000);
    Ok(Some(change(&a.decimal(0)?, scale).to_string()))
}

fn inexact(a: &Args<'_>, change: fn(f64) -> f64) -> Given {
    let value = float::parse(a.text(0)).ok_or_else(|| a.error("needs a number"))?;
    Ok(Some(float::print(change(value))))
}

/// A number that is refused if it has a fraction, where a cast would round it.
fn whole(a: &Args<'_>, number: Decimal) -> Given {
    if number.trunc(0) != number {
        return Err(a.error("the number has a fraction"));
    }
    match number.to_i64() {
        Some(number) => Ok(Some(number.to_string())),
        None => Err(a.error("bigint out of range")),
    }
}

fn exponent(a: &Args<'_>) -> Result<u32, EvalError> {
    currency::exponent(a.text(1)).ok_or_else(|| a.error("unknown currency"))
}

fn minor_units(a: &Args<'_>) -> Given {
    let minor = to_minor_units(a.text(1), || Decimal::parse(a.text(0)))?;
    Ok(Some(minor.to_string()))
}

/// An amount in the minor units of its currency, rounded; `amount` gives none where it is no finite
/// number.
pub fn to_minor_units(
    currency: &str,
    amount: impl FnOnce() -> Option<Decimal>,
) -> Result<i64, EvalError> {
    let error = |problem| EvalError::Value(format!("minor_units: {problem}"));
    let exponent = currency::exponent(currency).ok_or_else(|| error("unknown currency"))?;
    let amount = amount().ok_or_else(|| error("needs a finite number"))?;
    let unit = Decimal::new(Digits::power_of_ten(exponent), 0);
    let minor = amount.mul(&unit).to_i64();
    minor.ok_or_else(|| error("amount out of range"))
}

fn major_units(a: &Args<'_>) -> Given {
    Ok(Some(Decimal::new(a.integer(0)?, exponent(a)?).to_string()))
}

//! Arithmetic and comparison of two values of one class.

use std::borrow::Cow;
use std::cmp::Ordering;

use super::decimal::Decimal;
use super::error::EvalError;
use super::interval::Interval;
use super::plan::{Arithmetic, Comparison};
use super::{float, json, moment};
use crate::sqltype::Class;

/// Whether values of a class have an order; equality alone has [`equates`].
pub fn orders(class: Class) -> bool {
    use Class::*;
    class.is_number()
        || matches!(
            class,
            Bool | Text | Char | Bytea | Date | Time | Timestamp | TimestampTz | Interval | Uuid
        )
}

pub fn equates(class: Class) -> bool {
    orders(class) || matches!(class, Class::Enum | Class::Jsonb)
}

/// The order of two values; text by its bytes, whatever the collation.
pub fn compare(class: Class, a: &str, b: &str) -> Result<Ordering, EvalError> {
    let unreadable = || EvalError::Value(format!("a value is no {}", class.name()));
    Ok(match class {
        Class::Int2 | Class::Int4 | Class::Int8 => {
            let read = |text: &str| text.parse::<i64>().map_err(|_| unreadable());
            read(a)?.cmp(&read(b)?)
        }
        Class::Numeric => match (Decimal::parse(a), Decimal::parse(b)) {
            (Some(a), Some(b)) => a.cmp(&b),
            // -Infinity is below every number, Infinity above, NaN above all (manual, 8.1.2).
            _ => rank(a).cmp(&rank(b)),
        },
        Class::Float4 | Class::Float8 => {
            let read = |text: &str| float::read(class, text).ok_or_else(unreadable);
            let (a, b) = (read(a)?, read(b)?);
            a.partial_cmp(&b)
                .unwrap_or_else(|| a.is_nan().cmp(&b.is_nan()))
        }
        Class::Char => a.trim_end_matches(' ').cmp(b.trim_end_matches(' ')),
        Class::Date => {
            let read = |text: &str| moment::parse_date(text).ok_or_else(unreadable);
            read(a)?.cmp(&read(b)?)
        }
        Class::Timestamp | Class::TimestampTz => {
            let read = |text: &str| {
                moment::parse_timestamp(text)
                    .map(|(t, _)| t)
                    .ok_or_else(unreadable)
            };
            read(a)?.cmp(&read(b)?)
        }
        Class::Interval => {
            let read = |text: &str| Interval::parse(text).ok_or_else(unreadable);
            match (endless(a), endless(b)) {
                (0, 0) => read(a)?.compare(&read(b)?),
                (a, b) => a.cmp(&b),
            }
        }
        Class::Jsonb => {
            let (left, right) = (json::parse(a), json::parse(b));
            let same = json::same(
                &left.ok_or_else(unreadable)?,
                &right.ok_or_else(unreadable)?,
            );
            if same { Ordering::Equal } else { a.cmp(b) }
        }
        // The printed forms of all others sort as their values do, or have equality only.
        _ => a.cmp(b),
    })
}

fn rank(text: &str) -> u8 {
    match text {
        "-Infinity" => 0,
        "Infinity" => 2,
        "NaN" => 3,
        _ => 1,
    }
}

/// -1 and 1 for the infinite intervals that servers since 17 have.
fn endless(interval: &str) -> i8 {
    match interval {
        "-infinity" => -1,
        "infinity" => 1,
        _ => 0,
    }
}

pub fn holds(op: Comparison, order: Ordering) -> bool {
    match op {
        Comparison::Equal => order.is_eq(),
        Comparison::NotEqual => order.is_ne(),
        Comparison::Less => order.is_lt(),
        Comparison::LessOrEqual => order.is_le(),
        Comparison::Greater => order.is_gt(),
        Comparison::GreaterOrEqual => order.is_ge(),
    }
}

/// `left op right`, both and the result of class `class`.
pub fn calculate(
    op: Arithmetic,
    class: Class,
    left: &str,
    right: &str,
) -> Result<String, EvalError> {
    let out_of_range = || EvalError::Value(format!("{} out of range", class.name()));
    let unreadable = || EvalError::Value(format!("arithmetic needs a finite {}", class.name()));
    match class {
        Class::Int2 | Class::Int4 | Class::Int8 => {
            let left: i64 = left.parse().map_err(|_| unreadable())?;
            let right: i64 = right.parse().map_err(|_| unreadable())?;
            if right == 0 && matches!(op, Arithmetic::Divide | Arithmetic::Remainder) {
                return Err(division_by_zero());
            }
            let value = match op {
                Arithmetic::Add => left.checked_add(right),
                Arithmetic::Subtract => left.checked_sub(right),
                Arithmetic::Multiply => left.checked_mul(right),
                Arithmetic::Divide => left.checked_div(right),
                Arithmetic::Remainder => Some(left.wrapping_rem(right)),
            };
            let value = value.ok_or_else(out_of_range)?;
            let fits = match class {
                Class::Int2 => i16::try_from(value).is_ok(),
                Class::Int4 => i32::try_from(value).is_ok(),
                _ => true,
            };
            fits.then(|| value.to_string()).ok_or_else(out_of_range)
        }
        Class::Float4 | Class::Float8 => {
            let left = float::read(class, left).ok_or_else(unreadable)?;
            let right = float::read(class, right).ok_or_else(unreadable)?;
            if right == 0.0 && op == Arithmetic::Divide {
                return Err(division_by_zero());
            }
            let value = match op {
                Arithmetic::Add => left + right,
                Arithmetic::Subtract => left - right,
                Arithmetic::Multiply => left * right,
                Arithmetic::Divide => left / right,
                Arithmetic::Remainder => return Err(unreadable()),
            };
            let value = if class == Class::Float4 {
                f64::from(value as f32)
            } else {
                value
            };
            let vanished = value == 0.0
                && match op {
                    Arithmetic::Multiply => left != 0.0 && right != 0.0,
                    Arithmetic::Divide => left != 0.0 && right.is_finite(),
                    _ => false,
                };
            if vanished || value.is_infinite() && left.is_finite() && right.is_finite() {
                return Err(out_of_range());
            }
            Ok(match class {
                Class::Float4 => float::print_single(value as f32),
                _ => float::print(value),
            })
        }
        _ => {
            let read = |text| Decimal::parse(text).map(Cow::Owned);
            calculate_exactly(op, (read(left), read(right))).map(|value| value.to_string())
        }
    }
}

/// `left op right` of class `numeric`; none stands for what is no finite number.
pub fn calculate_exactly(
    op: Arithmetic,
    (left, right): (Option<Cow<'_, Decimal>>, Option<Cow<'_, Decimal>>),
) -> Result<Decimal, EvalError> {
    let class = Class::Numeric.name();
    let (Some(left), Some(right)) = (left, right) else {
        return Err(EvalError::Value(format!(
            "arithmetic needs a finite {class}"
        )));
    };
    let value = match op {
        Arithmetic::Add => left.add(&right),
        Arithmetic::Subtract => left.sub(&right),
        Arithmetic::Multiply => left.mul(&right),
        Arithmetic::Divide => left.div(&right).ok_or_else(division_by_zero)?,
        Arithmetic::Remainder => left.rem(&right).ok_or_else(division_by_zero)?,
    };
    match value.fits() {
        true => Ok(value),
        false => Err(EvalError::Value(format!("{class} out of range"))),
    }
}

fn division_by_zero() -> EvalError {
    EvalError::value("division by zero")
}

/// `-value`.
pub fn negate(class: Class, text: &str) -> Result<String, EvalError> {
    let unreadable = || EvalError::Value(format!("arithmetic needs a finite {}", class.name()));
    match class {
        Class::Float4 => Ok(float::print_single(
            -float::parse_single(text).ok_or_else(unreadable)?,
        )),
        Class::Float8 => Ok(float::print(-float::parse(text).ok_or_else(unreadable)?)),
        Class::Numeric => Ok(Decimal::parse(text)
            .ok_or_else(unreadable)?
            .neg()
            .to_string()),
        Class::Interval => {
            let interval = Interval::parse(text).ok_or_else(unreadable)?;
            let out_of_range = || EvalError::value("interval out of range");
            Ok(interval.neg().ok_or_else(out_of_range)?.print())
        }
        _ => calculate(Arithmetic::Subtract, class, "0", text),
    }
}

/// SQL's `like`: `%` any run, `_` one character; none where the pattern ends in its escape.
pub fn like(text: &str, pattern: &str, escape: Option<char>) -> Option<bool> {
    #[derive(Clone, Copy)]
    enum Step {
        Run,
        One,
        Char(char),
    }
    let mut steps = Vec::new();
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        steps.push(match c {
            c if Some(c) == escape => Step::Char(chars.next()?),
            '%' => Step::Run,
            '_' => Step::One,
            c => Step::Char(c),
        });
    }
    let text: Vec<char> = text.chars().collect();
    // Greedy with one point of return, so that no pattern takes more than steps × text.
    let (mut at, mut step, mut back) = (0, 0, None);
    while at < text.len() {
        match steps.get(step) {
            Some(Step::Run) => {
                back = Some((at, step));
                step += 1;
                continue;
            }
            Some(Step::One) => {
                (at, step) = (at + 1, step + 1);
                continue;
            }
            Some(Step::Char(c)) if text.get(at) == Some(c) => {
                (at, step) = (at + 1, step + 1);
                continue;
            }
            _ => {}
        }
        let Some((from, run)) = back else {
            return Some(false);
        };
        back = Some((from + 1, run));
        (at, step) = (from + 1, run + 1);
    }
    Some(steps.iter().skip(step).all(|s| matches!(s, Step::Run)))
}

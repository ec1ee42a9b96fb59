//! Aggregates over the rows of a table that belong to the row.

use std::borrow::Cow;
use std::cmp::Ordering;

use super::decimal::Decimal;
use super::error::EvalError;
use super::evaluate::{self, Frame};
use super::functions::{array_of, object_of};
use super::plan::{Aggregate, AggregateKind, Arithmetic, Order};
use super::quantity::{self, Quantity};
use super::scope::{Env, Member, Parts};
use super::value::Value;
use super::{operators, rows};
use crate::cart::image::Row;
use crate::sqltype::Class;

type Given<'a> = Result<Value<'a>, EvalError>;

pub fn value<'a>(aggregate: &'a Aggregate, class: Class, frame: &Frame<'a>) -> Given<'a> {
    reduce(aggregate, class, &items(aggregate, frame)?)
}

/// The total of exact numbers, without a limit on the way; it must fit the class.
pub fn sum<'a>(
    aggregate: &'a Aggregate,
    class: Class,
    frame: &Frame<'a>,
) -> Result<Quantity<'a>, EvalError> {
    let total = total(aggregate, &items(aggregate, frame)?)?;
    let exceeds = |number: Cow<'_, Decimal>| number.to_i64().is_none();
    if class == Class::Int8 && total.decimal().is_some_and(exceeds) {
        return Err(EvalError::value("sum: integer out of range"));
    }
    Ok(total)
}

/// What it goes over, in its order.
fn items<'a>(aggregate: &'a Aggregate, frame: &Frame<'a>) -> Result<Vec<Frame<'a>>, EvalError> {
    let mut items = Vec::new();
    let mut take = |item: Frame<'a>| -> Result<(), EvalError> {
        let kept = match &aggregate.filter {
            Some(filter) => evaluate::value(filter, &item)?.is_true(),
            None => true,
        };
        if kept {
            items.push(item);
        }
        Ok(())
    };
    match (
        aggregate.group,
        rows::all(&frame.env, frame.per, aggregate.table),
    ) {
        (true, _) => {
            let members = frame.parts.group.unwrap_or_default();
            members
                .iter()
                .try_for_each(|member| take(of_group(frame, member)))?;
        }
        (false, Some(rows)) => rows.iter().try_for_each(|row| take(at(frame, row)))?,
        (false, None) => {
            let rows = rows::belonging(&frame.env, frame.per, aggregate.table)?;
            rows.into_iter().try_for_each(|row| take(at(frame, row)))?;
        }
    }
    sort(&mut items, &aggregate.order)?;
    Ok(items)
}

fn at<'a>(frame: &Frame<'a>, row: &'a Row) -> Frame<'a> {
    Frame {
        item: Some(row),
        ..*frame
    }
}

/// Each of the group's rows is the row itself to what stands within the aggregate.
fn of_group<'a>(frame: &Frame<'a>, member: &'a Member<'a>) -> Frame<'a> {
    Frame {
        env: Env {
            row: member.row,
            stamp: member.stamp,
            ..frame.env
        },
        parts: Parts {
            element: member.element.as_ref(),
            group: None,
        },
        ..*frame
    }
}

fn reduce<'a>(aggregate: &'a Aggregate, class: Class, items: &[Frame<'a>]) -> Given<'a> {
    use AggregateKind::*;
    match aggregate.kind {
        Exists => Ok(Value::bool(!items.is_empty())),
        Count => {
            let mut count = 0usize;
            for item in items {
                count += usize::from(match aggregate.args.first() {
                    Some(arg) => !evaluate::value(arg, item)?.is_null(),
                    None => true,
                });
            }
            Ok(Value::of(class, count.to_string()))
        }
        First => match items.first() {
            Some(item) => argument(aggregate, 0, item),
            None => Ok(Value::Null),
        },
        JsonAgg => {
            let values = items
                .iter()
                .map(|i| argument(aggregate, 0, i))
                .collect::<Result<Vec<_>, _>>()?;
            if values.is_empty() {
                return Ok(Value::Null);
            }
            let text = array_of(values.iter())
                .ok_or_else(|| EvalError::value("json_agg: a timestamp is out of range"))?;
            Ok(Value::of(class, text))
        }
        JsonObjectAgg => {
            let mut pairs = Vec::with_capacity(items.len());
            for item in items {
                pairs.push((argument(aggregate, 0, item)?, argument(aggregate, 1, item)?));
            }
            if pairs.is_empty() {
                return Ok(Value::Null);
            }
            let text =
                object_of(&pairs).map_err(|e| EvalError::Value(format!("json_object_agg: {e}")))?;
            Ok(Value::of(class, text))
        }
        StringAgg => {
            let mut joined: Option<String> = None;
            for item in items {
                let (text, separator) =
                    (argument(aggregate, 0, item)?, argument(aggregate, 1, item)?);
                let Some(text) = text.text() else { continue };
                match &mut joined {
                    // The separator of the first value is not used.
                    None => joined = Some(text.to_owned()),
                    Some(joined) => {
                        joined.push_str(separator.text().unwrap_or(""));
                        joined.push_str(text);
                    }
                }
            }
            Ok(joined.map_or(Value::Null, |text| Value::of(class, text)))
        }
        // Exact ones have been summed where they are made.
        Sum => fold(aggregate, items, |sum, next| {
            operators::calculate(Arithmetic::Add, class, sum, next)
        })
        .map(|sum| recast(sum, class)),
        Min | Max => {
            let keep = if aggregate.kind == Min {
                Ordering::Less
            } else {
                Ordering::Greater
            };
            fold(aggregate, items, |best, next| {
                let stays = operators::compare(class, best, next)? == keep;
                Ok(if stays { best } else { next }.to_owned())
            })
            .map(|best| recast(best, class))
        }
        BoolOr => fold(aggregate, items, |any, next| {
            Ok(if any == "t" || next == "t" { "t" } else { "f" }.to_owned())
        }),
    }
}

fn argument<'a>(aggregate: &'a Aggregate, at: usize, item: &Frame<'a>) -> Given<'a> {
    aggregate
        .args
        .get(at)
        .map_or(Ok(Value::Null), |arg| evaluate::value(arg, item))
}

/// Combines the values that are not null, from the first one on.
fn fold<'a>(
    aggregate: &'a Aggregate,
    items: &[Frame<'a>],
    combine: impl Fn(&str, &str) -> Result<String, EvalError>,
) -> Given<'a> {
    let mut result = Value::Null;
    for item in items {
        let next = argument(aggregate, 0, item)?;
        result = match (&result, &next) {
            (_, Value::Null) => continue,
            (Value::Null, _) => next,
            (Value::Of { class, text }, Value::Of { text: next, .. }) => {
                Value::of(*class, combine(text, next)?)
            }
        };
    }
    Ok(result)
}

/// The exact total of numbers; one alone stays as it is.
fn total<'a>(aggregate: &'a Aggregate, items: &[Frame<'a>]) -> Result<Quantity<'a>, EvalError> {
    let unreadable = || EvalError::value("arithmetic needs a finite numeric");
    let mut total = Quantity::Null;
    for item in items {
        let next = match aggregate.args.first() {
            Some(arg) => quantity::of(arg, item)?,
            None => Quantity::Null,
        };
        if next.is_null() {
            continue;
        }
        if total.is_null() {
            total = next;
            continue;
        }
        let sum = total.decimal().ok_or_else(unreadable)?;
        let sum = sum.add(&*next.decimal().ok_or_else(unreadable)?);
        if !sum.fits() {
            return Err(EvalError::value("numeric out of range"));
        }
        total = Quantity::Made(sum);
    }
    Ok(total)
}

fn recast(value: Value<'_>, class: Class) -> Value<'_> {
    value
        .into_text()
        .map_or(Value::Null, |text| Value::Of { class, text })
}

fn sort<'a>(items: &mut Vec<Frame<'a>>, order: &'a [Order]) -> Result<(), EvalError> {
    if order.is_empty() {
        return Ok(());
    }
    let mut keyed = Vec::with_capacity(items.len());
    for item in items.drain(..) {
        let keys = order
            .iter()
            .map(|o| evaluate::value(&o.by, &item))
            .collect::<Result<Vec<_>, _>>()?;
        keyed.push((keys, item));
    }
    let mut failed = None;
    keyed.sort_by(|(a, _), (b, _)| {
        for (order, (a, b)) in order.iter().zip(a.iter().zip(b)) {
            let found = match (a.text(), b.text()) {
                (None, None) => Ordering::Equal,
                (None, Some(_)) if order.nulls_first => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some(_), None) if order.nulls_first => Ordering::Greater,
                (Some(_), None) => Ordering::Less,
                (Some(a), Some(b)) => match operators::compare(order.by.class(), a, b) {
                    Ok(found) if order.descending => found.reverse(),
                    Ok(found) => found,
                    Err(error) => {
                        failed = Some(error);
                        Ordering::Equal
                    }
                },
            };
            if found.is_ne() {
                return found;
            }
        }
        Ordering::Equal
    });
    items.extend(keyed.into_iter().map(|(_, item)| item));
    failed.map_or(Ok(()), Err)
}

//! Walks a plan over a row.

use std::cmp::Ordering;

use super::cast::{self, Context};
use super::error::EvalError;
use super::functions::Args;
use super::plan::{Node, Place, Plan};
use super::scope::{Env, Parts};
use super::value::Value;
use super::{aggregate, lookup, operators, quantity, rows};
use crate::cart::image::Row;
use crate::cart::layout::Layout;
use crate::sqltype::Class;

/// What a plan is evaluated over.
#[derive(Clone, Copy)]
pub struct Frame<'a> {
    pub env: Env<'a>,
    pub per: usize,
    /// The row that an aggregate has come to.
    pub item: Option<&'a Row>,
    pub parts: Parts<'a>,
}

type Given<'a> = Result<Value<'a>, EvalError>;

pub fn value<'a>(plan: &'a Plan, frame: &Frame<'a>) -> Given<'a> {
    if quantity::makes(plan) {
        return Ok(quantity::of(plan, frame)?.value(plan.class()));
    }
    match &plan.node {
        Node::Null => Ok(Value::Null),
        Node::Literal(text) => Ok(Value::of(plan.class(), text.as_str())),
        Node::Column {
            place,
            table,
            column,
        } => read(plan.class(), *place, *table, *column, frame),
        Node::Cast { of, to } => match value(of, frame)? {
            Value::Null => Ok(Value::Null),
            Value::Of { class, text } => {
                let text = cast::cast(text, class, to, Context::Explicit, frame.env.time_zone)?;
                Ok(Value::Of {
                    class: to.class,
                    text,
                })
            }
        },
        Node::Map { map, of } => match value(of, frame)?.text() {
            None => Ok(Value::Null),
            Some(text) => map.value(text),
        },
        Node::Call { .. } => call(plan, frame),
        Node::Negate(of) => match value(of, frame)?.text() {
            None => Ok(Value::Null),
            Some(text) => Ok(Value::of(
                plan.class(),
                operators::negate(plan.class(), text)?,
            )),
        },
        Node::Arithmetic { op, left, right } => {
            let (left, right) = (value(left, frame)?, value(right, frame)?);
            match (left.text(), right.text()) {
                (Some(left), Some(right)) => {
                    let text = operators::calculate(*op, plan.class(), left, right)?;
                    Ok(Value::of(plan.class(), text))
                }
                _ => Ok(Value::Null),
            }
        }
        Node::Compare { op, left, right } => {
            let order = order(left, right, frame)?;
            Ok(truth(order.map(|order| operators::holds(*op, order))))
        }
        Node::Distinct {
            left,
            right,
            negated,
        } => {
            let (a, b) = (value(left, frame)?, value(right, frame)?);
            let distinct = match (a.text(), b.text()) {
                (Some(a), Some(b)) => operators::compare(left.class(), a, b)?.is_ne(),
                (a, b) => a.is_some() != b.is_some(),
            };
            Ok(Value::bool(distinct != *negated))
        }
        Node::And(left, right) => junction(left, right, false, frame),
        Node::Or(left, right) => junction(left, right, true, frame),
        Node::Not(of) => Ok(truth(known(of, frame)?.map(|b| !b))),
        Node::IsNull { of, negated } => Ok(Value::bool(value(of, frame)?.is_null() != *negated)),
        Node::IsTruth { of, truth, negated } => {
            Ok(Value::bool((known(of, frame)? == *truth) != *negated))
        }
        Node::In { of, list, negated } => {
            contained(of, list, frame).map(|found| truth(found.map(|f| f != *negated)))
        }
        Node::Like {
            of,
            pattern,
            escape,
            fold,
            negated,
        } => {
            let (text, pattern) = (value(of, frame)?, value(pattern, frame)?);
            let (Some(text), Some(pattern)) = (text.text(), pattern.text()) else {
                return Ok(Value::Null);
            };
            let found = if *fold {
                operators::like(&text.to_lowercase(), &pattern.to_lowercase(), *escape)
            } else {
                operators::like(text, pattern, *escape)
            };
            let found = found
                .ok_or_else(|| EvalError::value("a like pattern must not end with its escape"))?;
            Ok(Value::bool(found != *negated))
        }
        Node::Case { arms, otherwise } => {
            for (when, then) in arms {
                if value(when, frame)?.is_true() {
                    return value(then, frame);
                }
            }
            otherwise
                .as_ref()
                .map_or(Ok(Value::Null), |plan| value(plan, frame))
        }
        Node::Coalesce(args) => {
            for arg in args {
                let found = value(arg, frame)?;
                if !found.is_null() {
                    return Ok(found);
                }
            }
            Ok(Value::Null)
        }
        Node::NullIf(left, right) => {
            // Both sides were brought to one class for the comparison; the left one is the value.
            match order(left, right, frame)? {
                Some(Ordering::Equal) => Ok(Value::Null),
                _ => value(left, frame),
            }
        }
        Node::Extreme { greatest, args } => extreme(*greatest, args, frame),
        Node::Aggregate(aggregate) => aggregate::value(aggregate, plan.class(), frame),
        Node::Lookup(call) => lookup::value(call, frame),
        Node::Item { key } => Ok(match (frame.parts.element, key) {
            (None, _) => Value::Null,
            (Some(element), true) => Value::of(plan.class(), element.key.as_str()),
            (Some(element), false) => Value::of(plan.class(), element.item.as_str()),
        }),
    }
}

fn truth(known: Option<bool>) -> Value<'static> {
    known.map_or(Value::Null, Value::bool)
}

/// A condition: true, false or unknown.
fn known<'a>(plan: &'a Plan, frame: &Frame<'a>) -> Result<Option<bool>, EvalError> {
    Ok(match value(plan, frame)? {
        Value::Null => None,
        value => Some(value.is_true()),
    })
}

/// `and`, `or`: `decides` on either side settles it.
fn junction<'a>(left: &'a Plan, right: &'a Plan, decides: bool, frame: &Frame<'a>) -> Given<'a> {
    let left = known(left, frame)?;
    if left == Some(decides) {
        return Ok(Value::bool(decides));
    }
    let right = known(right, frame)?;
    if right == Some(decides) {
        return Ok(Value::bool(decides));
    }
    Ok(truth(left.and(right)))
}

fn order<'a>(
    left: &'a Plan,
    right: &'a Plan,
    frame: &Frame<'a>,
) -> Result<Option<Ordering>, EvalError> {
    let (a, b) = (value(left, frame)?, value(right, frame)?);
    match (a.text(), b.text()) {
        (Some(a), Some(b)) => operators::compare(left.class(), a, b).map(Some),
        _ => Ok(None),
    }
}

fn contained<'a>(
    of: &'a Plan,
    list: &'a [Plan],
    frame: &Frame<'a>,
) -> Result<Option<bool>, EvalError> {
    let wanted = value(of, frame)?;
    let mut unknown = false;
    for item in list {
        // Beside a null, too, an item that fails fails the whole.
        match (wanted.text(), value(item, frame)?.text()) {
            (None, _) | (_, None) => unknown = true,
            (Some(wanted), Some(item)) => {
                if operators::compare(of.class(), wanted, item)?.is_eq() {
                    return Ok(Some(true));
                }
            }
        }
    }
    Ok((!unknown).then_some(false))
}

fn extreme<'a>(greatest: bool, args: &'a [Plan], frame: &Frame<'a>) -> Given<'a> {
    let mut best = Value::Null;
    for arg in args {
        let next = value(arg, frame)?;
        let better = match (best.text(), next.text()) {
            (_, None) => false,
            (None, Some(_)) => true,
            (Some(best), Some(next)) => {
                let order = operators::compare(arg.class(), next, best)?;
                if greatest {
                    order.is_gt()
                } else {
                    order.is_lt()
                }
            }
        };
        if better {
            best = next;
        }
    }
    Ok(best)
}

/// A function of the values of its arguments.
pub(super) fn call<'a>(plan: &'a Plan, frame: &Frame<'a>) -> Given<'a> {
    let Node::Call { function, args } = &plan.node else {
        return Ok(Value::Null);
    };
    let made = |values: &[Value<'a>]| -> Given<'a> {
        if function.strict && values.iter().any(Value::is_null) {
            return Ok(Value::Null);
        }
        let args = Args {
            function: function.name,
            values,
            env: &frame.env,
        };
        let text = (function.call)(&args)?;
        Ok(text.map_or(Value::Null, |text| Value::of(plan.class(), text)))
    };
    match args.as_slice() {
        [one] => made(&[value(one, frame)?]),
        [one, two] => made(&[value(one, frame)?, value(two, frame)?]),
        all => {
            let values = all.iter().map(|arg| value(arg, frame));
            made(&values.collect::<Result<Vec<_>, _>>()?)
        }
    }
}

fn read<'a>(
    class: Class,
    place: Place,
    table: usize,
    column: usize,
    frame: &Frame<'a>,
) -> Given<'a> {
    let env = &frame.env;
    let row = match place {
        Place::Row => Some(env.row),
        Place::Item => frame.item,
        Place::Header if frame.per == Layout::HEADER => Some(env.row),
        Place::Header => env.image.header(),
        Place::Parent => rows::parent(env, frame.per)?,
        Place::Only => match rows::belonging(env, frame.per, table)?.as_slice() {
            [] => None,
            [row] => Some(*row),
            _ => {
                let name = env
                    .layout
                    .tables
                    .get(table)
                    .map_or("", |t| t.alias.as_str());
                return Err(EvalError::Value(format!("more than one row of {name}")));
            }
        },
    };
    let (Some(row), Some(table)) = (row, env.layout.tables.get(table)) else {
        return Ok(Value::Null);
    };
    Ok(rows::cell(table, row, column)?.map_or(Value::Null, |text| Value::of(class, text)))
}

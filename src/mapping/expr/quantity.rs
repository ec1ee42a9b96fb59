//! Exact numbers on their way from operator to operator: what is made of others is printed once, at the
//! end, and not read again in between.

use std::borrow::Cow;

use super::aggregate;
use super::cast::{self, Context};
use super::decimal::Decimal;
use super::error::EvalError;
use super::evaluate::{self, Frame};
use super::functions::to_minor_units;
use super::operators;
use super::plan::{AggregateKind, Node, Plan};
use super::value::Value;
use crate::sqltype::{Class, SqlType};

pub enum Quantity<'a> {
    Null,
    /// As a column or a constant has it, and what is no finite number: it stays in its spelling where
    /// nothing is made of it.
    Given(Cow<'a, str>),
    /// It is spelled as it prints.
    Made(Decimal),
}

impl<'a> Quantity<'a> {
    fn text(value: Value<'a>) -> Self {
        value.into_text().map_or(Self::Null, Self::Given)
    }

    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// The number; none for what is no finite one, and for null.
    pub fn decimal(&self) -> Option<Cow<'_, Decimal>> {
        match self {
            Self::Null => None,
            Self::Given(text) => Decimal::parse(text).map(Cow::Owned),
            Self::Made(number) => Some(Cow::Borrowed(number)),
        }
    }

    pub fn value(self, class: Class) -> Value<'a> {
        match self {
            Self::Null => Value::Null,
            Self::Given(text) => Value::Of { class, text },
            Self::Made(number) => Value::of(class, number.to_string()),
        }
    }
}

/// Whether a plan gives such a number and makes it of others.
pub fn makes(plan: &Plan) -> bool {
    let exact = |class: Class| class.is_integer() || class == Class::Numeric;
    exact(plan.class())
        && match &plan.node {
            Node::Arithmetic { .. } => plan.class() == Class::Numeric,
            Node::Cast { of, to } => exact(of.class()) && to.class == plan.class(),
            Node::Coalesce(args) => args.iter().all(|arg| arg.class() == plan.class()),
            Node::Call { function, .. } => function.name == "minor_units",
            Node::Aggregate(aggregate) => {
                aggregate.kind == AggregateKind::Sum
                    && matches!(plan.class(), Class::Int8 | Class::Numeric)
            }
            _ => false,
        }
}

/// The number that a plan gives for a row.
pub fn of<'a>(plan: &'a Plan, frame: &Frame<'a>) -> Result<Quantity<'a>, EvalError> {
    match &plan.node {
        _ if !makes(plan) => evaluate::value(plan, frame).map(Quantity::text),
        Node::Arithmetic { op, left, right } => {
            let (left, right) = (of(left, frame)?, of(right, frame)?);
            if left.is_null() || right.is_null() {
                return Ok(Quantity::Null);
            }
            let numbers = (left.decimal(), right.decimal());
            operators::calculate_exactly(*op, numbers).map(Quantity::Made)
        }
        Node::Cast { of: inner, to } => converted(of(inner, frame)?, inner.class(), to, frame),
        Node::Coalesce(args) => {
            for arg in args {
                let found = of(arg, frame)?;
                if !found.is_null() {
                    return Ok(found);
                }
            }
            Ok(Quantity::Null)
        }
        Node::Call { args, .. } => {
            let [amount, currency] = args.as_slice() else {
                return evaluate::call(plan, frame).map(Quantity::text);
            };
            let (amount, currency) = (of(amount, frame)?, evaluate::value(currency, frame)?);
            let Some(currency) = currency.text().filter(|_| !amount.is_null()) else {
                return Ok(Quantity::Null);
            };
            let minor = to_minor_units(currency, || amount.decimal().map(Cow::into_owned))?;
            Ok(Quantity::Made(Decimal::new(minor, 0)))
        }
        Node::Aggregate(aggregate) => aggregate::sum(aggregate, plan.class(), frame),
        _ => evaluate::value(plan, frame).map(Quantity::text),
    }
}

/// One that was made is not printed to be read again.
fn converted<'a>(
    number: Quantity<'a>,
    from: Class,
    to: &SqlType,
    frame: &Frame<'a>,
) -> Result<Quantity<'a>, EvalError> {
    let number = match number {
        Quantity::Null => return Ok(Quantity::Null),
        Quantity::Made(number) => number,
        Quantity::Given(text) => {
            let text = cast::cast(text, from, to, Context::Explicit, frame.env.time_zone)?;
            return Ok(Quantity::Given(text));
        }
    };
    if from == to.class && from.is_integer() || to.class == Class::Numeric && to.numeric.is_none() {
        return Ok(Quantity::Made(number));
    }
    if to.class.is_integer() {
        let whole = number.to_i64().ok_or_else(|| cast::unfit(to))?;
        return cast::ranged(whole, to).map(|whole| Quantity::Made(Decimal::new(whole, 0)));
    }
    let text = Cow::Owned(number.to_string());
    let text = cast::cast(text, from, to, Context::Explicit, frame.env.time_zone)?;
    Ok(Quantity::Given(text))
}

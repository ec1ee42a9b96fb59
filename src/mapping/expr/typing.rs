//! How literals take a type and values of different classes meet (manual, chapter 10).

use chrono_tz::Tz;

use super::cast::{self, Context};
use super::moment::{self, Zone};
use super::plan::{Node, Plan};
use crate::sqltype::{Class, SqlType};

/// Gives a plan another class: a literal is read as it, anything else converted.
pub fn coerce(plan: Plan, to: Class) -> Result<Plan, String> {
    match plan.class {
        Some(class) if class == to => Ok(plan),
        Some(_) => Ok(Plan {
            class: Some(to),
            nullable: plan.nullable,
            span: plan.span.clone(),
            node: Node::Cast {
                of: Box::new(plan),
                to: SqlType::of(to),
            },
        }),
        None => literal(plan, &SqlType::of(to)),
    }
}

/// Reads a literal as a value of a type.
pub fn literal(plan: Plan, to: &SqlType) -> Result<Plan, String> {
    let node = match plan.node {
        Node::Literal(text) => {
            let read = cast::cast(
                text.as_str().into(),
                Class::Text,
                to,
                Context::Explicit,
                Tz::UTC,
            )
            .map_err(|_| format!("{text:?} is no {}", to.name))?;
            if to.class == Class::TimestampTz && zoneless(&text) {
                // Only the mapping knows what its clock means.
                let text = Plan {
                    node: Node::Literal(text),
                    class: Some(Class::Text),
                    nullable: false,
                    span: plan.span.clone(),
                };
                Node::Cast {
                    of: Box::new(text),
                    to: to.clone(),
                }
            } else {
                Node::Literal(read.into_owned())
            }
        }
        node => node,
    };
    Ok(Plan {
        node,
        class: Some(to.class),
        ..plan
    })
}

fn zoneless(text: &str) -> bool {
    matches!(moment::parse_timestamp(text), Some((_, Zone::None)))
}

/// The class that all of these become, as the server chooses it for `case`, `coalesce` and the
/// like: the first one, unless another takes more.
pub fn common<'p>(plans: impl Iterator<Item = &'p Plan>) -> Result<Class, (Class, Class)> {
    let mut chosen: Option<Class> = None;
    for class in plans.filter_map(|p| p.class) {
        chosen = Some(match chosen {
            None => class,
            Some(held)
                if matches!(
                    (held, class),
                    (Class::Time, Class::Interval) | (Class::Interval, Class::Time)
                ) =>
            {
                // Converted where an operator asks for it, but of different categories.
                return Err((held, class));
            }
            Some(held) if implicit(class, held) => held,
            Some(held) if implicit(held, class) => class,
            Some(held) => return Err((held, class)),
        });
    }
    Ok(chosen.unwrap_or(Class::Text))
}

/// The class in which two values are compared or calculated with.
pub fn operands(left: Option<Class>, right: Option<Class>) -> Option<Class> {
    let (left, right) = match (left, right) {
        (None, None) => return Some(Class::Text),
        (Some(one), None) | (None, Some(one)) => return Some(one),
        (Some(left), Some(right)) => (left, right),
    };
    if left == right {
        return Some(left);
    }
    if left.is_number() && right.is_number() && (left.is_float() || right.is_float()) {
        return Some(Class::Float8);
    }
    match (left, right) {
        (Class::Text, Class::Char) | (Class::Char, Class::Text) => Some(Class::Text),
        _ if implicit(left, right) => Some(right),
        _ if implicit(right, left) => Some(left),
        _ => None,
    }
}

/// Whether the server has a comparison of these two classes and need not convert either.
pub fn compared_as_is(left: Class, right: Class) -> bool {
    let moment = |class| matches!(class, Class::Date | Class::Timestamp | Class::TimestampTz);
    left == right
        || left.is_integer() && right.is_integer()
        || left.is_float() && right.is_float()
        // `real` has operators beside `double precision`, which any number becomes.
        || left == Class::Float4 && right.is_number()
        || moment(left) && moment(right)
}

pub fn implicit(from: Class, to: Class) -> bool {
    cast::context(from, to) == Some(Context::Implicit)
}

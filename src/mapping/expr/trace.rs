//! Which columns can be told back from a value: rows that differ in one of them differ in the value.

use super::plan::{Arithmetic, Node, Place, Plan};
use crate::sqltype::{Class, SqlType};

/// Reports the columns that a value of this plan holds, once it is a value of type `to`. It may
/// report too few, never too many.
pub fn held(plan: &Plan, to: &SqlType, see: &mut dyn FnMut(Place, usize, usize)) {
    let plain = SqlType::of(Class::Text);
    let whole = match to.length {
        // An assignment refuses what is too long, but for blanks at the end, which it cuts.
        Some(_) if is_text(to) => solid(plan) && faithful(plan.class(), &plain),
        _ => faithful(plan.class(), to),
    };
    if whole {
        inside(plan, see);
    }
}

/// The text of a value never ends in a blank.
fn solid(plan: &Plan) -> bool {
    match &plan.node {
        Node::Literal(text) => !text.ends_with(' '),
        Node::Call { function, args } => match function.name {
            "keyed_id" | "uuid_v5" => true,
            "||" => args.last().is_some_and(solid),
            _ => false,
        },
        Node::Cast { of, to } if is_text(to) && to.length.is_none() => solid(of),
        _ => plan.class().is_integer() || plan.class() == Class::Uuid,
    }
}

fn is_text(ty: &SqlType) -> bool {
    matches!(ty.base.as_str(), "text" | "character varying" | "varchar")
}

fn inside(plan: &Plan, see: &mut dyn FnMut(Place, usize, usize)) {
    match &plan.node {
        Node::Column {
            place,
            table,
            column,
        } => see(*place, *table, *column),
        // A cast cuts where an assignment refuses.
        Node::Cast { of, to } if faithful(of.class(), to) => inside(of, see),
        Node::Call { function, args } => match function.name {
            // A collision of these would be one of SHA-256, or of SHA-1 under a secret.
            "keyed_id" | "uuid_v5" => args.iter().for_each(|arg| inside(arg, see)),
            "||" => joined(plan, see),
            _ => {}
        },
        // Each key of a source row has its own.
        Node::Lookup(call) if call.lookup.allocated => {
            call.args.iter().for_each(|arg| inside(arg, see));
        }
        Node::Arithmetic { op, left, right } if !plan.class().is_float() => {
            let (constant, other) = match (constant(left), constant(right)) {
                (Some(constant), None) => (constant, right),
                (None, Some(constant)) => (constant, left),
                _ => return,
            };
            // What is out of the range is an error, and no other number.
            let kept = match op {
                Arithmetic::Add | Arithmetic::Subtract => true,
                Arithmetic::Multiply => {
                    plan.class().is_integer() && constant.parse().is_ok_and(|by: i64| by != 0)
                }
                Arithmetic::Divide | Arithmetic::Remainder => false,
            };
            if kept {
                inside(other, see);
            }
        }
        _ => {}
    }
}

/// The text of a literal without its sign, also of one that was cast.
fn constant(plan: &Plan) -> Option<&str> {
    match &plan.node {
        Node::Literal(text) => Some(text),
        Node::Cast { of, .. } | Node::Negate(of) => constant(of),
        _ => None,
    }
}

/// Whether different values of a class stay different as values of the type.
fn faithful(from: Class, to: &SqlType) -> bool {
    match (from, to.class) {
        (from, Class::Int2 | Class::Int4 | Class::Int8) => from.is_integer(),
        (from, Class::Numeric) => {
            from.is_integer() || from == Class::Numeric && to.numeric.is_none()
        }
        (Class::Text | Class::Numeric | Class::Uuid, Class::Text) => {
            is_text(to) && to.length.is_none()
        }
        (from, Class::Text) if from.is_integer() => is_text(to) && to.length.is_none(),
        (Class::Uuid, Class::Uuid) => true,
        _ => false,
    }
}

/// Texts that are joined hold their parts where it is clear where each one ends.
fn joined(plan: &Plan, see: &mut dyn FnMut(Place, usize, usize)) {
    let mut parts = Vec::new();
    flatten(plan, &mut parts);
    let varying: Vec<usize> = (0..parts.len())
        .filter(|&i| !matches!(parts[i].node, Node::Literal(_)))
        .collect();
    let ends = |&i: &usize| match bare(parts[i]).class() {
        Class::Uuid => true,
        class if class.is_integer() => matches!(
            parts.get(i + 1).map(|next| &next.node),
            Some(Node::Literal(text)) if text.starts_with(|c: char| !c.is_ascii_digit())
        ),
        _ => false,
    };
    // The last one ends where the text does, but for the literals that follow.
    let Some((_, before)) = varying.split_last() else {
        return;
    };
    if before.iter().all(ends) {
        varying.iter().for_each(|&i| inside(parts[i], see));
    }
}

fn flatten<'p>(plan: &'p Plan, parts: &mut Vec<&'p Plan>) {
    match &plan.node {
        Node::Call { function, args } if function.name == "||" => {
            args.iter().for_each(|arg| flatten(arg, parts));
        }
        _ => parts.push(plan),
    }
}

/// What was cast to be joined.
fn bare(plan: &Plan) -> &Plan {
    match &plan.node {
        Node::Cast { of, to } if faithful(of.class(), to) => bare(of),
        _ => plan,
    }
}

//! The quantity of a line that both sides may have changed: exact decimals, never a float.
//!
//! A line that a side does not have counts as 0 there.

use std::cmp::Ordering;

use super::clock::Later;
use crate::config::{FieldRule, QuantityRule};
use crate::mapping::expr::Decimal;
use crate::mapping::plan::{Line, MappedColumn};

/// A line's quantity as each side has it.
#[derive(Clone, Debug)]
pub(super) struct Numbers {
    pub base: Decimal,
    pub ours: Decimal,
    pub theirs: Decimal,
}

/// Who changed it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Changed {
    Source,
    Target,
    Both,
}

/// What it becomes.
#[derive(Clone, Debug)]
pub(super) struct Quantity {
    pub value: Decimal,
    pub rule: &'static str,
    pub changed: Changed,
    /// Its value holds the whole quantities of both sides.
    pub joined: bool,
}

/// The rule for a quantity: a column's own goes before that of the mapping.
pub(super) fn rule(column: &MappedColumn, general: QuantityRule) -> QuantityRule {
    match column.merge {
        Some(FieldRule::Source) => QuantityRule::Source,
        Some(FieldRule::Target) => QuantityRule::Target,
        Some(FieldRule::Latest) => QuantityRule::Latest,
        None => general,
    }
}

pub(super) fn merge(
    rule: QuantityRule,
    line: &Line,
    numbers: &Numbers,
    joined: bool,
    later: Later,
) -> Quantity {
    let Numbers { base, ours, theirs } = numbers;
    let alone = |value: &Decimal, changed| Quantity {
        value: value.clone(),
        rule: "",
        changed,
        joined,
    };
    if ours == base {
        return alone(theirs, Changed::Target);
    }
    if theirs == base {
        return alone(ours, Changed::Source);
    }
    let by_difference = || theirs.add(&ours.sub(base));
    let (value, name) = match rule {
        QuantityRule::Both => (by_difference(), "both"),
        // Once added up, the line has all that the source had: what comes later is a difference.
        QuantityRule::Sum if joined => (by_difference(), "sum, by difference"),
        QuantityRule::Sum => (ours.add(theirs), "sum"),
        QuantityRule::Max => (ours.max(theirs).clone(), "max"),
        QuantityRule::Source => (ours.clone(), "source"),
        QuantityRule::Target => (theirs.clone(), "target"),
        QuantityRule::Latest => match later.of(ours, theirs) {
            Ordering::Less => (theirs.clone(), "latest: target"),
            _ => (ours.clone(), "latest: source"),
        },
    };
    let joined = joined || rule == QuantityRule::Sum;
    // A side that has more than the most already is not cut for it.
    let most = Decimal::new(line.max_quantity, 0);
    let most = most.max(ours.clone()).max(theirs.clone());
    let (value, rule) = match value {
        value if value > most => (most, "max_quantity"),
        value if value.is_negative() => (Decimal::new(0, 0), "none left"),
        value => (value, name),
    };
    Quantity {
        value,
        rule,
        changed: Changed::Both,
        joined,
    }
}

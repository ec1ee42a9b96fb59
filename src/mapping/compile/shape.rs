//! `per = "each(…)"` and `group`: what a target row stands for, where that is not one source row.

use std::sync::Arc;

use super::report::Report;
use crate::config;
use crate::mapping::expr::{Expr, Scope, Shaped};
use crate::mapping::lookup::Lookup;
use crate::mapping::plan::{KeyColumn, Shape};

/// None where something in it is wrong, or where the source's tables are not all known.
pub(super) fn compile(
    into: &config::Into,
    scope: Option<Scope<'_>>,
    lookups: &[Arc<Lookup>],
    report: &mut Report<'_>,
) -> Option<Shape> {
    let scope = scope?;
    let payload = match &into.each {
        Some(each) => Some(payload(each, &scope, report)?),
        None => None,
    };
    let rows = Shaped {
        item: payload.as_ref().and_then(Expr::item_class),
        group: None,
        lookups,
    };
    let mut group = Vec::new();
    for text in &into.group {
        let Some(expr) = report.shaped(text, &scope, rows) else {
            continue;
        };
        if !expr.groups() {
            let message = format!("rows cannot be grouped by {}", expr.ty().name());
            report.error(text, message, "a number, a text, a date, or a cast to one");
        }
        group.push(expr);
    }
    (group.len() == into.group.len()).then_some(Shape { payload, group })
}

fn payload(each: &config::Each, scope: &Scope<'_>, report: &mut Report<'_>) -> Option<Expr> {
    let expr = Expr::compile(each.payload(), scope)
        .map_err(|mistakes| report.mistakes_within(&each.written, each.payload.start, mistakes))
        .ok()?;
    if expr.item_class().is_none() {
        let message = format!("the payload is {}", expr.ty().name());
        report.error(&each.written, message, "JSON: an array or an object");
        return None;
    }
    Some(expr)
}

/// What names mean in expressions for a target row of this shape.
pub(super) fn names(shape: &Shape) -> Shaped<'_> {
    Shaped {
        item: shape.payload.as_ref().and_then(Expr::item_class),
        group: (!shape.group.is_empty()).then_some(shape.group.as_slice()),
        lookups: &[],
    }
}

/// The key tells elements, or groups, apart.
pub(super) fn check_key(
    into: &config::Into,
    shape: &Shape,
    key: &[KeyColumn],
    report: &mut Report<'_>,
) {
    let written = |name: &str| into.columns.iter().find(|c| c.name.get_ref() == name);
    if !shape.group.is_empty() {
        for column in key.iter().filter(|column| column.expr.gathers_group()) {
            if let Some(written) = written(&column.name) {
                let message = "an aggregate over the group cannot be its key";
                report.error(&written.value, message, "an expression that is in `group`");
            }
        }
        return;
    }
    let complete = key.len() == into.columns.iter().filter(|c| c.key).count();
    if shape.payload.is_some()
        && complete
        && !key.iter().any(|k| k.expr.names_element())
        && let Some(first) = key.first().and_then(|k| written(&k.name))
    {
        let message = "all elements of one payload would have the same key";
        let expected = "`item_key` or a part of `item` in it";
        report.error(&first.value, message, expected);
    }
}

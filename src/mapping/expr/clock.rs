//! Dates, times and intervals at load: their literals, their arithmetic, and `extract`.

use std::ops::Range;

use sqlparser::ast;

use super::compile::Compiler;
use super::functions::extract;
use super::plan::{Arithmetic, Node, Plan};
use crate::sqltype::Class;

/// Whether arithmetic with a class is that of the calendar.
pub fn tells_time(class: Class) -> bool {
    use Class::*;
    matches!(
        class,
        Date | Time | TimeTz | Timestamp | TimestampTz | Interval
    )
}

impl Compiler<'_> {
    /// `interval '30 days'`.
    pub fn interval(&mut self, interval: &ast::Interval, span: Range<usize>) -> Option<Plan> {
        if interval.leading_field.is_some() || interval.leading_precision.is_some() {
            return self.fail(span, "write the unit into the literal: interval '3 days'");
        }
        let text = match &*interval.value {
            ast::Expr::Value(value) => self.value(&value.value, span.clone())?,
            _ => return self.fail(span, "an interval is written interval '3 days'"),
        };
        let ty = ast::DataType::Interval {
            fields: None,
            precision: None,
        };
        self.cast(text, &ty, span)
    }

    /// `extract(field from value)`.
    pub fn extract(
        &mut self,
        field: &ast::DateTimeField,
        of: &ast::Expr,
        span: Range<usize>,
    ) -> Option<Plan> {
        let of = self.plan(of)?;
        let Some(class) = of.class.filter(|class| tells_time(*class)) else {
            let class = of.class().name();
            return self.fail(of.span, format!("extract takes no {class}: cast it"));
        };
        let word = field.to_string();
        let Some(known) = extract::field(&word, class) else {
            let word = word.to_lowercase();
            return self.fail(span, format!("{} has no field {word}", class.name()));
        };
        let field = Node::Literal(known.to_owned());
        let field = Plan::new(field, Class::Text, false, span.clone());
        self.invoke("extract", vec![field, of], span)
    }

    /// Arithmetic of which one side at least is a date, a time or an interval.
    pub fn calendar(
        &mut self,
        op: Arithmetic,
        left: Plan,
        right: Plan,
        span: Range<usize>,
    ) -> Option<Plan> {
        // The server, too, cannot tell what a plain literal beside a date or a time of day is.
        let several = |one: &Plan, other: &Plan| {
            op == Arithmetic::Add
                && one.class.is_none()
                && matches!(other.class, Some(Class::Date | Class::Time))
        };
        if several(&left, &right) || several(&right, &left) {
            return self.fail(span, "say what the literal is: interval '1 day'");
        }
        if op == Arithmetic::Add && left.class == Some(Class::Time) && right.class == left.class {
            return self.fail(
                span,
                "two times of day cannot be added: cast one to interval",
            );
        }
        if op == Arithmetic::Remainder {
            return self.fail(span, "dates, times and intervals have no remainder");
        }
        self.invoke(op.sign(), vec![left, right], span)
    }
}

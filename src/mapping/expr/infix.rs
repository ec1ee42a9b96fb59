//! Signs, and the operators that stand between two operands.

use std::ops::Range;

use sqlparser::ast::{self, BinaryOperator, UnaryOperator};

use super::compile::Compiler;
use super::plan::{Arithmetic, Comparison, Node, Plan};
use super::{clock, operators, typing};
use crate::sqltype::Class;

impl Compiler<'_> {
    pub fn unary(&mut self, op: UnaryOperator, of: &ast::Expr, span: Range<usize>) -> Option<Plan> {
        if op == UnaryOperator::Not {
            let of = self.condition(of)?;
            let nullable = of.nullable;
            return Some(Plan::new(
                Node::Not(Box::new(of)),
                Class::Bool,
                nullable,
                span,
            ));
        }
        let of = self.plan(of)?;
        // A time of day has no sign, but the interval has one that it becomes.
        let of = match (op, of.class) {
            (UnaryOperator::Minus, Some(Class::Time)) => self.coerce(of, Class::Interval)?,
            _ => of,
        };
        match (op, of.class) {
            (UnaryOperator::Plus, Some(class)) if class.is_number() => Some(of),
            (UnaryOperator::Minus, Some(class))
                if class.is_number() || class == Class::Interval =>
            {
                let nullable = of.nullable;
                Some(Plan::new(Node::Negate(Box::new(of)), class, nullable, span))
            }
            (UnaryOperator::Plus | UnaryOperator::Minus, _) => {
                self.fail(span, "a sign needs a number")
            }
            _ => self.fail(
                span,
                format!("the operator {op} is not part of the language"),
            ),
        }
    }

    pub fn binary(
        &mut self,
        left: &ast::Expr,
        op: &BinaryOperator,
        right: &ast::Expr,
        span: Range<usize>,
    ) -> Option<Plan> {
        use BinaryOperator as B;
        let arithmetic = match op {
            B::Plus => Arithmetic::Add,
            B::Minus => Arithmetic::Subtract,
            B::Multiply => Arithmetic::Multiply,
            B::Divide => Arithmetic::Divide,
            B::Modulo => Arithmetic::Remainder,
            B::Eq => return self.compare(left, Comparison::Equal, right, span),
            B::NotEq => return self.compare(left, Comparison::NotEqual, right, span),
            B::Lt => return self.compare(left, Comparison::Less, right, span),
            B::LtEq => return self.compare(left, Comparison::LessOrEqual, right, span),
            B::Gt => return self.compare(left, Comparison::Greater, right, span),
            B::GtEq => return self.compare(left, Comparison::GreaterOrEqual, right, span),
            B::And | B::Or => {
                let (left, right) = (self.condition(left), self.condition(right));
                let (left, right) = (Box::new(left?), Box::new(right?));
                let nullable = left.nullable || right.nullable;
                let node = if *op == B::And {
                    Node::And(left, right)
                } else {
                    Node::Or(left, right)
                };
                return Some(Plan::new(node, Class::Bool, nullable, span));
            }
            B::StringConcat => return self.concatenate(left, right, span),
            B::Arrow => return self.named("->", &[left, right], span),
            B::LongArrow => return self.named("->>", &[left, right], span),
            B::HashLongArrow if !matches!(right, ast::Expr::Value(_)) => {
                return self.fail(span, "the path right of #>> is a literal: '{a,0}'");
            }
            B::HashLongArrow => return self.named("#>>", &[left, right], span),
            other => {
                return self.fail(
                    span,
                    format!("the operator {other} is not part of the language"),
                );
            }
        };
        let (left, right) = (self.plan(left), self.plan(right));
        self.arithmetic(arithmetic, left?, right?, span)
    }

    pub fn arithmetic(
        &mut self,
        op: Arithmetic,
        left: Plan,
        right: Plan,
        span: Range<usize>,
    ) -> Option<Plan> {
        if left.class.is_some_and(clock::tells_time) || right.class.is_some_and(clock::tells_time) {
            return self.calendar(op, left, right, span);
        }
        let class = match typing::operands(left.class, right.class) {
            Some(class)
                if class.is_number() && !(class.is_float() && op == Arithmetic::Remainder) =>
            {
                class
            }
            _ => {
                let (left, right) = (left.class().name(), right.class().name());
                return self.fail(span, format!("no arithmetic of {left} and {right}"));
            }
        };
        let nullable = left.nullable || right.nullable;
        let (left, right) = (self.coerce(left, class), self.coerce(right, class));
        let node = Node::Arithmetic {
            op,
            left: Box::new(left?),
            right: Box::new(right?),
        };
        Some(Plan::new(node, class, nullable, span))
    }

    /// Brings two values to the class in which they are compared.
    pub fn pair(
        &mut self,
        left: Plan,
        right: Plan,
        ordered: bool,
        span: &Range<usize>,
    ) -> Option<(Plan, Plan)> {
        let comparable = |class: Class| {
            if ordered {
                operators::orders(class)
            } else {
                operators::equates(class)
            }
        };
        match typing::operands(left.class, right.class) {
            Some(class) if comparable(class) => {
                self.check_label(&left, &right);
                self.check_label(&right, &left);
                let (left, right) = (self.coerce(left, class), self.coerce(right, class));
                Some((left?, right?))
            }
            found => {
                let (a, b) = (left.class().name(), right.class().name());
                let hint = if found.is_some() {
                    ": cast them to text"
                } else {
                    ""
                };
                self.fail(
                    span.clone(),
                    format!("{a} and {b} cannot be compared so{hint}"),
                )
            }
        }
    }

    /// A literal beside an enum's column must be one of its labels.
    fn check_label(&mut self, column: &Plan, literal: &Plan) {
        let (Node::Column { table, column, .. }, Node::Literal(text), None) =
            (&column.node, &literal.node, literal.class)
        else {
            return;
        };
        let labels = &self.scope.layout.tables[*table].columns[*column].ty.labels;
        if !labels.is_empty() && !labels.contains(text) {
            let message = format!("{text:?} is none of the labels {}", labels.join(", "));
            self.fail::<()>(literal.span.clone(), message);
        }
    }
}

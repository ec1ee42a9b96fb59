//! The forms of SQL that are neither operators nor calls: comparisons, `in`, `case` and the like.

use std::ops::Range;

use sqlparser::ast;

use super::compile::Compiler;
use super::plan::{Comparison, Node, Plan};
use super::typing;
use crate::sqltype::Class;

impl Compiler<'_> {
    pub fn compare(
        &mut self,
        left: &ast::Expr,
        op: Comparison,
        right: &ast::Expr,
        span: Range<usize>,
    ) -> Option<Plan> {
        let (left, right) = (self.plan(left), self.plan(right));
        self.compared(left?, op, right?, span)
    }

    fn compared(
        &mut self,
        left: Plan,
        op: Comparison,
        right: Plan,
        span: Range<usize>,
    ) -> Option<Plan> {
        let ordered = !matches!(op, Comparison::Equal | Comparison::NotEqual);
        let (left, right) = self.pair(left, right, ordered, &span)?;
        let nullable = left.nullable || right.nullable;
        let node = Node::Compare {
            op,
            left: Box::new(left),
            right: Box::new(right),
        };
        Some(Plan::new(node, Class::Bool, nullable, span))
    }

    pub fn distinct(
        &mut self,
        left: &ast::Expr,
        right: &ast::Expr,
        negated: bool,
        span: Range<usize>,
    ) -> Option<Plan> {
        let (left, right) = (self.plan(left), self.plan(right));
        let (left, right) = self.pair(left?, right?, false, &span)?;
        let node = Node::Distinct {
            left: Box::new(left),
            right: Box::new(right),
            negated,
        };
        Some(Plan::new(node, Class::Bool, false, span))
    }

    pub fn is_null(&mut self, of: &ast::Expr, negated: bool, span: Range<usize>) -> Option<Plan> {
        let of = Box::new(self.plan(of)?);
        Some(Plan::new(
            Node::IsNull { of, negated },
            Class::Bool,
            false,
            span,
        ))
    }

    pub fn is_truth(
        &mut self,
        of: &ast::Expr,
        truth: Option<bool>,
        negated: bool,
        span: Range<usize>,
    ) -> Option<Plan> {
        let of = Box::new(self.condition(of)?);
        Some(Plan::new(
            Node::IsTruth { of, truth, negated },
            Class::Bool,
            false,
            span,
        ))
    }

    pub fn in_list(
        &mut self,
        of: &ast::Expr,
        list: &[ast::Expr],
        negated: bool,
        span: Range<usize>,
    ) -> Option<Plan> {
        let of = self.plan(of);
        let list: Vec<Option<Plan>> = list.iter().map(|item| self.plan(item)).collect();
        let mut of = of?;
        let list = list.into_iter().collect::<Option<Vec<_>>>()?;
        // All are compared in one class, the widest.
        for item in &list {
            let item = self.copy(item)?;
            of = self.pair(of, item, false, &span)?.0;
        }
        let mut items = Vec::with_capacity(list.len());
        for item in list {
            let same = self.copy(&of)?;
            items.push(self.pair(same, item, false, &span)?.1);
        }
        let nullable = of.nullable || items.iter().any(|i| i.nullable);
        let node = Node::In {
            of: Box::new(of),
            list: items,
            negated,
        };
        Some(Plan::new(node, Class::Bool, nullable, span))
    }

    pub fn between(
        &mut self,
        of: &ast::Expr,
        negated: bool,
        low: &ast::Expr,
        high: &ast::Expr,
        span: Range<usize>,
    ) -> Option<Plan> {
        let (of, low, high) = (self.plan(of), self.plan(low), self.plan(high));
        let (of, low, high) = (of?, low?, high?);
        let (from, to) = match negated {
            false => (Comparison::GreaterOrEqual, Comparison::LessOrEqual),
            true => (Comparison::Less, Comparison::Greater),
        };
        let same = self.copy(&of)?;
        let from = self.compared(same, from, low, span.clone());
        let to = self.compared(of, to, high, span.clone());
        let (from, to) = (Box::new(from?), Box::new(to?));
        let nullable = from.nullable || to.nullable;
        let node = if negated {
            Node::Or(from, to)
        } else {
            Node::And(from, to)
        };
        Some(Plan::new(node, Class::Bool, nullable, span))
    }

    pub fn like(
        &mut self,
        of: &ast::Expr,
        pattern: &ast::Expr,
        escape: Option<&ast::Expr>,
        fold: bool,
        negated: bool,
        span: Range<usize>,
    ) -> Option<Plan> {
        let (of, pattern) = (self.plan(of), self.plan(pattern));
        let (of, pattern) = (self.text(of?), self.text(pattern?));
        let escape = match escape {
            None => Some('\\'),
            Some(given) => match self.plan(given)?.node {
                Node::Literal(text) if text.chars().count() <= 1 => text.chars().next(),
                _ => return self.fail(span, "the escape of like is one character"),
            },
        };
        let (of, pattern) = (Box::new(of?), Box::new(pattern?));
        let nullable = of.nullable || pattern.nullable;
        let node = Node::Like {
            of,
            pattern,
            escape,
            fold,
            negated,
        };
        Some(Plan::new(node, Class::Bool, nullable, span))
    }

    /// A value that must be text already.
    fn text(&mut self, plan: Plan) -> Option<Plan> {
        match plan.class {
            // `character(n)` is matched with its blanks, as the server does.
            None | Some(Class::Text) => self.coerce(plan, Class::Text),
            Some(Class::Char) => Some(plan),
            Some(class) => self.fail(
                plan.span,
                format!("like takes text, and this is {}", class.name()),
            ),
        }
    }

    pub fn case(
        &mut self,
        operand: Option<&ast::Expr>,
        conditions: &[ast::CaseWhen],
        otherwise: Option<&ast::Expr>,
        span: Range<usize>,
    ) -> Option<Plan> {
        let operand = match operand {
            Some(operand) => Some(self.plan(operand)?),
            None => None,
        };
        let (mut whens, mut results) = (Vec::new(), Vec::new());
        for arm in conditions {
            whens.push(match &operand {
                None => self.condition(&arm.condition),
                Some(operand) => self.plan(&arm.condition).and_then(|value| {
                    let span = value.span.clone();
                    let same = self.copy(operand)?;
                    self.compared(same, Comparison::Equal, value, span)
                }),
            });
            results.push(self.plan(&arm.result));
        }
        if let Some(otherwise) = otherwise {
            results.push(self.plan(otherwise));
        }
        let whens = whens.into_iter().collect::<Option<Vec<_>>>()?;
        let results = results.into_iter().collect::<Option<Vec<_>>>()?;
        let nullable = otherwise.is_none() || results.iter().any(|r| r.nullable);
        // The server asks ELSE first for the common type.
        let mut results = results;
        results.rotate_right(usize::from(otherwise.is_some()));
        let (class, results) = self.alike(results, "case", &span)?;
        let mut results = results.into_iter();
        let otherwise = otherwise
            .as_ref()
            .and_then(|_| results.next().map(Box::new));
        let arms = whens.into_iter().zip(results).collect();
        Some(Plan::new(
            Node::Case { arms, otherwise },
            class,
            nullable,
            span,
        ))
    }

    /// Brings values to their common class.
    pub fn alike(
        &mut self,
        plans: Vec<Plan>,
        what: &str,
        span: &Range<usize>,
    ) -> Option<(Class, Vec<Plan>)> {
        match typing::common(plans.iter()) {
            Ok(class) => {
                let plans: Vec<Option<Plan>> =
                    plans.into_iter().map(|p| self.coerce(p, class)).collect();
                Some((class, plans.into_iter().collect::<Option<Vec<_>>>()?))
            }
            Err((a, b)) => {
                let message = format!(
                    "{what} gives {} here and {} there: cast one",
                    a.name(),
                    b.name()
                );
                self.fail(span.clone(), message)
            }
        }
    }

    /// `||`: of two values at least one must be text.
    pub fn concatenate(
        &mut self,
        left: &ast::Expr,
        right: &ast::Expr,
        span: Range<usize>,
    ) -> Option<Plan> {
        let (left, right) = (self.plan(left), self.plan(right));
        let (left, right) = (left?, right?);
        let text = |p: &Plan| matches!(p.class, None | Some(Class::Text | Class::Char));
        // Of these the server has an operator of its own, or may have one.
        let own = |p: &Plan| matches!(p.class, Some(Class::Jsonb | Class::Bytea | Class::Other));
        if !text(&left) && !text(&right) || own(&left) || own(&right) {
            let (left, right) = (left.class().name(), right.class().name());
            return self.fail(
                span,
                format!("|| joins texts, and this is {left} and {right}: cast them to text"),
            );
        }
        let (left, right) = (
            self.coerce(left, Class::Text),
            self.coerce(right, Class::Text),
        );
        self.invoke("||", vec![left?, right?], span)
    }
}

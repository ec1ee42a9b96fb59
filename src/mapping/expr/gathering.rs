//! Compiling an aggregate: what stands within its parentheses and after them, and what it gives.

use std::ops::Range;

use sqlparser::ast::{
    Expr, Function as Call, FunctionArg, FunctionArgExpr, FunctionArgumentClause,
    FunctionArguments, ObjectNamePart, OrderBySort,
};

use super::compile::Compiler;
use super::names::{self, Reach};
use super::operators;
use super::plan::{Aggregate, AggregateKind, Node, Order, Plan};
use crate::sqltype::Class;

/// What stands within an aggregate's parentheses and after them.
struct Gathered {
    args: Vec<Plan>,
    filter: Option<Plan>,
    order: Vec<Order>,
}

impl Compiler<'_> {
    pub(super) fn aggregate(
        &mut self,
        kind: AggregateKind,
        name: &str,
        count: usize,
        call: &Call,
        span: Range<usize>,
    ) -> Option<Plan> {
        if self.gathering.is_some() {
            return self.fail(span, "an aggregate cannot stand inside another");
        }
        // The rows of a group are each the row itself to what stands within.
        let shaped = self.shaped;
        let group = self.shaped.group.take().is_some();
        self.gathering = (!group).then_some(None);
        let found = self.gathered(kind, name, count, call, &span, group);
        self.shaped = shaped;
        let table = match group {
            true => Some(self.scope.per),
            false => self.gathering.take().flatten(),
        };
        let Gathered {
            args,
            filter,
            order,
        } = found?;
        let Some(table) = table else {
            return self.fail(
                span,
                format!(
                    "`{name}` must name a table whose rows belong to this one: {name}(table.column)"
                ),
            );
        };
        let (args, class) = self.result(kind, name, args, &span)?;
        let nullable = match kind {
            AggregateKind::Count | AggregateKind::Exists => false,
            // A group has a row.
            _ if group && filter.is_none() => args.iter().any(|arg| arg.nullable),
            _ => true,
        };
        let aggregate = Aggregate {
            kind,
            table,
            group,
            args,
            filter,
            order,
        };
        Some(Plan::new(
            Node::Aggregate(Box::new(aggregate)),
            class,
            nullable,
            span,
        ))
    }

    fn gathered(
        &mut self,
        kind: AggregateKind,
        name: &str,
        count: usize,
        call: &Call,
        span: &Range<usize>,
        group: bool,
    ) -> Option<Gathered> {
        let FunctionArguments::List(list) = &call.args else {
            return self.fail(span.clone(), format!("`{name}` needs arguments"));
        };
        if list.args.len() != count {
            return self.fail(span.clone(), format!("`{name}` takes {count} argument(s)"));
        }
        let mut args = Vec::new();
        for arg in &list.args {
            let counts = matches!(kind, AggregateKind::Count | AggregateKind::Exists);
            if group && counts && matches!(arg, FunctionArg::Unnamed(FunctionArgExpr::Wildcard)) {
                continue;
            }
            if let Some(table) = self.whole_table(arg).filter(|_| !group) {
                self.gather(table, span)?;
                if !counts {
                    return self.fail(
                        span.clone(),
                        format!("`{name}` takes a column, not a table"),
                    );
                }
                continue;
            }
            let FunctionArg::Unnamed(FunctionArgExpr::Expr(arg)) = arg else {
                let message = match group {
                    true => format!("`{name}` takes a column of the group's rows"),
                    false => format!("`{name}` must name its table: {name}(table.*)"),
                };
                return self.fail(span.clone(), message);
            };
            if kind == AggregateKind::Exists {
                let message = match group {
                    true => "in a group it is `exists(*) filter (where …)`",
                    false => "`exists` takes a table: exists(table.*) filter (where …)",
                };
                return self.fail(span.clone(), message);
            }
            args.push(self.plan(arg));
        }
        let filter = call.filter.as_ref().map(|f| self.condition(f));
        let mut order = Vec::new();
        for clause in &list.clauses {
            let FunctionArgumentClause::OrderBy(by) = clause else {
                return self.fail(span.clone(), "only `order by` may follow the arguments");
            };
            for by in by {
                let Some(plan) = self.plan(&by.expr) else {
                    continue;
                };
                let class = plan.class();
                if !operators::orders(class) {
                    return self.fail(plan.span, format!("{} has no order", class.name()));
                }
                let descending = match &by.options.sort {
                    None | Some(OrderBySort::Asc) => false,
                    Some(OrderBySort::Desc) => true,
                    Some(_) => return self.fail(plan.span, "the order is `asc` or `desc`"),
                };
                order.push(Order {
                    by: plan,
                    descending,
                    nulls_first: by.options.nulls_first.unwrap_or(descending),
                });
            }
        }
        let args = args.into_iter().collect::<Option<Vec<_>>>()?;
        let filter = match filter {
            Some(filter) => Some(filter?),
            None => None,
        };
        Some(Gathered {
            args,
            filter,
            order,
        })
    }

    /// `t.*`, or `t` where it is no column.
    fn whole_table(&mut self, arg: &FunctionArg) -> Option<usize> {
        let name = match arg {
            FunctionArg::Unnamed(FunctionArgExpr::QualifiedWildcard(name)) => {
                match name.0.as_slice() {
                    [ObjectNamePart::Identifier(name)] => name,
                    _ => return None,
                }
            }
            FunctionArg::Unnamed(FunctionArgExpr::Expr(Expr::Identifier(name))) => {
                let own = &self.scope.layout.tables[self.scope.per];
                if names::column(own, name).is_ok() {
                    return None;
                }
                name
            }
            _ => return None,
        };
        match names::reach(&self.scope, name, true) {
            Ok(Reach::Rows(table)) => Some(table),
            _ => None,
        }
    }

    /// The arguments as the aggregate takes them, and what it gives.
    fn result(
        &mut self,
        kind: AggregateKind,
        name: &str,
        args: Vec<Plan>,
        span: &Range<usize>,
    ) -> Option<(Vec<Plan>, Class)> {
        use AggregateKind::*;
        let class = args.first().map_or(Class::Bool, Plan::class);
        let (takes, gives) = match kind {
            Exists => (class, Class::Bool),
            Count => (class, Class::Int8),
            First => (class, class),
            JsonAgg | JsonObjectAgg => {
                self.check_json(name, &args)?;
                (class, Class::Json)
            }
            Sum => match class {
                Class::Int2 | Class::Int4 => (class, Class::Int8),
                Class::Int8 => (class, Class::Numeric),
                class if class.is_number() => (class, class),
                class => {
                    return self.fail(span.clone(), format!("{} cannot be summed", class.name()));
                }
            },
            Min | Max if operators::orders(class) => (class, class),
            Min | Max => return self.fail(span.clone(), format!("{} has no order", class.name())),
            StringAgg if matches!(class, Class::Text | Class::Char) => (Class::Text, Class::Text),
            BoolOr if class == Class::Bool => (Class::Bool, Class::Bool),
            StringAgg | BoolOr => {
                return self.fail(
                    span.clone(),
                    format!("`{name}` does not take {}", class.name()),
                );
            }
        };
        let mut coerced = Vec::with_capacity(args.len());
        for (i, arg) in args.into_iter().enumerate() {
            let to = match (i, kind) {
                (0, _) => takes,
                (_, StringAgg) => Class::Text,
                _ => arg.class(),
            };
            coerced.push(self.coerce(arg, to)?);
        }
        Some((coerced, gives))
    }
}

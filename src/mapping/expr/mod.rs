//! The SQL expression language of the mapping: checked and typed once, evaluated over a cart's image.
//!
//! A text passes through the modules in this order: `parse` gives a tree, `compile` (with `infix`,
//! `forms`, `clock` and `calls`) finds names and types and makes a `plan`, `evaluate` walks it over a row, and
//! `bind` fits the value into a column of the target.

mod aggregate;
mod bind;
mod bounds;
mod calendar;
mod calls;
mod cast;
mod clock;
mod compile;
mod condition;
mod currency;
mod decimal;
mod depends;
mod digits;
mod error;
mod evaluate;
pub(crate) mod float;
mod forms;
mod functions;
mod gathering;
mod infix;
mod interval;
mod inverse;
pub(crate) mod json;
mod lookup;
mod moment;
mod names;
mod nesting;
mod operators;
mod parse;
mod payload;
mod plan;
mod quantity;
mod render;
mod rows;
mod scope;
mod trace;
mod typing;
mod value;
mod value_map;
mod words;

pub use bind::{Assign, assignable, bind, canonical, literal_fits};
pub use calls::{function_names, is_function, is_keyword};
pub use condition::TargetCondition;
pub use decimal::Decimal;
pub use depends::{Depends, Pair};
pub use error::{EvalError, ExprError};
pub use functions::IdKey;
pub use inverse::Back;
pub use moment::{Zone, parse_timestamp, to_utc};
pub use parse::named_tables;
pub use scope::{Element, Env, Member, Parts, Scope, Shaped};
pub use value::Value;
pub use value_map::{Unknown, ValueMap};

use std::borrow::Cow;
use std::sync::Arc;

use crate::cart::layout::Layout;
use crate::sqltype::{Class, SqlType};
use plan::{Node, Place, Plan};

/// A compiled expression.
#[derive(Clone, Debug)]
pub struct Expr {
    plan: Plan,
    per: usize,
    layout: Arc<Layout>,
    depends: Depends,
}

impl Expr {
    /// Parses and checks `text`; all mistakes at once.
    pub fn compile(text: &str, scope: &Scope<'_>) -> Result<Expr, Vec<ExprError>> {
        Self::compile_shaped(text, scope, Shaped::default())
    }

    /// The same where a row is an element of a payload, or stands for a group.
    pub fn compile_shaped(
        text: &str,
        scope: &Scope<'_>,
        shaped: Shaped<'_>,
    ) -> Result<Expr, Vec<ExprError>> {
        Self::compile_with(text, scope, shaped, &[])
    }

    /// The same, with maps that it may call.
    pub fn compile_with(
        text: &str,
        scope: &Scope<'_>,
        shaped: Shaped<'_>,
        maps: &[Arc<ValueMap>],
    ) -> Result<Expr, Vec<ExprError>> {
        let plan = compile::compile(text, scope, shaped, maps)?;
        Ok(Self::of(plan, scope.per, Arc::new(scope.layout.clone())))
    }

    fn of(plan: Plan, per: usize, layout: Arc<Layout>) -> Self {
        Self {
            depends: Depends::of(&plan, &layout, per),
            plan,
            per,
            layout,
        }
    }

    /// What its value depends on.
    pub fn depends(&self) -> &Depends {
        &self.depends
    }

    /// The value for a row.
    pub fn evaluate<'a>(&'a self, env: &Env<'a>) -> Result<Value<'a>, EvalError> {
        self.evaluate_shaped(env, Parts::default())
    }

    /// The value for an element of a payload, or for a group by one of its rows.
    pub fn evaluate_shaped<'a>(
        &'a self,
        env: &Env<'a>,
        parts: Parts<'a>,
    ) -> Result<Value<'a>, EvalError> {
        let frame = evaluate::Frame {
            env: *env,
            per: self.per,
            item: None,
            parts,
        };
        evaluate::value(&self.plan, &frame)
    }

    pub fn ty(&self) -> Class {
        self.plan.class()
    }

    /// The type of its values with what is known of their length or digits.
    pub fn sql_type(&self) -> SqlType {
        match &self.plan.node {
            Node::Column { table, column, .. } => {
                self.layout.tables[*table].columns[*column].ty.clone()
            }
            Node::Cast { to, .. } => to.clone(),
            Node::Map { map, .. } => map.sql_type(),
            Node::Lookup(call) => Self::lookup_type(call),
            Node::Literal(text) if matches!(self.ty(), Class::Text) => SqlType {
                length: text.chars().count().try_into().ok(),
                ..SqlType::of(Class::Text)
            },
            _ => SqlType::of(self.ty()),
        }
    }

    pub fn nullable(&self) -> bool {
        self.plan.nullable
    }

    /// Reports each `(table, column)` that a value depends on, the key and parent columns by which
    /// other rows are found included. Counting a table reports its key columns.
    pub fn reads(&self, report: &mut impl FnMut(usize, usize)) {
        self.plan.walk(&mut |plan| match &plan.node {
            Node::Column {
                place,
                table,
                column,
            } => {
                report(*table, *column);
                match place {
                    Place::Parent => self.reads_parent(report),
                    Place::Only | Place::Item => self.reads_rows(*table, report),
                    Place::Row | Place::Header => {}
                }
            }
            Node::Aggregate(aggregate) if aggregate.group => {}
            Node::Aggregate(aggregate) => self.reads_rows(aggregate.table, report),
            _ => {}
        });
    }

    fn reads_parent(&self, report: &mut impl FnMut(usize, usize)) {
        if let Some((parent, by)) = &self.layout.tables[self.per].parent {
            by.iter().for_each(|c| report(self.per, *c));
            self.layout.tables[*parent]
                .key
                .iter()
                .for_each(|c| report(*parent, *c));
        }
    }

    fn reads_rows(&self, table: usize, report: &mut impl FnMut(usize, usize)) {
        self.layout.tables[table]
            .key
            .iter()
            .for_each(|c| report(table, *c));
        if self.per != Layout::HEADER {
            self.layout.tables[self.per]
                .key
                .iter()
                .for_each(|c| report(self.per, *c));
            if let Some((_, by)) = &self.layout.tables[table].parent {
                by.iter().for_each(|c| report(table, *c));
            }
        }
    }

    /// Reports the columns, of the row itself or of the header, that can be told back from a value
    /// in a column of type `to`; perhaps not all of them.
    pub fn holds(&self, to: &SqlType, report: &mut impl FnMut(usize, usize)) {
        trace::held(&self.plan, to, &mut |place, table, column| match place {
            Place::Row | Place::Header => report(table, column),
            Place::Parent | Place::Only | Place::Item => {}
        });
    }

    /// It tells the elements of a payload apart: `item` or `item_key` is part of it.
    pub fn names_element(&self) -> bool {
        let mut names = false;
        self.plan
            .walk(&mut |plan| names |= matches!(plan.node, Node::Item { .. }));
        names
    }

    /// It goes over the rows of a group.
    pub fn gathers_group(&self) -> bool {
        let mut gathers = false;
        self.plan.walk(&mut |plan| {
            gathers |= matches!(&plan.node, Node::Aggregate(aggregate) if aggregate.group);
        });
        gathers
    }

    /// The maps that it calls.
    pub fn maps(&self) -> Vec<&ValueMap> {
        let mut maps: Vec<&ValueMap> = Vec::new();
        self.plan.walk(&mut |plan| {
            if let Node::Map { map, .. } = &plan.node {
                maps.push(map);
            }
        });
        maps
    }

    /// Whether what the new backend writes into a column of type `to` can be carried back to the
    /// column that this is made of.
    pub fn back(&self, to: &SqlType) -> Back {
        inverse::back(&self.plan, &self.sql_type(), to)
    }

    pub fn calls_lookups(&self) -> bool {
        let mut calls = false;
        self.plan
            .walk(&mut |plan| calls |= matches!(plan.node, Node::Lookup(_)));
        calls
    }

    pub fn uses_secret(&self) -> bool {
        let mut uses = false;
        self.plan.walk(&mut |plan| {
            if let Node::Call { function, .. } = &plan.node {
                uses |= matches!(function.name, "keyed_id" | "uuid_v5");
            }
        });
        uses
    }

    /// It is this column of the row, its header or its parent, and nothing else.
    pub fn is_column(&self, table: usize, column: usize) -> bool {
        matches!(&self.plan.node, Node::Column { table: t, column: c, .. } if (*t, *c) == (table, column))
    }

    /// The value of a literal, which is known before any row is.
    pub fn literal(&self) -> Option<Value<'_>> {
        let negative = |of: &'_ Plan| match &of.node {
            Node::Literal(text) if of.class().is_number() => Some(format!("-{text}")),
            _ => None,
        };
        let text = match &self.plan.node {
            Node::Literal(text) => Cow::Borrowed(text.as_str()),
            Node::Negate(of) => Cow::Owned(negative(of)?),
            _ => return None,
        };
        Some(Value::of(self.ty(), text))
    }

    pub fn is_null_literal(&self) -> bool {
        matches!(self.plan.node, Node::Null)
    }

    /// A condition in the source's SQL over a header row `row_alias` that holds wherever this one
    /// does: the parts of which Postgres means the same and none can fail.
    pub fn pushdown(&self, row_alias: &str) -> Option<String> {
        render::Render {
            layout: &self.layout,
            alias: row_alias,
            item: None,
            total: true,
        }
        .wide(&self.plan)
    }
}

impl Expr {
    /// The same for a source of MySQL or MariaDB; its sessions set no mode that reads it otherwise.
    pub fn pushdown_to_mysql(&self, row_alias: &str) -> Option<String> {
        render::mysql::MysqlRender {
            layout: &self.layout,
            alias: row_alias,
            item: None,
        }
        .wide(&self.plan)
    }
}

#[cfg(test)]
mod fuzz;
#[cfg(test)]
mod tests;

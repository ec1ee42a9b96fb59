//! From the parsed tree to the typed plan: names found, types checked, every mistake reported.

use std::ops::Range;
use std::sync::Arc;

use sqlparser::ast::{self, Ident, Spanned};

use super::Expr;
use super::cast;
use super::error::ExprError;
use super::names::{self, Reach};
use super::parse;
use super::plan::{Node, Place, Plan};
use super::scope::{Scope, Shaped};
use super::typing;
use super::value_map::ValueMap;
use crate::cart::layout::Layout;
use crate::sqltype::{Class, SqlType};

/// Compiles `text`; all mistakes that can be told apart are reported.
pub fn compile(
    text: &str,
    scope: &Scope<'_>,
    shaped: Shaped<'_>,
    maps: &[Arc<ValueMap>],
) -> Result<Plan, Vec<ExprError>> {
    let parsed = parse::parse(text).map_err(|e| vec![e])?;
    let mut compiler = Compiler {
        scope: *scope,
        maps,
        text,
        errors: Vec::new(),
        gathering: None,
        shaped,
        copied: 0,
    };
    match compiler.plan(&parsed) {
        Some(plan) if compiler.errors.is_empty() => Ok(plan),
        _ => Err(compiler.errors),
    }
}

/// Forms that name an operand several times copy its plan; nested in each other they would make of
/// a short text a plan without end.
const MAX_COPIED: usize = 100_000;

pub struct Compiler<'a> {
    pub scope: Scope<'a>,
    pub maps: &'a [Arc<ValueMap>],
    pub text: &'a str,
    pub errors: Vec<ExprError>,
    /// Inside an aggregate: the table over whose rows it goes, once it is named.
    pub gathering: Option<Option<usize>>,
    pub shaped: Shaped<'a>,
    /// Parts of plans that were copied so far.
    copied: usize,
}

impl Compiler<'_> {
    /// Reports a mistake; the plan above is given up, its other parts are still checked.
    pub fn fail<T>(&mut self, span: Range<usize>, message: impl Into<String>) -> Option<T> {
        self.errors.push(ExprError {
            span,
            message: message.into(),
        });
        None
    }

    /// A copy of a plan, unless too much has been copied.
    pub fn copy(&mut self, plan: &Plan) -> Option<Plan> {
        let (most, copied) = (MAX_COPIED, &mut self.copied);
        plan.walk(&mut |_| *copied += 1);
        match self.copied > most {
            true => self.fail(plan.span.clone(), "too large with what stands around it"),
            false => Some(plan.clone()),
        }
    }

    pub fn span(&self, of: &impl Spanned) -> Range<usize> {
        parse::bytes(self.text, of.span())
    }

    pub fn plan(&mut self, expr: &ast::Expr) -> Option<Plan> {
        if let Some(group) = self.shaped.group
            && let Some(plan) = self.grouped(expr, group)
        {
            return Some(plan);
        }
        self.part(expr)
    }

    /// A grouping expression has one value for the whole group, that of any of its rows.
    fn grouped(&mut self, expr: &ast::Expr, group: &[Expr]) -> Option<Plan> {
        let (shaped, errors) = (self.shaped, self.errors.len());
        self.shaped.group = None;
        let plan = self.part(expr);
        self.shaped = shaped;
        self.errors.truncate(errors);
        plan.filter(|plan| group.iter().any(|expr| expr.plan == *plan))
    }

    /// The rows of a group have many values here.
    fn ungrouped(&mut self, span: Range<usize>) -> Option<Plan> {
        let shown = self.text.get(span.clone()).unwrap_or_default();
        let message = format!("`{shown}` must be in `group` or in an aggregate");
        self.fail(span, message)
    }

    fn part(&mut self, expr: &ast::Expr) -> Option<Plan> {
        use ast::Expr::*;
        let span = self.span(expr);
        match expr {
            Nested(inner) => self.plan(inner),
            Identifier(name) => self.bare(name, span),
            CompoundIdentifier(names) => self.qualified(names, span),
            Value(value) => self.value(&value.value, span),
            TypedString(typed) => {
                let value = self.value(&typed.value.value, span.clone())?;
                self.cast(value, &typed.data_type, span)
            }
            Interval(interval) => self.interval(interval, span),
            Extract { field, expr, .. } => self.extract(field, expr, span),
            UnaryOp { op, expr } => self.unary(*op, expr, span),
            BinaryOp { left, op, right } => self.binary(left, op, right, span),
            IsNull(of) => self.is_null(of, false, span),
            IsNotNull(of) => self.is_null(of, true, span),
            IsTrue(of) => self.is_truth(of, Some(true), false, span),
            IsNotTrue(of) => self.is_truth(of, Some(true), true, span),
            IsFalse(of) => self.is_truth(of, Some(false), false, span),
            IsNotFalse(of) => self.is_truth(of, Some(false), true, span),
            IsUnknown(of) => self.is_truth(of, None, false, span),
            IsNotUnknown(of) => self.is_truth(of, None, true, span),
            IsDistinctFrom(left, right) => self.distinct(left, right, false, span),
            IsNotDistinctFrom(left, right) => self.distinct(left, right, true, span),
            In {
                expr,
                target: ast::InTarget::List(list),
                negated,
                global: false,
            } => self.in_list(expr, list, *negated, span),
            Between {
                expr,
                negated,
                low,
                high,
            } => self.between(expr, *negated, low, high, span),
            Like {
                negated,
                any: false,
                expr,
                pattern,
                escape_char,
            } => self.like(expr, pattern, escape_char.as_deref(), false, *negated, span),
            ILike {
                negated,
                any: false,
                expr,
                pattern,
                escape_char,
            } => self.like(expr, pattern, escape_char.as_deref(), true, *negated, span),
            Case {
                operand,
                conditions,
                else_result,
                ..
            } => self.case(operand.as_deref(), conditions, else_result.as_deref(), span),
            Cast {
                kind: ast::CastKind::Cast | ast::CastKind::DoubleColon,
                expr,
                data_type,
                format: None,
            } => {
                let value = self.plan(expr)?;
                self.cast(value, data_type, span)
            }
            AtTimeZone {
                timestamp,
                time_zone,
            } => self.named("timezone", &[time_zone, timestamp], span),
            Ceil {
                expr,
                field: ast::CeilFloorKind::DateTimeField(ast::DateTimeField::NoDateTime),
            } => self.named("ceil", &[expr], span),
            Floor {
                expr,
                field: ast::CeilFloorKind::DateTimeField(ast::DateTimeField::NoDateTime),
            } => self.named("floor", &[expr], span),
            Substring {
                expr,
                substring_from: Some(from),
                substring_for,
                special: _,
                shorthand: _,
            } => match substring_for {
                Some(length) => self.named("substring", &[expr, from, length], span),
                None => self.named("substring", &[expr, from], span),
            },
            Trim {
                trim_where,
                trim_what,
                expr,
                trim_characters,
            } => {
                let name = match trim_where {
                    Some(ast::TrimWhereField::Leading) => "ltrim",
                    Some(ast::TrimWhereField::Trailing) => "rtrim",
                    _ => "btrim",
                };
                match (trim_what, trim_characters.as_deref()) {
                    (None, None) => self.named(name, &[expr], span),
                    (Some(what), None) => self.named(name, &[expr, what], span),
                    (None, Some([what])) => self.named(name, &[expr, what], span),
                    _ => self.fail(span, "trim takes a text and the characters to cut"),
                }
            }
            Function(function) => self.function(function, span),
            CompoundFieldAccess { root, access_chain } => self.access(root, access_chain, span),
            Exists { .. } | Subquery(_) | In { .. } => {
                self.fail(span, "subqueries are not part of the language")
            }
            other => {
                let shown: String = other.to_string().chars().take(40).collect();
                self.fail(span, format!("`{shown}` is not part of the language"))
            }
        }
    }

    fn bare(&mut self, name: &Ident, span: Range<usize>) -> Option<Plan> {
        let table = &self.scope.layout.tables[self.scope.per];
        let keyword =
            |word: &str| name.quote_style.is_none() && name.value.eq_ignore_ascii_case(word);
        if let Some(class) = self.shaped.item {
            let item = [("item", class), ("item_key", Class::Text)];
            if let Some((word, class)) = item.into_iter().find(|(word, _)| keyword(word)) {
                let key = word == "item_key";
                return match self.shaped.group {
                    Some(_) => self.ungrouped(span),
                    None => Some(Plan::new(Node::Item { key }, class, false, span)),
                };
            }
        }
        match names::column(table, name) {
            Ok(_) if self.has_many(Place::Row) => self.ungrouped(span),
            Ok(column) => Some(self.column(Place::Row, self.scope.per, column, span)),
            Err(message) => self.fail(span, message),
        }
    }

    fn qualified(&mut self, parts: &[Ident], span: Range<usize>) -> Option<Plan> {
        let [table, name] = parts else {
            return self.fail(span, "a column is written `name` or `table.name`");
        };
        let (place, index) = match names::reach(&self.scope, table, self.gathering.is_some()) {
            Ok(Reach::Row(place, _)) if self.has_many(place) => return self.ungrouped(span),
            Ok(Reach::Rows(_)) if self.has_many(Place::Only) => return self.ungrouped(span),
            Ok(Reach::Row(place, index)) => (place, index),
            Ok(Reach::Rows(index)) => (self.gather(index, &span)?, index),
            Err(message) => return self.fail(span, message),
        };
        match names::column(&self.scope.layout.tables[index], name) {
            Ok(column) => Some(self.column(place, index, column, span)),
            Err(message) => self.fail(span, message),
        }
    }

    /// The rows of a group differ in this: all but their cart's header.
    fn has_many(&self, place: Place) -> bool {
        let header = match place {
            Place::Row => self.scope.per == Layout::HEADER,
            Place::Header => true,
            Place::Parent | Place::Only | Place::Item => false,
        };
        self.shaped.group.is_some() && !header
    }

    /// Notes that rows of a table are named: the rows of the aggregate around, if there is one.
    pub fn gather(&mut self, table: usize, span: &Range<usize>) -> Option<Place> {
        match self.gathering {
            None => Some(Place::Only),
            Some(None) => {
                self.gathering = Some(Some(table));
                Some(Place::Item)
            }
            Some(Some(held)) if held == table => Some(Place::Item),
            Some(Some(_)) => {
                self.fail(span.clone(), "an aggregate goes over the rows of one table")
            }
        }
    }

    fn column(&self, place: Place, table: usize, column: usize, span: Range<usize>) -> Plan {
        let found = &self.scope.layout.tables[table].columns[column];
        let absent = match place {
            Place::Parent | Place::Only => true,
            // One that is made is there as long as a row is.
            Place::Header => !self.scope.layout.header().is_made(),
            Place::Row | Place::Item => false,
        };
        let nullable = !found.not_null || absent;
        let node = Node::Column {
            place,
            table,
            column,
        };
        Plan::new(node, found.ty.class, nullable, span)
    }

    pub fn value(&mut self, value: &ast::Value, span: Range<usize>) -> Option<Plan> {
        use ast::Value::*;
        let literal = |text: &str, class: Class| {
            Plan::new(Node::Literal(text.to_owned()), class, false, span.clone())
        };
        match value {
            Number(text, false) => {
                let class = match text.parse::<i64>() {
                    Ok(n) if i32::try_from(n).is_ok() => Class::Int4,
                    Ok(_) => Class::Int8,
                    Err(_) => Class::Numeric,
                };
                match cast::input(text, &SqlType::of(class), cast::Context::Explicit) {
                    Ok(text) => Some(literal(&text, class)),
                    Err(_) => self.fail(span, "not a number"),
                }
            }
            SingleQuotedString(text) | EscapedStringLiteral(text) | UnicodeStringLiteral(text) => {
                Some(Plan {
                    class: None,
                    ..literal(text, Class::Text)
                })
            }
            DollarQuotedString(text) => Some(Plan {
                class: None,
                ..literal(&text.value, Class::Text)
            }),
            Boolean(value) => Some(literal(if *value { "t" } else { "f" }, Class::Bool)),
            Null => Some(Plan {
                node: Node::Null,
                class: None,
                nullable: true,
                span,
            }),
            _ => self.fail(span, "this kind of literal is not part of the language"),
        }
    }

    pub fn coerce(&mut self, plan: Plan, to: Class) -> Option<Plan> {
        let span = plan.span.clone();
        typing::coerce(plan, to)
            .map_err(|message| self.fail::<()>(span, message))
            .ok()
    }

    /// Compiles a condition.
    pub fn condition(&mut self, expr: &ast::Expr) -> Option<Plan> {
        let plan = self.plan(expr)?;
        match plan.class {
            None | Some(Class::Bool) => self.coerce(plan, Class::Bool),
            Some(class) => self.fail(
                plan.span,
                format!("a condition must be boolean, and this is {}", class.name()),
            ),
        }
    }

    pub fn cast(
        &mut self,
        value: Plan,
        data_type: &ast::DataType,
        span: Range<usize>,
    ) -> Option<Plan> {
        let to = SqlType::parse(&data_type.to_string().to_lowercase());
        // An interval of some fields would have to be cut to them.
        let of_fields = to.class == Class::Interval && to.base != Class::Interval.name();
        if matches!(to.class, Class::Inet | Class::Other | Class::Enum) || of_fields {
            return self.fail(span, format!("expressions cannot cast to {}", to.name));
        }
        let Some(from) = value.class else {
            let literal = typing::literal(value, &to).map(|p| Plan {
                span: span.clone(),
                ..p
            });
            return literal
                .map_err(|message| self.fail::<()>(span, message))
                .ok();
        };
        if cast::context(from, to.class).is_none() {
            return self.fail(
                span,
                format!("{} cannot be cast to {}", from.name(), to.name),
            );
        }
        let (class, nullable) = (to.class, value.nullable);
        Some(Plan::new(
            Node::Cast {
                of: Box::new(value),
                to,
            },
            class,
            nullable,
            span,
        ))
    }
}

//! Calls of lookups: `variant(sku)`, `variant(sku).id`.

use std::ops::Range;

use sqlparser::ast::{self, Ident};

use super::Expr;
use super::cast;
use super::compile::Compiler;
use super::error::EvalError;
use super::evaluate::{self, Frame};
use super::names;
use super::plan::{Node, Plan};
use super::value::Value;
use crate::cart::answers::{Given, Question};
use crate::mapping::lookup::{Lack, Lookup};
use crate::sqltype::{Class, SqlType};
use crate::switch::{Mutant, mutant};

/// A call of a lookup.
#[derive(Clone, Debug, PartialEq)]
pub struct LookupCall {
    /// Index of the lookup in the mapping.
    pub index: usize,
    pub lookup: std::sync::Arc<Lookup>,
    pub args: Vec<Plan>,
    /// Index into what it gets.
    pub column: usize,
}

impl Compiler<'_> {
    /// The lookup of this name, if there is one.
    pub fn lookup_named(&self, name: &str) -> Option<usize> {
        let mut lookups = self.shaped.lookups.iter();
        lookups.position(|l| !l.allocated && l.name == name)
    }

    /// `allocated('table', …)`: the key that a row of the target has or gets.
    pub fn allocated(&mut self, args: &[&ast::Expr], span: Range<usize>) -> Option<Plan> {
        let written = match args.first() {
            Some(ast::Expr::Value(value)) => match &value.value {
                ast::Value::SingleQuotedString(table) => Some(table.clone()),
                _ => None,
            },
            _ => None,
        };
        let Some(table) = written else {
            let message = "`allocated` is called with the name of a target table, as a text, and the \
                           key of a source row: allocated('order', id)";
            return self.fail(span, message);
        };
        let lookups = self.shaped.lookups;
        let named =
            |is: &dyn Fn(&Lookup) -> bool| lookups.iter().position(|l| l.allocated && is(l));
        let found = named(&|l| l.name == table)
            .or_else(|| named(&|l| l.full_name() == table))
            .or_else(|| named(&|l| l.table == table));
        let Some(index) = found else {
            let there = lookups.iter().filter(|l| l.allocated);
            let there: Vec<&str> = there.map(|l| l.name.as_str()).collect();
            let message = match there.is_empty() {
                true => format!(
                    "no [[into]] has keys of `{table}` allocated: write id = {{ allocated = true }} \
                     in its columns"
                ),
                false => format!(
                    "no [[into]] has keys of `{table}` allocated; there are {}",
                    there.join(", ")
                ),
            };
            return self.fail(span, message);
        };
        self.lookup(index, &args[1..], None, span)
    }

    /// `lookup(args).column`; other accesses to parts are not part of the language.
    pub fn access(
        &mut self,
        root: &ast::Expr,
        chain: &[ast::AccessExpr],
        span: Range<usize>,
    ) -> Option<Plan> {
        if let (ast::Expr::Function(call), [ast::AccessExpr::Dot(ast::Expr::Identifier(column))]) =
            (root, chain)
            && let [ast::ObjectNamePart::Identifier(name)] = call.name.0.as_slice()
        {
            return match self.lookup_named(&name.value.to_lowercase()) {
                Some(index) => {
                    let args = self.plain_args(call, &span)?;
                    self.lookup(index, &args, Some(column), span)
                }
                None => self.fail(span, format!("there is no lookup `{}`", name.value)),
            };
        }
        self.fail(span, "only a lookup's columns are named after a dot")
    }

    pub fn lookup(
        &mut self,
        index: usize,
        args: &[&ast::Expr],
        column: Option<&Ident>,
        span: Range<usize>,
    ) -> Option<Plan> {
        let lookup = self.shaped.lookups[index].clone();
        let args: Vec<Option<Plan>> = args.iter().map(|a| self.plan(a)).collect();
        let args = args.into_iter().collect::<Option<Vec<_>>>()?;
        if args.len() != lookup.matches.len() {
            let names: Vec<&str> = lookup.matches.iter().map(|c| c.name.as_str()).collect();
            let message = match lookup.allocated {
                true => format!(
                    "a key of `{0}` is that of a row with ({1}): allocated('{0}', {1})",
                    lookup.name,
                    names.join(", ")
                ),
                false => format!("`{}` is called with ({})", lookup.name, names.join(", ")),
            };
            return self.fail(span, message);
        }
        let column = match column {
            Some(name) => {
                let get = lookup.get.iter().map(|c| c.name.as_str());
                match names::find(name, get) {
                    Ok(column) => column,
                    Err(_) => {
                        let message = format!("`{}` does not get a column {name}", lookup.name);
                        return self.fail(span, message);
                    }
                }
            }
            None if lookup.get.len() == 1 => 0,
            None => {
                let message = format!(
                    "`{0}` gets several columns: write {0}(…).{1}",
                    lookup.name,
                    lookup.get.first().map_or("", |c| c.name.as_str())
                );
                return self.fail(span, message);
            }
        };
        let mut given = Vec::with_capacity(args.len());
        for (arg, matched) in args.into_iter().zip(&lookup.matches) {
            given.push(self.argument(arg, &lookup, matched.ty.class, &matched.name)?);
        }
        let nulls = [lookup.missing, lookup.ambiguous].contains(&Lack::Null);
        let found = &lookup.get[column];
        let nullable = nulls || !found.not_null || given.iter().any(|arg| arg.nullable);
        let class = found.ty.class;
        let call = LookupCall {
            index,
            lookup,
            args: given,
            column,
        };
        Some(Plan::new(
            Node::Lookup(Box::new(call)),
            class,
            nullable,
            span,
        ))
    }

    /// An argument as a value of the column that it is compared with.
    fn argument(&mut self, arg: Plan, lookup: &Lookup, to: Class, column: &str) -> Option<Plan> {
        let Some(from) = arg.class else {
            return self.coerce(arg, to);
        };
        let allowed = cast::context(from, to).is_some_and(|c| c <= cast::Context::Assignment);
        if from != to && !allowed {
            let message = format!(
                "`{}` matches {column}, which is {}, and this is {}: write cast(… as {0})",
                lookup.name,
                to.name(),
                from.name(),
            );
            let message = message.replace("{0}", to.name());
            return self.fail(arg.span, message);
        }
        self.coerce(arg, to)
    }
}

/// The value of a call by the answers of the image. A null argument matches nothing and is not asked
/// for: the call is null.
pub fn value<'a>(call: &'a LookupCall, frame: &Frame<'a>) -> Result<Value<'a>, EvalError> {
    let mut args: Vec<Box<str>> = Vec::with_capacity(call.args.len());
    for (arg, matched) in call.args.iter().zip(&call.lookup.matches) {
        match evaluate::value(arg, frame)?.text() {
            None => return Ok(Value::Null),
            Some(text) => args.push(matched.ty.key_text(text).into()),
        }
    }
    let question = Question {
        lookup: call.index,
        args: args.into(),
    };
    let answers = &frame.env.image.answers;
    match answers.find(&question) {
        Some(Given::Row(cells)) => {
            let class = call.lookup.get[call.column].ty.class;
            let text = cells.get(call.column).and_then(|cell| cell.text());
            Ok(text.map_or(Value::Null, |text| Value::of(class, text)))
        }
        Some(Given::Missing) => lacking(call.lookup.missing, &call.lookup, "finds no row"),
        Some(Given::Ambiguous) => lacking(
            call.lookup.ambiguous,
            &call.lookup,
            "finds more than one row",
        ),
        None if answers.is_probe() => Ok(Value::Null),
        None => Err(EvalError::Unasked(call.lookup.name.clone())),
    }
}

fn lacking(lack: Lack, lookup: &Lookup, what: &str) -> Result<Value<'static>, EvalError> {
    let message = || match lookup.allocated {
        true => format!("a key of {} is not allocated yet", lookup.full_name()),
        false => format!("lookup `{}` {what} in {}", lookup.name, lookup.full_name()),
    };
    match lack {
        Lack::Null => Ok(Value::Null),
        Lack::Skip => Err(EvalError::Skip),
        Lack::Hold if mutant(Mutant::MissingIsNull) => Ok(Value::Null),
        Lack::Hold if lookup.allocated => Err(EvalError::Unallocated(message())),
        Lack::Hold => Err(EvalError::Unknown(message())),
        Lack::Error => Err(EvalError::Stop(message())),
    }
}

impl Expr {
    /// It calls a lookup.
    pub fn asks(&self) -> bool {
        let mut asks = false;
        self.plan
            .walk(&mut |plan| asks |= matches!(plan.node, Node::Lookup(_)));
        asks
    }

    pub(super) fn lookup_type(call: &LookupCall) -> SqlType {
        call.lookup.get[call.column].ty.clone()
    }
}

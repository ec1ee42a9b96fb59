//! Calls: functions by name and arguments, the forms that look like functions, and aggregates.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use sqlparser::ast::{
    Expr, Function as Call, FunctionArg, FunctionArgExpr, FunctionArguments, ObjectNamePart,
};

use super::compile::Compiler;
use super::functions::{self, Function, Takes};
use super::names;
use super::plan::{AggregateKind, Arithmetic, Node, Plan};
use super::value_map::{Unknown, ValueMap};
use super::{cast, operators, typing, words};
use crate::sqltype::Class;

const AGGREGATES: &[(&str, AggregateKind, usize)] = &[
    ("count", AggregateKind::Count, 1),
    ("sum", AggregateKind::Sum, 1),
    ("min", AggregateKind::Min, 1),
    ("max", AggregateKind::Max, 1),
    ("first", AggregateKind::First, 1),
    ("string_agg", AggregateKind::StringAgg, 2),
    ("json_agg", AggregateKind::JsonAgg, 1),
    ("json_object_agg", AggregateKind::JsonObjectAgg, 2),
    ("bool_or", AggregateKind::BoolOr, 1),
    ("exists", AggregateKind::Exists, 1),
];

const FORMS: &[&str] = &[
    "coalesce", "nullif", "greatest", "least", "mod", "trim", "cast", "case",
];

/// Words that stand before parentheses in an expression and are no call.
const KEYWORDS: &[&str] = &[
    "and",
    "any",
    "all",
    "as",
    "array",
    "at",
    "between",
    "by",
    "collate",
    "distinct",
    "else",
    "end",
    "extract",
    "false",
    "filter",
    "from",
    "ilike",
    "in",
    "interval",
    "is",
    "like",
    "not",
    "null",
    "or",
    "order",
    "overlay",
    "position",
    "row",
    "select",
    "similar",
    "substring",
    "then",
    "time",
    "timestamp",
    "trim",
    "true",
    "try_cast",
    "unique",
    "when",
    "where",
    "with",
    "header",
    "parent",
    "item",
    "item_key",
    "cart",
];

/// Names by which something is called, operators left out; of each, whether Postgres has the same.
pub fn function_names() -> BTreeMap<&'static str, bool> {
    let named = |f: &&'static Function| f.name.starts_with(|c: char| c.is_alphabetic());
    let own = functions::all().filter(named).map(|f| (f.name, f.sql));
    let aggregates = AGGREGATES.iter().map(|(name, ..)| (*name, true));
    let forms = FORMS
        .iter()
        .filter(|form| !matches!(**form, "cast" | "case"));
    own.chain(aggregates)
        .chain(forms.map(|form| (*form, true)))
        .collect()
}

/// The key that a row of the target has or gets.
const ALLOCATED: &str = "allocated";

/// Whether expressions know a function of this name.
pub fn is_function(name: &str) -> bool {
    let lower = name.to_lowercase();
    let named = |known: &str| known == lower;
    spelled(&lower) != lower
        || functions::all().any(|f| named(f.name))
        || AGGREGATES.iter().any(|(n, ..)| named(n))
        || FORMS.iter().any(|n| named(n))
        || named(ALLOCATED)
}

/// Whether a name in an expression would not be taken for that of a map.
pub fn is_keyword(name: &str) -> bool {
    KEYWORDS.iter().any(|word| word.eq_ignore_ascii_case(name))
}

/// Other spellings that the server has too.
fn spelled(name: &str) -> &str {
    match name {
        "substr" => "substring",
        "ceiling" => "ceil",
        "char_length" | "character_length" => "length",
        "trim" => "btrim",
        name => name,
    }
}

impl Compiler<'_> {
    pub fn function(&mut self, call: &Call, span: Range<usize>) -> Option<Plan> {
        let [ObjectNamePart::Identifier(name)] = call.name.0.as_slice() else {
            return self.fail(span, "a function is called by a plain name");
        };
        let name_span = super::parse::bytes(self.text, name.span);
        let lower = name.value.to_lowercase();
        let list = match &call.args {
            FunctionArguments::List(list) => list,
            _ => {
                return self.fail(
                    span,
                    format!("`{lower}` is called with arguments in parentheses"),
                );
            }
        };
        if call.over.is_some()
            || call.null_treatment.is_some()
            || !call.within_group.is_empty()
            || call.uses_odbc_syntax
            || !matches!(call.parameters, FunctionArguments::None)
            || list.duplicate_treatment.is_some()
        {
            return self.fail(
                span,
                "windows, `distinct` and the like are not part of the language",
            );
        }
        if let Some(index) = self.lookup_named(&lower) {
            let args = self.plain_args(call, &span)?;
            return self.lookup(index, &args, None, span);
        }
        if lower == ALLOCATED {
            let args = self.plain_args(call, &span)?;
            return self.allocated(&args, span);
        }
        if let Some((_, kind, count)) = AGGREGATES.iter().find(|(n, ..)| *n == lower) {
            return self.aggregate(*kind, &lower, *count, call, span);
        }
        if lower == "each" {
            return self.fail(name_span, "`each(…)` is what `per` can be, not a value");
        }
        let args = self.plain_args(call, &span)?;
        match names::map(self.maps, name) {
            Some(map) => self.map(map, &args, span),
            None => self.named(&lower, &args, span),
        }
    }

    /// The arguments of what is no aggregate.
    pub fn plain_args<'e>(&mut self, call: &'e Call, span: &Range<usize>) -> Option<Vec<&'e Expr>> {
        let FunctionArguments::List(list) = &call.args else {
            return self.fail(span.clone(), format!("`{}` needs arguments", call.name));
        };
        if call.filter.is_some() || !list.clauses.is_empty() {
            return self.fail(span.clone(), format!("`{}` is no aggregate", call.name));
        }
        let mut args = Vec::with_capacity(list.args.len());
        for arg in &list.args {
            let FunctionArg::Unnamed(FunctionArgExpr::Expr(arg)) = arg else {
                return self.fail(span.clone(), format!("`{}` takes plain values", call.name));
            };
            args.push(arg);
        }
        Some(args)
    }

    /// A call of a `[map.X]`, which takes any value by its text.
    fn map(&mut self, map: Arc<ValueMap>, args: &[&Expr], span: Range<usize>) -> Option<Plan> {
        let [of] = args else {
            let message = format!("`{0}` takes one value: {0}(column)", map.name);
            return self.fail(span, message);
        };
        let of = self.plan(of)?;
        let class = of.class();
        if cast::context(class, Class::Text).is_none() {
            let message = format!("`{}` takes no {}", map.name, class.name());
            return self.fail(of.span, message);
        }
        let of = Box::new(self.coerce(of, Class::Text)?);
        let nullable = of.nullable || map.unknown == Unknown::Null;
        let class = map.class;
        Some(Plan::new(Node::Map { map, of }, class, nullable, span))
    }

    /// A call whose arguments are parsed and not yet compiled.
    pub fn named(&mut self, name: &str, args: &[&Expr], span: Range<usize>) -> Option<Plan> {
        let args: Vec<Option<Plan>> = args.iter().map(|a| self.plan(a)).collect();
        let args = args.into_iter().collect::<Option<Vec<_>>>()?;
        match (name, args.len()) {
            ("coalesce", 1..) => {
                let nullable = args.iter().all(|a| a.nullable);
                let (class, args) = self.alike(args, name, &span)?;
                Some(Plan::new(Node::Coalesce(args), class, nullable, span))
            }
            ("greatest" | "least", 1..) => {
                let nullable = args.iter().all(|a| a.nullable);
                let (class, args) = self.alike(args, name, &span)?;
                if !operators::orders(class) {
                    return self.fail(span, format!("{} has no order", class.name()));
                }
                let greatest = name == "greatest";
                Some(Plan::new(
                    Node::Extreme { greatest, args },
                    class,
                    nullable,
                    span,
                ))
            }
            ("nullif", 2) => {
                let mut args = args.into_iter();
                let (left, right) = (args.next()?, args.next()?);
                // What is given is the left side of the comparison, promoted as it was for it
                // (manual, 9.18.3); classes that the server compares as they are keep theirs.
                let own = left
                    .class
                    .filter(|class| typing::compared_as_is(*class, right.class()));
                let (left, right) = self.pair(left, right, false, &span)?;
                let held = left.class();
                let node = Node::NullIf(Box::new(left), Box::new(right));
                let plan = Plan::new(node, held, true, span);
                self.coerce(plan, own.unwrap_or(held))
            }
            ("mod", 2) => {
                let mut args = args.into_iter();
                let (left, right) = (args.next()?, args.next()?);
                self.arithmetic(Arithmetic::Remainder, left, right, span)
            }
            _ => self.invoke(spelled(name), args, span),
        }
    }

    /// The server writes arrays and composites as JSON of their own, and others as their casts say.
    pub(super) fn check_json(&mut self, name: &str, args: &[Plan]) -> Option<()> {
        match args.iter().find(|a| a.class == Some(Class::Other)) {
            None => Some(()),
            Some(other) => {
                let message = format!("`{name}` does not take this type: cast it to text");
                self.fail(other.span.clone(), message)
            }
        }
    }

    /// A call of the first form of a function that takes these arguments.
    pub fn invoke(&mut self, name: &str, args: Vec<Plan>, span: Range<usize>) -> Option<Plan> {
        if name.starts_with("json_build") {
            self.check_json(name, &args)?;
        }
        let forms: Vec<&'static Function> = functions::all().filter(|f| f.name == name).collect();
        if forms.is_empty() {
            return self.fail(span, unknown(name, self.maps));
        }
        // Exact forms come before those that need a conversion (manual, 10.3).
        let exact = forms
            .iter()
            .find(|f| fits(f, &args, |class, to| class == to));
        let Some(function) =
            exact.or_else(|| forms.iter().find(|f| fits(f, &args, typing::implicit)))
        else {
            let given: Vec<&str> = args.iter().map(|a| a.class().name()).collect();
            return self.fail(
                span,
                format!("`{name}` does not take ({})", given.join(", ")),
            );
        };
        if let Some((at, problem)) = words::unknown(function.name, &args) {
            return self.fail(args[at].span.clone(), problem);
        }
        let nullable = function.nullable || function.strict && args.iter().any(|a| a.nullable);
        let args: Vec<Option<Plan>> = args
            .into_iter()
            .enumerate()
            .map(|(i, arg)| match takes(function, i) {
                Some(Takes::Is(class)) => self.coerce(arg, class),
                _ => {
                    let class = arg.class();
                    self.coerce(arg, class)
                }
            })
            .collect();
        let args = args.into_iter().collect::<Option<Vec<_>>>()?;
        Some(Plan::new(
            Node::Call { function, args },
            function.gives,
            nullable,
            span,
        ))
    }
}

fn takes(function: &Function, at: usize) -> Option<Takes> {
    match function.takes.get(at) {
        Some(takes) => Some(*takes),
        None if function.repeats => function.takes.last().copied(),
        None => None,
    }
}

fn fits(function: &Function, args: &[Plan], fit: impl Fn(Class, Class) -> bool) -> bool {
    args.len() >= function.least
        && (function.repeats || args.len() <= function.takes.len())
        && args
            .iter()
            .enumerate()
            .all(|(i, arg)| match (takes(function, i), arg.class) {
                (None, _) => false,
                (Some(Takes::Any), _) | (_, None) => true,
                (Some(Takes::Is(to)), Some(class)) => fit(class, to),
            })
}

/// Names the known function that was most likely meant.
fn unknown(name: &str, maps: &[Arc<ValueMap>]) -> String {
    let known = functions::all()
        .map(|f| f.name)
        .chain(AGGREGATES.iter().map(|(n, ..)| *n))
        .chain(FORMS.iter().copied())
        .filter(|n| n.starts_with(|c: char| c.is_alphabetic()));
    let known = known.chain(maps.iter().map(|map| map.name.as_str()));
    let nearest = known.map(|n| (names::distance(name, n), n)).min();
    match nearest {
        Some((distance, nearest)) if distance <= 3 && distance < name.len() => {
            format!("no function `{name}`; did you mean `{nearest}`?")
        }
        _ => format!("no function and no lookup `{name}`"),
    }
}

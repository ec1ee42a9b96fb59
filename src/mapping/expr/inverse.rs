//! Whether an expression can be undone: the value of the source's column from the value that it made.

use super::functions::Function;
use super::plan::{Arithmetic, Node, Place, Plan};
use crate::sqltype::{Class, SqlType};

/// What becomes of a value on its way back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Back {
    /// It is a value of this column, (table, column).
    Column(usize, usize),
    /// It reads nothing: there is nothing to carry back.
    Nothing,
    /// It cannot be told, for this reason.
    Lost(String),
}

/// `from` is the type of the expression's values, as far as it is known.
pub fn back(plan: &Plan, from: &SqlType, to: &SqlType) -> Back {
    if constant(plan) {
        return Back::Nothing;
    }
    match undone(plan) {
        Ok((table, column)) => match keeps(plan.class(), to) && digits(from, to) {
            true => Back::Column(table, column),
            false => Back::Lost(format!(
                "{} may hold less than the source's column",
                to.name
            )),
        },
        Err(why) => Back::Lost(why),
    }
}

fn undone(plan: &Plan) -> Result<(usize, usize), String> {
    match &plan.node {
        Node::Column {
            place: Place::Row | Place::Header,
            table,
            column,
        } => Ok((*table, *column)),
        Node::Column { .. } => Err("it is a value of another row".into()),
        Node::Cast { of, to } => match keeps(of.class(), to) && whole(to) {
            true => undone(of),
            false => Err(format!("the cast to {} may lose a part of it", to.name)),
        },
        Node::Negate(of) | Node::Not(of) => undone(of),
        Node::Arithmetic {
            op: Arithmetic::Add | Arithmetic::Subtract,
            left,
            right,
        } if !plan.class().is_float() => match (constant(left), constant(right)) {
            (true, _) => undone(right),
            (_, true) => undone(left),
            _ => Err("it is calculated from several values".into()),
        },
        Node::Arithmetic { op, .. } => Err(format!("`{}` may round", op.sign())),
        Node::Call { function, args } => call(function, args),
        Node::Coalesce(args) => match args.split_first() {
            // What stood for null comes back as itself: the same to the reader, not to the column.
            Some((first, rest)) if rest.iter().all(constant) => {
                undone(first).and(Err("null and what stands for it look the same".into()))
            }
            _ => Err("it may be one of several values".into()),
        },
        Node::NullIf(of, other) if constant(other) => {
            undone(of).and(Err("null and what it stands for look the same".into()))
        }
        Node::Case { arms, otherwise } => cases(arms, otherwise.as_deref()),
        Node::Map { map, of } => match map.is_one_to_one() {
            true => undone(of),
            false => Err("several values of it may look the same".into()),
        },
        Node::Item { .. } => Err("it is a part of a payload".into()),
        Node::Aggregate(_) => Err("it is made of several rows".into()),
        _ => Err("it tells only something about the value".into()),
    }
}

fn call(function: &Function, args: &[Plan]) -> Result<(usize, usize), String> {
    match function.name {
        "||" | "concat" => {
            let mut varying = args.iter().filter(|arg| !constant(arg));
            match (varying.next(), varying.next()) {
                (Some(one), None) => undone(one),
                _ => Err("it is joined of several values".into()),
            }
        }
        // The ledger remembers of which row each is.
        "keyed_id" | "uuid_v5" => Err("an id is remembered, not calculated back".into()),
        name => Err(format!("`{name}` cannot be undone")),
    }
}

/// `case column when a then b …` with constants that are all different is a table to be read from
/// either side, if nothing else is left.
fn cases(arms: &[(Plan, Plan)], otherwise: Option<&Plan>) -> Result<(usize, usize), String> {
    let failed = || "several values of it may look the same".to_owned();
    let mut of: Option<(usize, usize)> = None;
    let mut seen: Vec<&str> = Vec::new();
    for (when, then) in arms {
        let Node::Compare {
            op: super::plan::Comparison::Equal,
            left,
            right,
        } = &when.node
        else {
            return Err("which of its values it is depends on a condition".into());
        };
        let Node::Literal(text) = &bare(then).node else {
            return Err(failed());
        };
        if !constant(right) || seen.contains(&text.as_str()) {
            return Err(failed());
        }
        seen.push(text);
        let column = undone(left)?;
        if of.is_some_and(|known| known != column) {
            return Err("it may be one of several values".into());
        }
        of = Some(column);
    }
    match (of, otherwise.map(|plan| &plan.node)) {
        (Some(column), None | Some(Node::Null)) => Ok(column),
        _ => Err(failed()),
    }
}

fn bare(plan: &Plan) -> &Plan {
    match &plan.node {
        Node::Cast { of, .. } => bare(of),
        _ => plan,
    }
}

fn constant(plan: &Plan) -> bool {
    let mut reads = false;
    plan.walk(&mut |part| {
        reads |= matches!(
            part.node,
            Node::Column { .. } | Node::Aggregate(_) | Node::Item { .. }
        );
    });
    !reads
}

/// Whether an assignment rounds nothing away.
fn digits(from: &SqlType, to: &SqlType) -> bool {
    match (from.numeric, to.numeric) {
        (_, None) => true,
        (Some((_, from)), Some((_, to))) => to >= from,
        (None, Some(_)) => from.class.is_integer(),
    }
}

/// A cast to it cuts nothing off.
fn whole(to: &SqlType) -> bool {
    to.length.is_none() && to.numeric.is_none() && to.fraction.is_none()
}

/// Whether every value of the class is still there in a column of the type, and can be read back.
fn keeps(from: Class, to: &SqlType) -> bool {
    if from == to.class {
        return true;
    }
    match to.class {
        // Each value has one text, and is read back from it.
        Class::Text => from != Class::Char,
        Class::Numeric => from.is_integer(),
        Class::Int8 => matches!(from, Class::Int4 | Class::Int2),
        Class::Int4 => from == Class::Int2,
        // By the zone of the pipeline, there and back.
        Class::TimestampTz => from == Class::Timestamp,
        Class::Jsonb => from == Class::Json,
        Class::Float8 => matches!(from, Class::Float4 | Class::Int2 | Class::Int4),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cart::layout::{Column, Layout, Table};
    use crate::mapping::expr::{Expr, Scope, Shaped, Unknown, ValueMap};
    use std::sync::Arc;

    fn layout() -> Layout {
        let columns = [
            ("id", "integer"),
            ("email", "text"),
            ("price", "numeric(12,4)"),
            ("state", "text"),
            ("at", "timestamp without time zone"),
        ];
        let column = |(name, ty): &(&str, &str)| Column {
            name: (*name).to_owned(),
            ty: SqlType::parse(ty),
            not_null: false,
            bytewise: false,
        };
        Layout {
            tables: vec![Table {
                alias: "quote".into(),
                schema: "s".into(),
                name: "quote".into(),
                columns: columns.iter().map(column).collect(),
                key: vec![0],
                cart: Some(vec![0]),
                parent: None,
            }],
        }
    }

    #[test]
    fn what_can_be_undone_is_told_from_what_cannot() {
        let layout = layout();
        let scope = Scope {
            layout: &layout,
            per: 0,
        };
        let back = |text: &str, to: &str| {
            let expr = Expr::compile(text, &scope).unwrap_or_else(|e| panic!("{text}: {e:?}"));
            expr.back(&SqlType::parse(to))
        };
        for (text, to, column) in [
            ("email", "text", 1),
            ("email", "character varying(20)", 1),
            ("price", "numeric(20,6)", 2),
            ("price", "numeric", 2),
            ("id", "bigint", 0),
            ("cast(id as text)", "text", 0),
            ("'cart_' || id", "text", 0),
            ("1000 + id", "integer", 0),
            ("-id", "integer", 0),
            ("at", "timestamp with time zone", 4),
            (
                "case when state = 'a' then 'x' when state = 'b' then 'y' end",
                "text",
                3,
            ),
        ] {
            assert_eq!(back(text, to), Back::Column(0, column), "{text}");
        }
        for (text, to) in [
            ("lower(email)", "text"),
            ("price", "numeric(12,2)"),
            ("cast(price as integer)", "integer"),
            ("price * 2", "numeric"),
            ("email || state", "text"),
            ("keyed_id(id)", "text"),
            ("coalesce(email, '')", "text"),
            ("nullif(email, '')", "text"),
            (
                "case when state = 'a' then 'x' when state = 'b' then 'x' end",
                "text",
            ),
            ("case when state = 'a' then 'x' else 'y' end", "text"),
            ("case when id > 3 then 'x' end", "text"),
            ("email is null", "boolean"),
        ] {
            assert!(
                matches!(back(text, to), Back::Lost(_)),
                "{text}: {:?}",
                back(text, to)
            );
        }
        assert_eq!(back("'eur'", "text"), Back::Nothing);
    }

    #[test]
    fn a_map_can_be_read_from_either_side_if_no_value_stands_for_two() {
        let layout = layout();
        let scope = Scope {
            layout: &layout,
            per: 0,
        };
        let back = |values: &[(&str, &str)], unknown: Unknown| {
            let values: Vec<(String, String)> = values
                .iter()
                .map(|(from, to)| ((*from).to_owned(), (*to).to_owned()))
                .collect();
            let map = Arc::new(ValueMap::new("region", Class::Text, &values, &unknown));
            let expr = Expr::compile_with("region(state)", &scope, Shaped::default(), &[map]);
            expr.unwrap_or_else(|e| panic!("{e:?}"))
                .back(&SqlType::of(Class::Text))
        };
        let (each, same) = ([("1", "eu"), ("2", "us")], [("1", "eu"), ("2", "eu")]);
        assert_eq!(back(&each, Unknown::Hold), Back::Column(0, 3));
        assert!(matches!(back(&same, Unknown::Hold), Back::Lost(_)));
        assert!(matches!(back(&each, Unknown::Null), Back::Lost(_)));
        assert!(matches!(
            back(&each, Unknown::Value("eu".into())),
            Back::Lost(_)
        ));
    }
}

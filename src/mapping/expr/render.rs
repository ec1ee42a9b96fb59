//! A plan as SQL of the server, where the server means the same by it.

mod exists;
pub mod mysql;

use super::cast::{self, Context};
use super::plan::{Comparison, Node, Plan};
use crate::cart::layout::Layout;
use crate::sqltype::Class;

/// Writes plans over the columns of one table.
#[derive(Clone, Copy)]
pub struct Render<'a> {
    pub layout: &'a Layout,
    pub alias: &'a str,
    /// The table whose row, under the name [`exists::ITEM`], an aggregate has come to.
    pub item: Option<usize>,
    /// Only what can neither fail nor differ by collation or settings: an error in the source's
    /// `where` would stop a whole scan, where ours holds one cart.
    pub total: bool,
}

impl Render<'_> {
    pub fn sql(&self, plan: &Plan) -> Option<String> {
        Some(match &plan.node {
            Node::Null => "NULL".into(),
            Node::Literal(text) => match plan.class {
                Some(class @ (Class::Enum | Class::Other)) => {
                    debug_assert!(class == Class::Enum || class == Class::Other);
                    quote(text)
                }
                Some(class) => format!("{}::{}", quote(text), class.name()),
                None => quote(text),
            },
            Node::Column {
                place,
                table,
                column,
            } => {
                let (alias, column) = exists::column(
                    (self.layout, self.alias, self.item),
                    (*place, *table, *column),
                )?;
                let name = format!("{alias}.{}", identifier(&column.name));
                // `citext` compares without case, expressions do not.
                match column.ty.class {
                    Class::Text
                        if !matches!(column.ty.base.as_str(), "text" | "character varying") =>
                    {
                        format!("{name}::text")
                    }
                    _ => name,
                }
            }
            Node::Aggregate(aggregate) => self.exists(aggregate)?,
            Node::Item { .. } | Node::Map { .. } | Node::Lookup(_) => return None,
            Node::Cast { of, to } => {
                if self.total && (!safe_cast(of.class(), to.class) || to.name != to.class.name()) {
                    return None;
                }
                format!("({})::{}", self.sql(of)?, to.name)
            }
            Node::Call { function, args } => {
                if self.total || !function.sql {
                    return None;
                }
                match (function.name, args.as_slice()) {
                    (op @ ("||" | "->" | "->>" | "#>>"), [left, right]) => {
                        let cast = if op == "#>>" { "::text[]" } else { "" };
                        format!("({} {op} ({}){cast})", self.sql(left)?, self.sql(right)?)
                    }
                    (op @ ("+" | "-" | "*" | "/"), [left, right]) => {
                        format!("({} {op} {})", self.sql(left)?, self.sql(right)?)
                    }
                    ("extract", [field, of]) => match &field.node {
                        Node::Literal(field) => {
                            format!("extract({} from {})", quote(field), self.sql(of)?)
                        }
                        _ => return None,
                    },
                    (name, args) => format!("{name}({})", self.list(args)?),
                }
            }
            Node::Negate(of) if !self.total => format!("(- {})", self.sql(of)?),
            Node::Arithmetic { op, left, right } if !self.total => {
                format!("({} {} {})", self.sql(left)?, op.sign(), self.sql(right)?)
            }
            Node::Negate(_) | Node::Arithmetic { .. } => return None,
            Node::Compare { op, left, right } => {
                let equality = matches!(op, Comparison::Equal | Comparison::NotEqual);
                if !equality && matches!(left.class(), Class::Text | Class::Char) {
                    return None;
                }
                let op = op.sign();
                format!(
                    "({} {op} {})",
                    self.equated(left, &[right])?,
                    self.sql(right)?
                )
            }
            Node::Distinct {
                left,
                right,
                negated,
            } => {
                let not = if *negated { "NOT " } else { "" };
                format!(
                    "({} IS {not}DISTINCT FROM {})",
                    self.equated(left, &[right])?,
                    self.sql(right)?
                )
            }
            Node::And(left, right) => format!("({} AND {})", self.sql(left)?, self.sql(right)?),
            Node::Or(left, right) => format!("({} OR {})", self.sql(left)?, self.sql(right)?),
            Node::Not(of) => format!("(NOT {})", self.sql(of)?),
            // A composite with nulls inside is there, whatever `IS NOT NULL` says of it.
            Node::IsNull { of, negated } if of.class() == Class::Other => {
                let not = if *negated { "" } else { "NOT " };
                format!("({} IS {not}DISTINCT FROM NULL)", self.sql(of)?)
            }
            Node::IsNull { of, negated } => {
                let not = if *negated { "NOT " } else { "" };
                format!("({} IS {not}NULL)", self.sql(of)?)
            }
            Node::IsTruth { of, truth, negated } => {
                let word = match truth {
                    Some(true) => "TRUE",
                    Some(false) => "FALSE",
                    None => "UNKNOWN",
                };
                format!(
                    "({} IS {}{word})",
                    self.sql(of)?,
                    if *negated { "NOT " } else { "" }
                )
            }
            Node::In { of, list, negated } => {
                let not = if *negated { "NOT " } else { "" };
                let items: Vec<&Plan> = list.iter().collect();
                let of = self.equated(of, &items)?;
                format!("({of} {not}IN ({}))", self.list(list)?)
            }
            Node::Like {
                of,
                pattern,
                escape,
                fold: false,
                negated,
            } => {
                // A pattern that ends in its escape fails.
                if self.total
                    && !matches!(&pattern.node, Node::Literal(text) if !escape.is_some_and(|e| text.contains(e)))
                {
                    return None;
                }
                let escape: String = escape.iter().collect();
                let not = if *negated { "NOT " } else { "" };
                format!(
                    "({} {not}LIKE {} ESCAPE {})",
                    self.compared(of)?,
                    self.sql(pattern)?,
                    quote(&escape)
                )
            }
            Node::Like { .. } => return None,
            Node::Case { arms, otherwise } => {
                let mut sql = String::from("CASE");
                for (when, then) in arms {
                    sql.push_str(&format!(
                        " WHEN {} THEN {}",
                        self.sql(when)?,
                        self.sql(then)?
                    ));
                }
                if let Some(otherwise) = otherwise {
                    sql.push_str(&format!(" ELSE {}", self.sql(otherwise)?));
                }
                sql + " END"
            }
            Node::Coalesce(args) => format!("coalesce({})", self.list(args)?),
            Node::NullIf(left, right) => {
                let first = self.equated(left, &[right])?;
                format!("nullif({first}, {})", self.sql(right)?)
            }
            Node::Extreme { args, .. }
                if args
                    .iter()
                    .any(|a| matches!(a.class(), Class::Text | Class::Char)) =>
            {
                return None;
            }
            Node::Extreme { greatest, args } => {
                format!(
                    "{}({})",
                    if *greatest { "greatest" } else { "least" },
                    self.list(args)?
                )
            }
        })
    }

    /// One side of a match: texts are compared by their bytes, as expressions do, and not by
    /// a column's collation, for which different texts may be equal.
    fn compared(&self, plan: &Plan) -> Option<String> {
        let sql = self.sql(plan)?;
        Some(match plan.class() {
            Class::Text | Class::Char => format!("{sql} COLLATE \"C\""),
            _ => sql,
        })
    }

    /// One side of an equality. With one column whose collation is deterministic it is one of bytes
    /// as it stands (manual, 24.2.2.4), and can use an index of that collation; two columns could
    /// be of two collations, with which the server does not know what to do.
    fn equated(&self, plan: &Plan, others: &[&Plan]) -> Option<String> {
        let (mut columns, mut bytewise) = (0, true);
        for side in others.iter().chain([&plan]) {
            side.walk(&mut |part| {
                if let Node::Column { table, column, .. } = &part.node
                    && matches!(part.class(), Class::Text | Class::Char)
                {
                    columns += 1;
                    bytewise &= self.layout.tables[*table].columns[*column].bytewise;
                }
            });
        }
        match columns <= 1 && bytewise {
            true => self.sql(plan),
            false => self.compared(plan),
        }
    }

    fn list(&self, plans: &[Plan]) -> Option<String> {
        let sql = plans
            .iter()
            .map(|p| self.sql(p))
            .collect::<Option<Vec<_>>>()?;
        Some(sql.join(", "))
    }
}

/// A conversion that cannot fail and depends on no setting.
fn safe_cast(from: Class, to: Class) -> bool {
    let settled = |class: Class| !matches!(class, Class::TimestampTz);
    settled(from) && settled(to) && cast::context(from, to) == Some(Context::Implicit)
}

fn identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A string literal that no setting of the server reads otherwise.
fn quote(text: &str) -> String {
    let quoted = text.replace('\'', "''");
    if quoted.contains('\\') {
        format!("E'{}'", quoted.replace('\\', "\\\\"))
    } else {
        format!("'{quoted}'")
    }
}

//! A condition as SQL of MySQL, which must select each row that the expression accepts, and each
//! for which it fails; it may select more.
//!
//! Less is written than for Postgres. MySQL compares by collations and with blanks filled up, takes
//! texts for numbers, and has dates that are none, for which an expression fails: whatever meets
//! that is left out.

use super::super::plan::{Aggregate, Comparison, Node, Plan};
use super::exists;
use crate::cart::layout::{Column, Layout};
use crate::mysql::sql::{binary, identifier, qualified, text};
use crate::sqltype::Class;

#[derive(Clone, Copy)]
pub struct MysqlRender<'a> {
    pub layout: &'a Layout,
    pub alias: &'a str,
    /// The table whose row, under the name [`exists::ITEM`], an aggregate has come to.
    pub item: Option<usize>,
}

impl MysqlRender<'_> {
    /// A condition that holds wherever the plan does, and wherever it fails.
    pub fn wide(&self, plan: &Plan) -> Option<String> {
        match &plan.node {
            Node::And(left, right) => self.both(left, right),
            Node::Or(left, right) => {
                let (left, right) = (self.wide(left)?, self.wide(right)?);
                Some(format!("({left} OR {right})"))
            }
            Node::Compare {
                op: Comparison::Equal,
                left,
                right,
            } => {
                let exact = self.exact(plan)?;
                Some(match self.by_index(left, right) {
                    Some(loose) => format!("({loose} AND {exact})"),
                    None => exact,
                })
            }
            _ => self.exact(plan),
        }
    }

    /// What cannot be written may fail. An expression looks at the left side first, and at the right
    /// one unless the left is false.
    fn both(&self, left: &Plan, right: &Plan) -> Option<String> {
        let never_fails = |plan| self.exact(plan).is_some();
        match (never_fails(left), never_fails(right)) {
            (true, true) => Some(format!("({} AND {})", self.wide(left)?, self.wide(right)?)),
            (true, false) => {
                let left = match left.nullable {
                    true => format!("({} IS NOT FALSE)", self.exact(left)?),
                    false => self.wide(left)?,
                };
                Some(match self.wide(right) {
                    Some(right) => format!("({left} AND {right})"),
                    None => left,
                })
            }
            (false, fails_not) => self.wide(left).filter(|_| fails_not || !left.nullable),
        }
    }

    /// An equality by the column's own collation, which takes more texts for equal and can use the
    /// column's index.
    fn by_index(&self, left: &Plan, right: &Plan) -> Option<String> {
        let (column, literal) = match (&left.node, &right.node) {
            (Node::Column { .. }, Node::Literal(literal)) => (left, literal),
            (Node::Literal(literal), Node::Column { .. }) => (right, literal),
            _ => return None,
        };
        let ascii = literal.is_ascii() && column.class() == Class::Text;
        let name = self.name(column).filter(|_| ascii)?;
        Some(format!("{name} = {}", text(literal)))
    }

    fn column(&self, plan: &Plan) -> Option<(&str, &Column)> {
        match &plan.node {
            Node::Column {
                place,
                table,
                column,
            } => exists::column(
                (self.layout, self.alias, self.item),
                (*place, *table, *column),
            ),
            _ => None,
        }
    }

    fn name(&self, plan: &Plan) -> Option<String> {
        let (alias, column) = self.column(plan)?;
        Some(format!("{alias}.{}", identifier(&column.name)))
    }

    /// Whether the cart has such rows. Keys that are texts are compared by their bytes as well as by
    /// the collation, by which they stand in an index.
    fn exists(&self, aggregate: &Aggregate) -> Option<String> {
        let (table, pairs) = exists::meets(self.layout, self.item, aggregate)?;
        let mut conditions = Vec::new();
        for (here, there) in pairs {
            let sides = [(exists::ITEM, here), (self.alias, there)];
            let [a, b] = sides.map(|(of, c)| format!("{of}.{}", identifier(&c.name)));
            conditions.push(format!("{a} = {b}"));
            if is_text(here.ty.class) {
                let bytes = |name: &str| format!("CAST(CONVERT({name} USING utf8mb4) AS BINARY)");
                conditions.push(format!("{} = {}", bytes(&a), bytes(&b)));
            }
        }
        if let Some(filter) = &aggregate.filter {
            let item = Some(aggregate.table);
            conditions.push(Self { item, ..*self }.exact(filter)?);
        }
        Some(format!(
            "EXISTS (SELECT 1 FROM {} AS {} WHERE {})",
            qualified(&table.schema, &table.name),
            exists::ITEM,
            conditions.join(" AND ")
        ))
    }

    /// A condition that is true, false and null where the plan is.
    fn exact(&self, plan: &Plan) -> Option<String> {
        Some(match &plan.node {
            Node::Null => "NULL".into(),
            Node::Literal(text) if plan.class == Some(Class::Bool) => match text.as_str() {
                "t" | "true" => "TRUE".into(),
                "f" | "false" => "FALSE".into(),
                _ => return None,
            },
            Node::And(left, right) => {
                format!("({} AND {})", self.exact(left)?, self.exact(right)?)
            }
            Node::Or(left, right) => format!("({} OR {})", self.exact(left)?, self.exact(right)?),
            Node::Not(of) => format!("(NOT {})", self.exact(of)?),
            Node::Aggregate(aggregate) => self.exists(aggregate)?,
            Node::IsTruth { of, truth, negated } => {
                let word = match truth {
                    Some(true) => "TRUE",
                    Some(false) => "FALSE",
                    None => "UNKNOWN",
                };
                let not = if *negated { "NOT " } else { "" };
                format!("({} IS {not}{word})", self.exact(of)?)
            }
            // `IS NULL` finds the zero dates of a column that is NOT NULL (manual, "Comparison
            // Functions and Operators").
            Node::IsNull { of, negated } => {
                let not = if *negated { "NOT " } else { "" };
                let of = match self.name(of) {
                    Some(column) => column,
                    None => self.value(of)?,
                };
                format!("({not}({of} <=> NULL))")
            }
            Node::Compare { op, left, right } => {
                let number = is_number(left.class()) && is_number(right.class());
                let equality = matches!(op, Comparison::Equal | Comparison::NotEqual);
                if !number && !equality {
                    return None;
                }
                let (left, right) = self.pair(left, right)?;
                format!("({left} {} {right})", op.sign())
            }
            Node::Distinct {
                left,
                right,
                negated,
            } => {
                let not = if *negated { "" } else { "NOT " };
                let (left, right) = self.pair(left, right)?;
                format!("({not}({left} <=> {right}))")
            }
            Node::In { of, list, negated } => {
                let not = if *negated { "NOT " } else { "" };
                let items = list.iter().map(|item| Some(self.pair(of, item)?.1));
                let items = items.collect::<Option<Vec<String>>>()?.join(", ");
                format!("({} {not}IN ({items}))", self.value(of)?)
            }
            _ => return None,
        })
    }

    /// Two sides of a comparison, both numbers or both texts.
    fn pair(&self, left: &Plan, right: &Plan) -> Option<(String, String)> {
        let same = is_number(left.class()) == is_number(right.class());
        let (left, right) = (self.value(left)?, self.value(right)?);
        same.then_some((left, right))
    }

    /// A number, or the bytes of a text in UTF-8.
    fn value(&self, plan: &Plan) -> Option<String> {
        let class = plan.class();
        match &plan.node {
            Node::Null => Some("NULL".into()),
            Node::Literal(text) if is_number(class) => number(text),
            Node::Literal(text) if is_text(class) => Some(binary(text.as_bytes())),
            Node::Column { .. } => {
                let (_, column) = self.column(plan)?;
                let name = self.name(plan)?;
                // A year is compared with a number of two digits as if it were one of this century.
                let odd = ["year", "bit"]
                    .iter()
                    .any(|ty| column.ty.name.starts_with(ty));
                match column.ty.class {
                    class if is_number(class) && odd => Some(format!("({name} + 0)")),
                    class if is_number(class) => Some(name),
                    class if is_text(class) => {
                        Some(format!("CAST(CONVERT({name} USING utf8mb4) AS BINARY)"))
                    }
                    _ => None,
                }
            }
            // Numbers are compared by their values, whatever their types.
            Node::Cast { of, to } if to.name == to.class.name() => {
                let widens = match (of.class(), to.class) {
                    (Class::Int2, to) => is_number(to),
                    (Class::Int4, to) => matches!(to, Class::Int4 | Class::Int8 | Class::Numeric),
                    (Class::Int8, to) => matches!(to, Class::Int8 | Class::Numeric),
                    (Class::Numeric, to) => to == Class::Numeric,
                    (Class::Text | Class::Enum, to) => to == Class::Text,
                    _ => false,
                };
                self.value(of).filter(|_| widens)
            }
            Node::Coalesce(args) => {
                let first = args.first()?;
                let all = args.iter().map(|arg| Some(self.pair(first, arg)?.1));
                let all = all.collect::<Option<Vec<String>>>()?;
                Some(format!("coalesce({})", all.join(", ")))
            }
            _ => None,
        }
    }
}

fn is_number(class: Class) -> bool {
    class.is_integer() || class == Class::Numeric
}

fn is_text(class: Class) -> bool {
    matches!(class, Class::Text | Class::Enum)
}

/// Written plainly, and within the digits that MySQL computes with.
fn number(text: &str) -> Option<String> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let plain = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let fits = whole.len() <= 35 && fraction.len() <= 30;
    (plain(whole) && plain(fraction) && fits).then(|| format!("({text})"))
}

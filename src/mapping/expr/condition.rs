//! A condition over a row of a target table: as SQL, and judged over the row's values.

use std::sync::Arc;

use super::cast::{self, Context};
use super::error::{EvalError, ExprError};
use super::functions::IdKey;
use super::plan::{Node, Plan};
use super::render::Render;
use super::scope::{Env, Scope};
use super::{Expr, Value};
use crate::cart::image::{Cell, Cells, Image, Row};
use crate::cart::layout::{Column, Layout, Table};
use crate::sqltype::{Class, SqlType};

/// The row's alias in SQL.
const ALIAS: &str = "t";

#[derive(Clone, Debug)]
pub struct TargetCondition {
    /// Over a table of the named columns alone, in their order.
    expr: Expr,
    columns: Vec<String>,
}

impl TargetCondition {
    /// Parses and checks `text` over the columns of a table.
    pub fn compile(text: &str, columns: &[(String, SqlType)]) -> Result<Self, Vec<ExprError>> {
        let expr = over(text, columns)?;
        if expr.ty() != Class::Bool {
            return Err(vec![ExprError {
                span: 0..text.len(),
                message: "a condition must be boolean".into(),
            }]);
        }
        let mut named: Vec<(String, SqlType)> = Vec::new();
        expr.reads(&mut |_, column| {
            if !named.contains(&columns[column]) {
                named.push(columns[column].clone());
            }
        });
        Ok(Self {
            expr: over(text, &named)?,
            columns: named.into_iter().map(|(name, _)| name).collect(),
        })
    }

    /// The columns that it names, each once.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// In Postgres' SQL over the row alias `t`, where Postgres has the same.
    pub fn sql(&self) -> Option<String> {
        let render = Render {
            layout: &self.expr.layout,
            alias: ALIAS,
            item: None,
            total: false,
        };
        render.sql(&self.expr.plan)
    }

    /// The parts of it that have no value for some rows, or are about more than a row. A row of
    /// which nobody knows whether it is closed can be neither written nor left alone.
    pub fn unsure(&self) -> Vec<ExprError> {
        let mut found = Vec::new();
        self.expr.plan.walk(&mut |plan| {
            if let Some(message) = self.doubt(plan) {
                let span = plan.span.clone();
                found.push(ExprError { span, message });
            }
        });
        found
    }

    /// Whether it holds for a row, given a cell for each of [`TargetCondition::columns`]; none where
    /// it is null.
    pub fn holds(&self, cells: &[Cell]) -> Option<bool> {
        self.holds_without(cells, |_| false)
    }

    /// The same as if some columns were null.
    pub fn holds_without(&self, cells: &[Cell], blank: impl Fn(&str) -> bool) -> Option<bool> {
        let of = |(name, cell): (&String, &Cell)| match blank(name) {
            true => Cell::Null,
            false => cell.clone(),
        };
        match self.value(self.columns.iter().zip(cells).map(of).collect()) {
            Ok(None) => None,
            Ok(known) => known,
            // Nothing that it is made of fails; if it does, the row is left alone.
            Err(_) => Some(true),
        }
    }

    fn value(&self, cells: Cells) -> Result<Option<bool>, EvalError> {
        let row = Row { cells, stamp: 0 };
        let image = Image::empty(&self.expr.layout);
        let env = Env {
            layout: &self.expr.layout,
            image: &image,
            row: &row,
            stamp: 0,
            secret: IdKey::none(),
            // As the sessions of a target.
            time_zone: chrono_tz::UTC,
        };
        Ok(match self.expr.evaluate(&env)? {
            Value::Null => None,
            value => Some(value.is_true()),
        })
    }

    fn doubt(&self, plan: &Plan) -> Option<String> {
        match &plan.node {
            Node::Call { function, .. } if !function.sql => {
                Some(format!("{} knows nothing of a target row", function.name))
            }
            Node::Map { .. } => Some("a map knows nothing of a target row".into()),
            Node::Aggregate(_) => Some("a target row has no rows of its own to count".into()),
            _ if self.is_settled(plan) => None,
            Node::Call { function, .. } if !TOTAL.contains(&function.name) => {
                Some(format!("{} can fail, and this must not", function.name))
            }
            Node::Arithmetic { .. } | Node::Negate(_) => {
                Some("arithmetic can fail, and this must not".into())
            }
            Node::Cast { of, to } if !never_fails(of.class(), to) => {
                Some(format!("a cast to {} can fail, and this must not", to.name))
            }
            Node::Like { pattern, .. } if !self.is_settled(pattern) => {
                Some("a pattern that is not a constant can fail, and this must not".into())
            }
            _ => None,
        }
    }

    /// Whether it is a constant that has been seen not to fail.
    fn is_settled(&self, plan: &Plan) -> bool {
        let mut constant = true;
        plan.walk(&mut |part| {
            constant &= match &part.node {
                Node::Column { .. } | Node::Aggregate(_) | Node::Map { .. } => false,
                Node::Call { function, .. } => function.sql,
                _ => true,
            }
        });
        let alone = Self {
            expr: Expr {
                plan: plan.clone(),
                ..self.expr.clone()
            },
            columns: Vec::new(),
        };
        constant && alone.value(Arc::new([])).is_ok()
    }
}

/// Functions that have a value for any arguments.
const TOTAL: &[&str] = &[
    "lower",
    "upper",
    "length",
    "char_length",
    "trim",
    "btrim",
    "ltrim",
    "rtrim",
    "||",
    "concat",
    "->",
    "->>",
];

fn never_fails(from: Class, to: &SqlType) -> bool {
    let plain = to.name == to.class.name();
    match (from, to.class) {
        (_, Class::Text | Class::Char) => true,
        (Class::Timestamp | Class::TimestampTz, Class::Date) => true,
        (from, class) => plain && cast::context(from, class) == Some(Context::Implicit),
    }
}

fn over(text: &str, columns: &[(String, SqlType)]) -> Result<Expr, Vec<ExprError>> {
    let column = |(name, ty): &(String, SqlType)| Column {
        name: name.clone(),
        ty: ty.clone(),
        not_null: false,
        bytewise: false,
    };
    let layout = Layout {
        tables: vec![Table {
            alias: ALIAS.into(),
            schema: String::new(),
            name: ALIAS.into(),
            columns: columns.iter().map(column).collect(),
            key: Vec::new(),
            cart: None,
            parent: None,
        }],
    };
    let scope = Scope {
        layout: &layout,
        per: Layout::HEADER,
    };
    Expr::compile(text, &scope)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns() -> Vec<(String, SqlType)> {
        let column = |name: &str, ty: &str| (name.to_owned(), SqlType::parse(ty));
        vec![
            column("id", "bigint"),
            column("done_at", "timestamptz"),
            column("state", "text"),
            column("lines", "integer"),
        ]
    }

    fn condition(text: &str) -> TargetCondition {
        TargetCondition::compile(text, &columns()).unwrap()
    }

    fn cells(of: &[Option<&str>]) -> Vec<Cell> {
        let cell = |text: &Option<&str>| text.map_or(Cell::Null, |text| Cell::Text(text.into()));
        of.iter().map(cell).collect()
    }

    #[test]
    fn it_is_judged_over_the_columns_it_names() {
        let paid = condition("state in ('paid', 'sent') or done_at is not null");
        assert_eq!(paid.columns(), ["state", "done_at"]);
        let at = "2026-03-01 00:00:00+00";
        for (state, done, holds) in [
            (Some("paid"), None, Some(true)),
            (Some("open"), Some(at), Some(true)),
            (Some("open"), None, Some(false)),
            (None, Some(at), Some(true)),
        ] {
            assert_eq!(paid.holds(&cells(&[state, done])), holds, "{state:?}");
        }
        assert_eq!(condition("state = 'paid'").holds(&cells(&[None])), None);
    }

    #[test]
    fn columns_can_be_taken_for_null() {
        let both = condition("state = 'paid' and done_at is not null");
        let row = cells(&[Some("paid"), Some("2026-03-01 00:00:00+00")]);
        assert_eq!(both.holds(&row), Some(true));
        assert_eq!(both.holds_without(&row, |c| c == "done_at"), Some(false));
        assert_eq!(both.holds_without(&row, |c| c == "state"), None);
    }

    #[test]
    fn what_can_fail_is_told() {
        for sure in [
            "lower(trim(state)) = 'paid' and lines > 3",
            "done_at > timestamptz '2026-01-01 00:00:00+00'",
            "done_at > timestamptz '2026-01-01 00:00:00+00' + interval '1 day'",
            "state like 'pa%' and cast(lines as text) <> '1'",
            "cast(done_at as date) = date '2026-01-01'",
        ] {
            assert_eq!(condition(sure).unsure(), [], "{sure}");
        }
        for (unsure, message) in [
            ("lines + 1 > 2", "arithmetic can fail"),
            ("cast(state as integer) = 3", "a cast to integer can fail"),
            (
                "state like lower(state)",
                "a pattern that is not a constant",
            ),
            ("commit_time() > done_at", "commit_time knows nothing"),
        ] {
            let found = condition(unsure).unsure();
            assert_eq!(found.len(), 1, "{unsure}");
            assert!(found[0].message.starts_with(message), "{found:?}");
        }
    }

    #[test]
    fn what_fails_all_the_same_is_left_alone() {
        let failing = condition("cast(state as integer) = 3");
        assert_eq!(failing.holds(&cells(&[Some("x")])), Some(true));
        assert_eq!(failing.holds(&cells(&[Some("2")])), Some(false));
    }
}

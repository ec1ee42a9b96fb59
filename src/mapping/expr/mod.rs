//! The SQL expression language of the mapping: checked and typed once, evaluated over a cart's image.

mod error;
mod scope;
mod value;

pub use error::{EvalError, ExprError};
pub use scope::{Env, Scope};
pub use value::Value;

use crate::sqltype::{Class, SqlType};

/// A compiled expression.
#[derive(Clone, Debug)]
pub struct Expr {
    class: Class,
    nullable: bool,
}

/// Whether a value of a class can be written into a column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Assign {
    Exact,
    /// It depends on the value; says what could fail.
    MayFail(String),
    /// Never; says why.
    No(String),
}

impl Expr {
    /// Parses and checks `text`; all mistakes at once.
    pub fn compile(_text: &str, _scope: &Scope<'_>) -> Result<Expr, Vec<ExprError>> {
        todo!()
    }

    /// The value for a row.
    pub fn evaluate<'a>(&'a self, _env: &Env<'a>) -> Result<Value<'a>, EvalError> {
        todo!()
    }

    pub fn ty(&self) -> Class {
        self.class
    }

    pub fn nullable(&self) -> bool {
        self.nullable
    }

    /// Reports each `(table, column)` that a value depends on, the key and parent columns by which
    /// other rows are found included. Counting a table reports its key columns.
    pub fn reads(&self, _report: &mut impl FnMut(usize, usize)) {
        todo!()
    }

    pub fn uses_secret(&self) -> bool {
        todo!()
    }

    pub fn is_null_literal(&self) -> bool {
        todo!()
    }

    /// The same condition in the source's SQL over a header row `row_alias`, where Postgres means
    /// the same by all of it.
    pub fn pushdown(&self, _row_alias: &str) -> Option<String> {
        todo!()
    }
}

/// The text of `value` as a column of type `ty` holds and prints it; none for null.
pub fn bind(_value: &Value<'_>, _ty: &SqlType) -> Result<Option<Box<str>>, EvalError> {
    todo!()
}

/// A text of type `ty` in the one form in which the server prints it.
pub fn canonical(_text: &str, _ty: &SqlType) -> Result<Box<str>, EvalError> {
    todo!()
}

pub fn assignable(_from: Class, _nullable: bool, _to: &SqlType) -> Assign {
    todo!()
}

/// A condition over the columns of a target table: its SQL over the alias `t`, and the columns it
/// names.
pub fn target_condition(
    _text: &str,
    _columns: &[(String, SqlType)],
) -> Result<(String, Vec<String>), Vec<ExprError>> {
    todo!()
}

//! What can be wrong with an expression: at load, and for one cart's values.

use std::ops::Range;

/// A mistake in an expression's text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ExprError {
    /// Bytes of the text.
    pub span: Range<usize>,
    pub message: String,
}

/// Why an expression has no value for a row. Never holds a value of the row.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EvalError {
    /// The log did not carry this column: the caller fetches the cart anew.
    #[error("the value of {table}.{column} is not known")]
    Missing { table: String, column: String },
    /// The values do not fit what the expression does with them.
    #[error("{0}")]
    Value(String),
    /// A lookup was not asked for this: the caller asks it.
    #[error("lookup `{0}` has not been asked")]
    Unasked(String),
    /// A lookup does not know the value, and the mapping says `"hold"` of that.
    #[error("{0}")]
    Unknown(String),
    /// The target has given no key yet to the row that is asked for, or whose own it is.
    #[error("{0}")]
    Unallocated(String),
    /// There is to be no target row: what was asked does not know the value, and the mapping says
    /// `"skip"` of that.
    #[error("the row is left out")]
    Skip,
    /// What was asked does not know the value, and the mapping says `"error"` of that: the daemon
    /// stops.
    #[error("{0}")]
    Stop(String),
}

impl EvalError {
    pub(crate) fn value(message: impl Into<String>) -> Self {
        Self::Value(message.into())
    }
}

//! Why `map` gives no rows, and what that means for the cart.

use super::expr::EvalError;

/// Why an image has no target rows.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MapError {
    #[error("{table}.{column}: {why}")]
    Value {
        table: String,
        column: String,
        why: EvalError,
    },
    #[error("{table}: the key column {column} would be null")]
    NullKey { table: String, column: String },
    #[error("{table}: two source rows give the same target row")]
    Collision { table: String },
}

impl MapError {
    fn why(&self) -> Option<&EvalError> {
        match self {
            MapError::Value { why, .. } => Some(why),
            MapError::NullKey { .. } | MapError::Collision { .. } => None,
        }
    }

    /// The log did not carry a value: the cart must be read again.
    pub fn is_missing(&self) -> bool {
        matches!(self.why(), Some(EvalError::Missing { .. }))
    }

    /// The source row is to have no target row.
    pub fn is_skip(&self) -> bool {
        matches!(self.why(), Some(EvalError::Skip))
    }

    /// A lookup was not asked for what the image holds now.
    pub fn is_unasked(&self) -> bool {
        matches!(self.why(), Some(EvalError::Unasked(_)))
    }

    /// A lookup does not know a value, and may once know it.
    pub fn is_unknown(&self) -> bool {
        matches!(
            self.why(),
            Some(EvalError::Unknown(_) | EvalError::Unallocated(_))
        )
    }

    /// The table whose row lacks what the target has not allocated yet.
    pub fn unallocated(&self) -> Option<&str> {
        match self {
            MapError::Value { table, why, .. } => {
                matches!(why, EvalError::Unallocated(_)).then_some(table)
            }
            MapError::NullKey { .. } | MapError::Collision { .. } => None,
        }
    }

    /// The mapping asks the daemon to stop.
    pub fn is_stop(&self) -> bool {
        matches!(self.why(), Some(EvalError::Stop(_)))
    }
}

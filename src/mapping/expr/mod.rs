//! SQL scalar expressions over an image: parsed by `sqlparser`, compiled once to a typed plan.

/// A compiled expression.
#[derive(Debug)]
pub struct Expr {}

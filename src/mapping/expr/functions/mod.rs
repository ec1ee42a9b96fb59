//! The functions that expressions can call, and what each takes and gives.

pub mod bytes;
mod calendar;
pub mod extract;
mod json;
mod keyed;
mod number;
pub mod packed;
mod php;
mod text;
mod time;

pub use json::{array_of, object_of};
pub use keyed::IdKey;
pub use number::to_minor_units;

use super::decimal::Decimal;
use super::error::EvalError;
use super::scope::Env;
use super::value::Value;
use crate::sqltype::Class;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    Is(Class),
    Any,
}

/// One form of a function; a name can have several, of which the first that fits is called.
#[derive(Debug)]
pub struct Function {
    pub name: &'static str,
    pub takes: &'static [Takes],
    /// Of `takes`, how many must be given.
    pub least: usize,
    /// The last of `takes` may be repeated.
    pub repeats: bool,
    pub gives: Class,
    /// A null argument makes a null without a call.
    pub strict: bool,
    /// Can give null for arguments that are not.
    pub nullable: bool,
    /// Postgres has the same function of the same name.
    pub sql: bool,
    pub call: fn(&Args<'_>) -> Result<Option<String>, EvalError>,
}

/// A form is told by its name and by what it takes.
impl PartialEq for Function {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name && self.takes == other.takes
    }
}

/// The usual function: strict, of a fixed number of arguments, known to Postgres.
const fn function(
    name: &'static str,
    takes: &'static [Takes],
    gives: Class,
    call: fn(&Args<'_>) -> Result<Option<String>, EvalError>,
) -> Function {
    Function {
        name,
        takes,
        least: takes.len(),
        repeats: false,
        gives,
        strict: true,
        nullable: false,
        sql: true,
        call,
    }
}

/// What a call is given.
pub struct Args<'v> {
    pub function: &'static str,
    pub values: &'v [Value<'v>],
    pub env: &'v Env<'v>,
}

impl Args<'_> {
    pub fn len(&self) -> usize {
        self.values.len()
    }

    pub fn has(&self, at: usize) -> bool {
        at < self.values.len()
    }

    /// The text of an argument; strict functions have one for each.
    pub fn text(&self, at: usize) -> &str {
        self.values.get(at).and_then(Value::text).unwrap_or("")
    }

    pub fn integer(&self, at: usize) -> Result<i64, EvalError> {
        self.text(at)
            .parse()
            .map_err(|_| self.error("needs an integer"))
    }

    pub fn decimal(&self, at: usize) -> Result<Decimal, EvalError> {
        Decimal::parse(self.text(at)).ok_or_else(|| self.error("needs a finite number"))
    }

    pub fn bytes(&self, at: usize) -> Result<Vec<u8>, EvalError> {
        bytes::input(self.text(at)).ok_or_else(|| self.error("needs bytes"))
    }

    pub fn error(&self, problem: &str) -> EvalError {
        EvalError::Value(format!("{}: {problem}", self.function))
    }
}

pub fn all() -> impl Iterator<Item = &'static Function> {
    [
        text::ALL,
        bytes::ALL,
        packed::ALL,
        php::ALL,
        number::ALL,
        time::ALL,
        calendar::ALL,
        extract::ALL,
        json::ALL,
        keyed::ALL,
    ]
    .into_iter()
    .flatten()
}

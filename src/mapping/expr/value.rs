//! A value: its class, and its text as the server prints it.

use std::borrow::Cow;

use crate::sqltype::Class;

/// A value of an expression. A bare column borrows its cell's text; nothing is parsed before an
/// operator needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value<'a> {
    Null,
    Of { class: Class, text: Cow<'a, str> },
}

impl<'a> Value<'a> {
    pub fn of(class: Class, text: impl Into<Cow<'a, str>>) -> Self {
        Self::Of {
            class,
            text: text.into(),
        }
    }

    pub fn bool(value: bool) -> Self {
        Self::of(Class::Bool, if value { "t" } else { "f" })
    }

    pub fn class(&self) -> Option<Class> {
        match self {
            Self::Null => None,
            Self::Of { class, .. } => Some(*class),
        }
    }

    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// True, and neither false nor null: what a filter asks.
    pub fn is_true(&self) -> bool {
        matches!(self, Self::Of { class: Class::Bool, text } if text == "t")
    }

    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Null => None,
            Self::Of { text, .. } => Some(text),
        }
    }

    /// Takes the text out; null has none.
    pub fn into_text(self) -> Option<Cow<'a, str>> {
        match self {
            Self::Null => None,
            Self::Of { text, .. } => Some(text),
        }
    }
}

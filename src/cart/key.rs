//! The cart key: the source's identifier of a cart, one or more columns, as one text.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The values of the header's key columns in order. One column is written as it is; several are
/// joined by `|`, with `|` and `\` inside a value escaped by `\`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct CartKey(Box<str>);

impl CartKey {
    /// The key made of these values.
    pub fn of<'a>(values: impl IntoIterator<Item = &'a str>) -> Self {
        let mut text = String::new();
        for (i, value) in values.into_iter().enumerate() {
            if i > 0 {
                text.push('|');
            }
            if Self::is_plain(value) {
                text.push_str(value);
                continue;
            }
            for c in value.chars() {
                if matches!(c, '|' | '\\') {
                    text.push('\\');
                }
                text.push(c);
            }
        }
        Self(text.into())
    }

    /// A value that is a key as it stands: nothing in it is escaped.
    pub fn is_plain(value: &str) -> bool {
        !value.bytes().any(|byte| matches!(byte, b'|' | b'\\'))
    }

    /// A key as it was stored or typed; `columns` is how many values it must hold.
    pub fn parse(text: &str, columns: usize) -> Option<Self> {
        let key = Self(text.into());
        (key.values()?.len() == columns).then_some(key)
    }

    /// A key read back from the control tables, which only hold what [`CartKey::of`] wrote.
    pub fn stored(text: &str) -> Self {
        Self(text.into())
    }

    /// The values again, or nothing where an escape is broken.
    pub fn values(&self) -> Option<Vec<String>> {
        if Self::is_plain(&self.0) {
            return Some(vec![self.0.clone().into()]);
        }
        let mut values = vec![String::new()];
        let mut chars = self.0.chars();
        while let Some(c) = chars.next() {
            match c {
                '|' => values.push(String::new()),
                '\\' => values.last_mut()?.push(chars.next()?),
                c => values.last_mut()?.push(c),
            }
        }
        Some(values)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for CartKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

//! A `[map.X]` as expressions call it: a pure function from texts to values of one type.

use std::borrow::Cow;

use chrono_tz::Tz;

use super::cast::{self, Context};
use super::error::EvalError;
use super::value::Value;
use crate::hash::HashMap;
use crate::sqltype::{Class, SqlType};

/// What becomes of a value that a map does not have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unknown {
    /// The cart is set aside.
    Hold,
    Null,
    /// The row is left out.
    Skip,
    /// The daemon stops.
    Stop,
    /// It is this one.
    Value(Box<str>),
}

/// The values of a map in their canonical form.
#[derive(Clone, Debug, PartialEq)]
pub struct ValueMap {
    pub name: String,
    pub class: Class,
    values: HashMap<Box<str>, Box<str>>,
    pub unknown: Unknown,
}

impl ValueMap {
    /// A value that is none of the class is left out: [`ValueMap::read`] says so beforehand.
    pub fn new(name: &str, class: Class, values: &[(String, String)], unknown: &Unknown) -> Self {
        let read = |(from, to): &(String, String)| {
            Some((from.as_str().into(), Self::read(to, class)?.into()))
        };
        let unknown = match unknown {
            Unknown::Value(text) => match Self::read(text, class) {
                Some(text) => Unknown::Value(text.into()),
                None => Unknown::Hold,
            },
            other => other.clone(),
        };
        Self {
            name: name.to_owned(),
            class,
            values: values.iter().filter_map(read).collect(),
            unknown,
        }
    }

    /// From each new value the old one can be told: no two have the same, and none is unknown.
    pub fn is_one_to_one(&self) -> bool {
        let mut new: Vec<&str> = self.values.values().map(|to| &**to).collect();
        new.sort_unstable();
        new.dedup();
        let refuses = !matches!(self.unknown, Unknown::Null | Unknown::Value(_));
        refuses && new.len() == self.values.len()
    }

    /// A text as a value of a class, in its canonical form.
    pub fn read(text: &str, class: Class) -> Option<String> {
        let ty = SqlType::of(class);
        cast::cast(
            Cow::Borrowed(text),
            Class::Text,
            &ty,
            Context::Explicit,
            Tz::UTC,
        )
        .map(Cow::into_owned)
        .ok()
    }

    /// What a value of the old shop is in the new one.
    pub fn value(&self, of: &str) -> Result<Value<'_>, EvalError> {
        let unknown = || format!("{} does not know a value", self.name);
        match (self.values.get(of), &self.unknown) {
            (Some(text), _) | (None, Unknown::Value(text)) => Ok(Value::of(self.class, &**text)),
            (None, Unknown::Null) => Ok(Value::Null),
            (None, Unknown::Hold) => Err(EvalError::Value(unknown())),
            (None, Unknown::Skip) => Err(EvalError::Skip),
            (None, Unknown::Stop) => Err(EvalError::Stop(unknown())),
        }
    }

    /// The type of its values, with the length of the longest where they are texts.
    pub fn sql_type(&self) -> SqlType {
        let given = match &self.unknown {
            Unknown::Value(text) => Some(text),
            _ => None,
        };
        let lengths = self.values.values().chain(given).map(|v| v.chars().count());
        SqlType {
            length: match self.class {
                Class::Text => lengths.max().and_then(|n| n.try_into().ok()),
                _ => None,
            },
            ..SqlType::of(self.class)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(class: Class, unknown: Unknown) -> ValueMap {
        let values = [("1", "7"), ("", "08")].map(|(a, b)| (a.to_owned(), b.to_owned()));
        ValueMap::new("region", class, &values, &unknown)
    }

    #[test]
    fn what_it_knows_and_what_it_does_not() {
        let text = |v: Result<Value<'_>, EvalError>| v.map(|v| v.text().map(str::to_owned));
        let known = map(Class::Text, Unknown::Hold);
        assert_eq!(text(known.value("1")), Ok(Some("7".into())));
        assert_eq!(text(known.value("")), Ok(Some("08".into())));
        // Another spelling of the same number is another text.
        let message = "region does not know a value".to_owned();
        for (unknown, gives) in [
            (Unknown::Hold, Err(EvalError::Value(message.clone()))),
            (Unknown::Null, Ok(None)),
            (Unknown::Skip, Err(EvalError::Skip)),
            (Unknown::Stop, Err(EvalError::Stop(message))),
            (Unknown::Value("9".into()), Ok(Some("9".to_owned()))),
        ] {
            assert_eq!(text(map(Class::Text, unknown).value("01")), gives);
        }
    }

    #[test]
    fn values_are_of_its_type() {
        let numbers = map(Class::Int4, Unknown::Value(" 11 ".into()));
        assert_eq!(numbers.value("").unwrap().text(), Some("8"));
        assert_eq!(numbers.value("x").unwrap().text(), Some("11"));
        assert_eq!(ValueMap::read("seven", Class::Int4), None);
        assert_eq!(map(Class::Text, Unknown::Null).sql_type().length, Some(2));
        let wide = map(Class::Text, Unknown::Value("four".into()));
        assert_eq!(wide.sql_type().length, Some(4));
    }
}

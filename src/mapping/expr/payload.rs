//! `each(…)`: a payload's elements, those of a JSON array or the members of a JSON object.

use std::collections::HashMap;

use super::error::EvalError;
use super::json::{self, Kind};
use super::scope::{Element, Env, Parts};
use super::{Decimal, Expr};
use crate::sqltype::Class;

impl Expr {
    /// The class of `item`, where this can be a payload.
    pub fn item_class(&self) -> Option<Class> {
        match self.ty() {
            Class::Json | Class::Text => Some(Class::Json),
            Class::Jsonb => Some(Class::Jsonb),
            _ => None,
        }
    }

    /// The elements of the payload that this gives for a row; of equal keys the last one counts.
    pub fn elements(&self, env: &Env<'_>) -> Result<Vec<Element>, EvalError> {
        let value = self.evaluate(env)?;
        let text = match value.text() {
            None => return Ok(Vec::new()),
            // An empty text is no JSON, and holds nothing.
            Some(text) if self.ty() == Class::Text && text.trim().is_empty() => {
                return Ok(Vec::new());
            }
            Some(text) => text,
        };
        let parsed =
            json::parse(text).ok_or_else(|| EvalError::value("the payload is not JSON"))?;
        let element = |key: &str, item: &json::Json<'_>| Element {
            key: key.to_owned(),
            item: item.raw.to_owned(),
        };
        match &parsed.kind {
            Kind::Null => Ok(Vec::new()),
            Kind::Array(items) => {
                let numbered = items.iter().enumerate();
                Ok(numbered
                    .map(|(i, item)| element(&i.to_string(), item))
                    .collect())
            }
            Kind::Object(pairs) => {
                let last: HashMap<&str, usize> = pairs
                    .iter()
                    .enumerate()
                    .map(|(i, (key, _))| (key.as_str(), i))
                    .collect();
                let counts =
                    |(i, (key, _)): &(usize, &(String, _))| last.get(key.as_str()) == Some(i);
                let members = pairs.iter().enumerate().filter(counts);
                Ok(members.map(|(_, (key, item))| element(key, item)).collect())
            }
            Kind::Bool(_) | Kind::Number(_) | Kind::String(_) => Err(EvalError::value(
                "the payload is neither a JSON array nor an object",
            )),
        }
    }

    /// Whether rows can be grouped by its values: equal ones have one text, or are given one.
    pub fn groups(&self) -> bool {
        use Class::*;
        let text = matches!(
            self.ty(),
            Bool | Text | Char | Bytea | Date | Time | Uuid | Enum
        );
        text || self.ty().is_number() || matches!(self.ty(), Timestamp | TimestampTz)
    }

    /// The text by which rows are grouped; equal for equal values.
    pub fn group_text(&self, env: &Env<'_>, parts: Parts<'_>) -> Result<Option<String>, EvalError> {
        let value = self.evaluate_shaped(env, parts)?;
        Ok(value.text().map(|text| match self.ty() {
            Class::Char => text.trim_end_matches(' ').to_owned(),
            class if class.is_number() => Decimal::parse(text).map_or_else(
                || text.to_owned(),
                |number| {
                    let text = number.to_string();
                    match text.contains('.') {
                        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
                        false => text,
                    }
                },
            ),
            _ => text.to_owned(),
        }))
    }
}

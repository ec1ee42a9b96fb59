//! Functions that build and read JSON.

use super::{Args, Function, Takes, function};
use crate::mapping::expr::error::EvalError;
use crate::mapping::expr::json::{self, Json, Kind};
use crate::mapping::expr::moment;
use crate::mapping::expr::value::Value;
use crate::sqltype::Class;

const JSON: Takes = Takes::Is(Class::Json);
const JSONB: Takes = Takes::Is(Class::Jsonb);
const TEXT: Takes = Takes::Is(Class::Text);
const INT: Takes = Takes::Is(Class::Int4);

type Given = Result<Option<String>, EvalError>;

const fn reads(
    name: &'static str,
    takes: &'static [Takes],
    gives: Class,
    call: fn(&Args<'_>) -> Given,
) -> Function {
    Function {
        nullable: true,
        ..function(name, takes, gives, call)
    }
}

pub(super) const ALL: &[Function] = &[
    Function {
        strict: false,
        repeats: true,
        least: 0,
        ..function(
            "json_build_object",
            &[Takes::Any],
            Class::Json,
            build_object,
        )
    },
    Function {
        strict: false,
        repeats: true,
        least: 0,
        ..function("json_build_array", &[Takes::Any], Class::Json, |a| {
            array_of(a.values.iter())
                .map(Some)
                .ok_or_else(|| a.error("a timestamp is out of range"))
        })
    },
    function(
        "jsonb_array_length",
        &[JSONB],
        Class::Int4,
        |a| match parse(a)?.kind {
            Kind::Array(items) => Ok(Some(items.len().to_string())),
            _ => Err(a.error("not an array")),
        },
    ),
    reads("->", &[JSON, TEXT], Class::Json, |a| {
        pick(a, member, verbatim)
    }),
    reads("->", &[JSON, INT], Class::Json, |a| {
        pick(a, element, verbatim)
    }),
    reads("->", &[JSONB, TEXT], Class::Jsonb, |a| {
        pick(a, member, verbatim)
    }),
    reads("->", &[JSONB, INT], Class::Jsonb, |a| {
        pick(a, element_of_jsonb, verbatim)
    }),
    reads("->>", &[JSON, TEXT], Class::Text, |a| pick(a, member, text)),
    reads("->>", &[JSON, INT], Class::Text, |a| pick(a, element, text)),
    reads("->>", &[JSONB, TEXT], Class::Text, |a| {
        pick(a, member, text)
    }),
    reads("->>", &[JSONB, INT], Class::Text, |a| {
        pick(a, element_of_jsonb, text)
    }),
    reads("#>>", &[JSON, TEXT], Class::Text, |a| pick(a, path, text)),
    reads("#>>", &[JSONB, TEXT], Class::Text, |a| pick(a, path, text)),
];

fn parse<'v>(a: &'v Args<'_>) -> Result<Json<'v>, EvalError> {
    json::parse(a.text(0)).ok_or_else(|| a.error("not JSON"))
}

type Find = for<'j> fn(&'j Json<'j>, &str) -> Option<&'j Json<'j>>;

fn pick(a: &Args<'_>, find: Find, print: fn(&Json<'_>) -> Option<String>) -> Given {
    let json = parse(a)?;
    Ok(find(&json, a.text(1)).and_then(print))
}

fn member<'j>(json: &'j Json<'j>, name: &str) -> Option<&'j Json<'j>> {
    json.member(name)
}

fn element<'j>(json: &'j Json<'j>, at: &str) -> Option<&'j Json<'j>> {
    json.element(at.parse().ok()?)
}

/// `jsonb` keeps a lone scalar as an array of one, and its operators let that be seen.
fn element_of_jsonb<'j>(json: &'j Json<'j>, at: &str) -> Option<&'j Json<'j>> {
    match json.kind {
        Kind::Array(_) => element(json, at),
        Kind::Object(_) => None,
        _ => matches!(at, "0" | "-1").then_some(json),
    }
}

/// Follows a path as an array literal writes it: `{a,b,0}`.
fn path<'j>(json: &'j Json<'j>, path: &str) -> Option<&'j Json<'j>> {
    let inner = path.trim().strip_prefix('{')?.strip_suffix('}')?;
    let mut at = json;
    if inner.trim().is_empty() {
        return Some(at);
    }
    for step in inner.split(',') {
        let step = step.trim();
        let step = step
            .strip_prefix('"')
            .and_then(|s| s.strip_suffix('"'))
            .unwrap_or(step);
        at = match at.kind {
            Kind::Array(_) => at.element(step.parse().ok()?)?,
            _ => at.member(step)?,
        };
    }
    Some(at)
}

/// Part of a `jsonb` text is canonical as the whole is.
fn verbatim(json: &Json<'_>) -> Option<String> {
    Some(json.raw.to_owned())
}

fn text(json: &Json<'_>) -> Option<String> {
    match &json.kind {
        Kind::Null => None,
        Kind::String(text) => Some(text.clone()),
        _ => Some(json.raw.to_owned()),
    }
}

fn build_object(a: &Args<'_>) -> Given {
    if !a.len().is_multiple_of(2) {
        return Err(a.error("needs names and values in pairs"));
    }
    let mut out = String::from("{");
    for (i, pair) in a.values.chunks_exact(2).enumerate() {
        if i > 0 {
            out.push_str(", ");
        }
        push_pair(&pair[0], &pair[1], &mut out).map_err(|problem| a.error(problem))?;
    }
    out.push('}');
    Ok(Some(out))
}

/// `[1, 2]`; none where a value cannot be written.
pub fn array_of<'v>(values: impl Iterator<Item = &'v Value<'v>>) -> Option<String> {
    let mut out = String::from("[");
    for (i, value) in values.enumerate() {
        if i > 0 {
            out.push_str(", ");
        }
        push_value(value, &mut out)?;
    }
    out.push(']');
    Some(out)
}

/// The aggregate's form, `{ "a" : 1, "b" : 2 }`, which is not that of `json_build_object`.
pub fn object_of(pairs: &[(Value<'_>, Value<'_>)]) -> Result<String, &'static str> {
    let mut out = String::from("{ ");
    for (i, (name, value)) in pairs.iter().enumerate() {
        if i > 0 {
            out.push_str(", ");
        }
        push_pair(name, value, &mut out)?;
    }
    out.push_str(" }");
    Ok(out)
}

fn push_pair(name: &Value<'_>, value: &Value<'_>, out: &mut String) -> Result<(), &'static str> {
    match name {
        Value::Null => return Err("a name must not be null"),
        Value::Of {
            class: Class::Json | Class::Jsonb,
            ..
        } => return Err("a name must not be JSON"),
        name => push_scalar(name, true, out).ok_or("a timestamp is out of range")?,
    }
    out.push_str(" : ");
    push_value(value, out).ok_or("a timestamp is out of range")
}

fn push_value(value: &Value<'_>, out: &mut String) -> Option<()> {
    push_scalar(value, false, out)
}

/// Writes a value as JSON does; a name is always a string.
fn push_scalar(value: &Value<'_>, name: bool, out: &mut String) -> Option<()> {
    let Value::Of { class, text } = value else {
        out.push_str("null");
        return Some(());
    };
    let bare = match class {
        Class::Bool => {
            let word = if text == "t" { "true" } else { "false" };
            if name {
                json::quote(word, out);
            } else {
                out.push_str(word);
            }
            return Some(());
        }
        Class::Json | Class::Jsonb => true,
        // NaN and the infinities are no JSON numbers.
        class if class.is_number() => text.ends_with(|c: char| c.is_ascii_digit()),
        Class::Timestamp | Class::TimestampTz => {
            let zone = if *class == Class::TimestampTz {
                "+00:00"
            } else {
                ""
            };
            let (micros, _) = moment::parse_timestamp(text)?;
            json::quote(&moment::print_for_json(micros, zone)?, out);
            return Some(());
        }
        _ => false,
    };
    if bare && !name {
        out.push_str(text);
    } else {
        json::quote(text, out);
    }
    Some(())
}

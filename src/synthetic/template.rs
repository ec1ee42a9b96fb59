//! Values of synthetic rows: texts with places in braces for what differs from cart to cart.

use std::collections::BTreeMap;

use sha2::{Digest as _, Sha256};

/// One part of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    Text(String),
    /// The mark of the cart, which no cart of a customer has.
    Marker,
    /// The cart's number.
    Number,
    /// A UUID that follows from the mark and from where it stands.
    Uuid,
    /// The time, in UTC.
    Now,
    /// A value of a row that was made before.
    Of {
        row: String,
        column: String,
    },
}

/// What is known of one synthetic cart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    pub number: i64,
    pub marker: String,
    /// Values of its rows, by `row.column`.
    pub values: BTreeMap<String, String>,
}

impl Known {
    pub fn of(pipeline: &str, number: i64) -> Self {
        Self {
            number,
            marker: format!("cartage-{pipeline}-{number}"),
            values: BTreeMap::new(),
        }
    }
}

/// Reads a template; the error says what is wrong in it. A brace is doubled.
pub fn parse(text: &str) -> Result<Vec<Part>, String> {
    let mut parts = Vec::new();
    let mut plain = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(['{', '}']) {
        plain += &rest[..at];
        let brace = &rest[at..at + 1];
        let after = &rest[at + 1..];
        if after.starts_with(brace) {
            plain += brace;
            rest = &after[1..];
            continue;
        }
        let end = after.find('}').filter(|_| brace == "{");
        let end = end.ok_or("a single brace is doubled: {{ or }}")?;
        if !plain.is_empty() {
            parts.push(Part::Text(std::mem::take(&mut plain)));
        }
        parts.push(place(&after[..end])?);
        rest = &after[end + 1..];
    }
    plain += rest;
    if !plain.is_empty() || parts.is_empty() {
        parts.push(Part::Text(plain));
    }
    Ok(parts)
}

fn place(name: &str) -> Result<Part, String> {
    match name {
        "marker" => Ok(Part::Marker),
        "n" => Ok(Part::Number),
        "uuid" => Ok(Part::Uuid),
        "now" => Ok(Part::Now),
        _ => match name.split_once('.') {
            Some((row, column)) if !row.is_empty() && !column.is_empty() => Ok(Part::Of {
                row: row.to_owned(),
                column: column.to_owned(),
            }),
            _ => Err(format!(
                "{{{name}}} stands for nothing; known are {{marker}}, {{n}}, {{uuid}}, {{now}} and \
                 {{row.column}}"
            )),
        },
    }
}

/// The value for one cart, at a place of it. None where it needs a value that is not known.
pub fn render(parts: &[Part], known: &Known, place: &str) -> Option<String> {
    let mut out = String::new();
    for part in parts {
        match part {
            Part::Text(text) => out += text,
            Part::Marker => out += &known.marker,
            Part::Number => out += &known.number.to_string(),
            Part::Uuid => out += &uuid(&known.marker, place),
            Part::Now => out += &now(),
            Part::Of { row, column } => out += known.values.get(&format!("{row}.{column}"))?,
        }
    }
    Some(out)
}

/// Whether the value is one cart's alone: by it, the row is found again.
pub fn ties(parts: &[Part]) -> bool {
    let tie = |part: &Part| !matches!(part, Part::Text(_) | Part::Now);
    parts.iter().any(tie)
}

/// Whether a customer's row cannot have it: the mark is in it, or a value of a row before it.
pub fn marks(parts: &[Part]) -> bool {
    let mark = |part: &Part| matches!(part, Part::Marker | Part::Of { .. });
    parts.iter().any(mark)
}

/// The same for the same cart and place, so that the row is found again whoever was killed.
fn uuid(marker: &str, place: &str) -> String {
    let hash = Sha256::digest(format!("{marker} {place}"));
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash[..16]);
    uuid::Builder::from_custom_bytes(bytes)
        .into_uuid()
        .to_string()
}

fn now() -> String {
    chrono::Utc::now()
        .format("%Y-%m-%d %H:%M:%S%.6f")
        .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rendered(text: &str) -> Option<String> {
        let mut known = Known::of("shop", 7);
        known.values.insert("orders.id".into(), "4711".into());
        render(&parse(text).expect("a template"), &known, "lines.id")
    }

    #[test]
    fn places_are_filled_and_doubled_braces_are_braces() {
        for (text, value) in [
            ("{marker}@cartage.invalid", "cartage-shop-7@cartage.invalid"),
            ("9000{n}", "90007"),
            ("{orders.id}", "4711"),
            ("{{\"a\": {n}}}", "{\"a\": 7}"),
            ("", ""),
        ] {
            assert_eq!(rendered(text).as_deref(), Some(value), "{text}");
        }
        assert_eq!(rendered("{orders.no}"), None);
        assert_eq!(rendered("{uuid}"), rendered("{uuid}"));
        assert_eq!(rendered("{uuid}").map(|u| u.len()), Some(36));
    }

    #[test]
    fn what_stands_for_nothing_is_an_error() {
        for text in ["{", "}", "a}b", "{x}", "{.a}", "{a.}", "{}"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_row_is_found_by_what_is_its_carts_alone() {
        let of = |text: &str| parse(text).map(|p| (ties(&p), marks(&p)));
        assert_eq!(of("{marker}"), Ok((true, true)));
        assert_eq!(of("9{n}"), Ok((true, false)));
        assert_eq!(of("{orders.id}"), Ok((true, true)));
        assert_eq!(of("{now}"), Ok((false, false)));
        assert_eq!(of("EUR"), Ok((false, false)));
    }
}

//! `[lookup.NAME]`: values from tables that are not part of a cart.

use std::time::Duration;

use toml::Spanned;
use toml::de::DeValue;

use super::Lookup;
use super::reader::{Problems, Section, table, wrong};
use crate::diagnostic::Diagnostic;
use crate::mapping::lookup::{End, Lack};

const ENDS: [(&str, End); 2] = [("source", End::Source), ("target", End::Target)];

const LACKS: [(&str, Lack); 4] = [
    ("hold", Lack::Hold),
    ("null", Lack::Null),
    ("skip", Lack::Skip),
    ("error", Lack::Error),
];

/// How long an answer that was found serves other carts, where nothing else is said.
const USUAL_CACHE: Duration = Duration::from_secs(60);

/// All of them, in the order of the file.
pub(super) fn read_all(root: &mut Section<'_>, problems: &mut Problems) -> Vec<Lookup> {
    let Some((span, value)) = root.take("lookup") else {
        return Vec::new();
    };
    let DeValue::Table(lookups) = value.get_ref() else {
        wrong("lookup", value, "a table: [lookup.NAME]", problems);
        return Vec::new();
    };
    let section = Section::new("[lookup]", span, lookups);
    let mut read: Vec<Lookup> = section
        .into_entries()
        .into_iter()
        .filter_map(|entry| {
            let name = format!("[lookup.{}]", entry.key);
            let span = entry.key.span();
            let section = table(name, span, entry.value, problems)?;
            lookup(entry.key, section, problems)
        })
        .collect();
    read.sort_by_key(|lookup| lookup.name.span().start);
    read
}

fn lookup(
    name: Spanned<String>,
    mut section: Section<'_>,
    problems: &mut Problems,
) -> Option<Lookup> {
    let letters = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    let text = name.get_ref();
    let good = text.starts_with(|c: char| c.is_ascii_lowercase()) && text.chars().all(letters);
    if !good {
        let message = format!("`{text}` cannot be called in an expression");
        let expected = "a lower-case letter, then lower-case letters, digits and underscores";
        problems.push(Diagnostic::error(name.span(), message).expected(expected));
    } else if crate::mapping::expr::is_function(text) {
        let message = format!("`{text}` is a function of the language already");
        problems.push(Diagnostic::error(name.span(), message).expected("another name"));
    }
    if !section.has("on") {
        section.missing("on", "\"source\" or \"target\"", problems);
    }
    let on = section.choice("on", &ENDS, problems);
    let table = section.required("table", "the table that is asked", problems);
    let matches = list(
        &mut section,
        "match",
        "the columns of the arguments",
        problems,
    );
    let get = list(
        &mut section,
        "get",
        "the columns that a call gives",
        problems,
    );
    let filter = section.string("where", problems);
    let missing = section.choice("missing", &LACKS, problems);
    let ambiguous = section.choice("ambiguous", &LACKS, problems);
    let cache = section.duration("cache", problems);
    section.finish(problems);
    Some(Lookup {
        name,
        on: on?,
        table: table?,
        matches: matches?,
        get: get?,
        filter,
        missing: missing.unwrap_or(Lack::Hold),
        ambiguous: ambiguous.unwrap_or(Lack::Hold),
        cache: cache.unwrap_or(USUAL_CACHE),
    })
}

fn list(
    section: &mut Section<'_>,
    key: &'static str,
    expected: &str,
    problems: &mut Problems,
) -> Option<Vec<Spanned<String>>> {
    if !section.has(key) {
        section.missing(key, expected, problems);
    }
    let list = section.strings(key, problems);
    (!list.is_empty()).then_some(list)
}

//! `[map.X]`: values of the old shop and what each is in the new one.

use toml::Spanned;
use toml::de::DeValue;

use super::cart::alias_of;
use super::reader::{Entry, Problems, Section, string, table, wrong};
use super::{Cart, Rows};
use crate::diagnostic::Diagnostic;
use crate::mapping::expr::{self, Unknown, ValueMap};
use crate::sqltype::{Class, SqlType};

/// Types whose values can be written down without a time zone or a locale.
const TYPES: [(&str, Class); 10] = [
    ("text", Class::Text),
    ("smallint", Class::Int2),
    ("integer", Class::Int4),
    ("bigint", Class::Int8),
    ("numeric", Class::Numeric),
    ("boolean", Class::Bool),
    ("date", Class::Date),
    ("uuid", Class::Uuid),
    ("json", Class::Json),
    ("jsonb", Class::Jsonb),
];

static POLICIES: [(&str, Unknown); 4] = [
    ("hold", Unknown::Hold),
    ("null", Unknown::Null),
    ("skip", Unknown::Skip),
    ("error", Unknown::Stop),
];

const UNKNOWN: &str = "`hold`, `null`, `skip`, `error` or { value = \"…\" }";

/// One `[map.X]`.
#[derive(Clone, Debug)]
pub struct Map {
    pub name: Spanned<String>,
    /// One of the plain types.
    pub class: Class,
    /// The old value and the new one, each as a text.
    pub values: Vec<(String, String)>,
    /// A value in it is spelled as those of `values` are.
    pub unknown: Unknown,
}

impl Map {
    /// As expressions call it; its values have been read already.
    pub fn compiled(&self) -> ValueMap {
        ValueMap::new(self.name.get_ref(), self.class, &self.values, &self.unknown)
    }

    /// The words of the file for its type and its policy.
    pub(super) fn words(&self) -> (&'static str, Option<&'static str>) {
        let class = TYPES.iter().find(|(_, class)| *class == self.class);
        let policy = POLICIES.iter().find(|(_, policy)| *policy == self.unknown);
        (class.map_or("text", |t| t.0), policy.map(|p| p.0))
    }
}

/// All of them. A name must not be that of anything else that expressions know.
pub(super) fn read_all(
    root: &mut Section<'_>,
    cart: Option<&Cart>,
    rows: &[Rows],
    problems: &mut Problems,
) -> Vec<Map> {
    let lookups = root.names_in("lookup");
    let Some(section) = root.table("map", problems) else {
        return Vec::new();
    };
    if section.is_empty() {
        let message = "`map` is not a mapping of values by itself";
        problems.push(Diagnostic::error(section.span.clone(), message).expected("[map.NAME]"));
    }
    let header = cart.map(|cart| alias_of(cart.table.get_ref()));
    let taken = |name: &str| {
        let is = |other: &str| other.eq_ignore_ascii_case(name);
        if expr::is_function(name) {
            Some("a function")
        } else if header.is_some_and(is) || rows.iter().any(|r| is(r.alias.get_ref())) {
            Some("a table of the cart")
        } else if lookups.iter().any(|lookup| is(lookup)) {
            Some("a lookup")
        } else {
            None
        }
    };
    let mut maps: Vec<Map> = Vec::new();
    for entry in section.into_entries() {
        let name = entry.key.clone();
        let word = name.get_ref();
        let letter = |c: char| c.is_ascii_alphabetic() || c == '_';
        let plain = word.starts_with(letter)
            && word.chars().all(|c| letter(c) || c.is_ascii_digit())
            && !expr::is_keyword(word);
        let twin = |m: &&Map| m.name.get_ref().eq_ignore_ascii_case(word);
        let problem = if !plain {
            Some((
                format!("`{word}` cannot be called in an expression"),
                "letters, digits and underscores, the first no digit, and no word of SQL",
            ))
        } else if let Some(what) = taken(word) {
            Some((format!("`{word}` is {what} already"), "another name"))
        } else if let Some(twin) = maps.iter().find(twin) {
            let message = format!("`{word}` and `{}` differ in case alone", twin.name);
            Some((message, "another name"))
        } else {
            None
        };
        if let Some((message, expected)) = problem {
            problems.push(Diagnostic::error(name.span(), message).expected(expected));
        }
        maps.extend(read(entry, problems));
    }
    maps
}

fn read(entry: Entry<'_>, problems: &mut Problems) -> Option<Map> {
    let name = entry.key;
    let mut section = table(format!("[map.{name}]"), name.span(), entry.value, problems)?;
    let class = section.choice("type", &TYPES, problems);
    // Values are not measured by a type that is none.
    let known = class.is_some() || !section.has("type");
    let class = class.unwrap_or(Class::Text);
    if !section.has("values") {
        section.missing("values", "{ \"old value\" = \"new value\", … }", problems);
    }
    let values = section.table("values", problems);
    let values: Vec<Option<(String, String)>> = values.map_or(Vec::new(), |values| {
        if values.is_empty() {
            let message = "`values` is empty";
            let at = values.span.clone();
            problems.push(Diagnostic::error(at, message).expected("a value to begin with"));
        }
        let entries = values.into_entries().into_iter();
        entries
            .map(|e| Some((e.key.get_ref().clone(), value(&e, class, known, problems)?)))
            .collect()
    });
    let unknown = unknown(&mut section, class, known, problems);
    section.finish(problems);
    let values: Vec<(String, String)> = values.into_iter().collect::<Option<_>>()?;
    Some(Map {
        name,
        class,
        values,
        unknown: unknown?,
    })
}

fn unknown(
    section: &mut Section<'_>,
    class: Class,
    known: bool,
    problems: &mut Problems,
) -> Option<Unknown> {
    let Some((span, given)) = section.take("unknown") else {
        return Some(Unknown::Hold);
    };
    match given.get_ref() {
        DeValue::String(word) => {
            let found = POLICIES.iter().find(|(name, _)| name == word);
            if found.is_none() {
                wrong("unknown", given, UNKNOWN, problems);
            }
            found.map(|(_, policy)| policy.clone())
        }
        DeValue::Table(_) => {
            let mut inner = table("`unknown`".into(), span, given, problems)?;
            if !inner.has("value") {
                inner.missing("value", "the value that it is then", problems);
            }
            let entry = inner.entry("value");
            let read = entry.and_then(|entry| value(&entry, class, known, problems));
            inner.finish(problems);
            read.map(|text| Unknown::Value(text.into()))
        }
        _ => {
            wrong("unknown", given, UNKNOWN, problems);
            None
        }
    }
}

/// A new value as a text, if it is one of the map's type.
fn value(entry: &Entry<'_>, class: Class, known: bool, problems: &mut Problems) -> Option<String> {
    let text = match entry.value.get_ref() {
        DeValue::String(text) => text.to_string(),
        DeValue::Integer(n) if class.is_number() && n.radix() == 10 => n.as_str().to_owned(),
        DeValue::Float(n) if class == Class::Numeric => n.as_str().to_owned(),
        DeValue::Boolean(truth) if class == Class::Bool => truth.to_string(),
        _ if class == Class::Text && known => {
            // Its message says that a string is expected.
            let _ = string(entry.key.get_ref(), entry.value, problems);
            return None;
        }
        _ if !known => return None,
        _ => {
            let expected = format!("a value of the type {}", SqlType::of(class).name);
            wrong(entry.key.get_ref(), entry.value, &expected, problems);
            return None;
        }
    };
    if known && ValueMap::read(&text, class).is_none() {
        let message = format!("`{}` is no {}", entry.key, SqlType::of(class).name);
        problems.push(
            Diagnostic::error(entry.value.span(), message)
                .expected(format!("a value of the type {}", SqlType::of(class).name)),
        );
        return None;
    }
    Some(text)
}

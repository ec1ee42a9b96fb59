//! Reading spanned TOML tables key by key, collecting every problem instead of the first.

use std::ops::Range;
use std::time::Duration;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::diagnostic::Diagnostic;

/// A table of the file. Keys are taken one by one; [`Section::finish`] reports what is left.
pub(super) struct Section<'t> {
    /// As messages name it: `[source]`.
    pub name: String,
    /// Where a missing key is reported.
    pub span: Range<usize>,
    entries: Vec<Entry<'t>>,
    known: Vec<&'static str>,
}

pub(super) struct Entry<'t> {
    pub key: Spanned<String>,
    pub value: &'t Spanned<DeValue<'t>>,
    taken: bool,
}

/// What has been found wrong so far.
pub(super) type Problems = Vec<Diagnostic>;

impl<'t> Section<'t> {
    pub fn new(name: impl Into<String>, span: Range<usize>, table: &'t DeTable<'t>) -> Self {
        let mut entries: Vec<Entry> = table
            .iter()
            .map(|(key, value)| Entry {
                key: Spanned::new(key.span(), key.get_ref().to_string()),
                value,
                taken: false,
            })
            .collect();
        entries.sort_by_key(|e| e.key.span().start);
        Self {
            name: name.into(),
            span,
            entries,
            known: Vec::new(),
        }
    }

    /// A section that the file does not have: all of its keys have their defaults.
    pub fn absent(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            span: 0..0,
            entries: Vec::new(),
            known: Vec::new(),
        }
    }

    pub fn take(&mut self, key: &'static str) -> Option<(Range<usize>, &'t Spanned<DeValue<'t>>)> {
        self.known.push(key);
        let entry = self.entries.iter_mut().find(|e| e.key.get_ref() == key)?;
        entry.taken = true;
        Some((entry.key.span(), entry.value))
    }

    /// One entry with its key.
    pub fn entry(&mut self, key: &'static str) -> Option<Entry<'t>> {
        let (span, value) = self.take(key)?;
        Some(Entry {
            key: Spanned::new(span, key.to_owned()),
            value,
            taken: true,
        })
    }

    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The keys of a table in this one, which is not taken by that.
    pub fn names_in(&self, key: &str) -> Vec<&'t str> {
        let entry = self.entries.iter().find(|e| e.key.get_ref() == key);
        match entry.map(|e| e.value.get_ref()) {
            Some(DeValue::Table(table)) => table.keys().map(|k| k.get_ref().as_ref()).collect(),
            _ => Vec::new(),
        }
    }

    /// All entries, for tables whose keys are free names.
    pub fn into_entries(self) -> Vec<Entry<'t>> {
        self.entries
    }

    pub fn table(&mut self, key: &'static str, problems: &mut Problems) -> Option<Section<'t>> {
        let name = format!("[{key}]");
        let (span, value) = self.take(key)?;
        table(name, span, value, problems)
    }

    pub fn string(
        &mut self,
        key: &'static str,
        problems: &mut Problems,
    ) -> Option<Spanned<String>> {
        let (_, value) = self.take(key)?;
        string(key, value, problems)
    }

    pub fn required(
        &mut self,
        key: &'static str,
        expected: &str,
        problems: &mut Problems,
    ) -> Option<Spanned<String>> {
        if !self.has(key) {
            self.known.push(key);
            self.missing(key, expected, problems);
            return None;
        }
        self.string(key, problems)
    }

    pub fn has(&self, key: &str) -> bool {
        self.entries.iter().any(|e| e.key.get_ref() == key)
    }

    pub fn missing(&self, key: &str, expected: &str, problems: &mut Problems) {
        problems.push(
            Diagnostic::error(
                self.span.clone(),
                format!("`{key}` is missing in {}", self.name),
            )
            .expected(format!("`{key}` = {expected}")),
        );
    }

    /// A string or a list of strings.
    pub fn strings(&mut self, key: &'static str, problems: &mut Problems) -> Vec<Spanned<String>> {
        let Some((_, value)) = self.take(key) else {
            return Vec::new();
        };
        match value.get_ref() {
            DeValue::String(s) => vec![Spanned::new(value.span(), s.to_string())],
            DeValue::Array(list) if !list.is_empty() => list
                .iter()
                .filter_map(|v| string(key, v, problems))
                .collect(),
            _ => {
                wrong(key, value, "a name or a list of names", problems);
                Vec::new()
            }
        }
    }

    pub fn integer(
        &mut self,
        key: &'static str,
        allowed: std::ops::RangeInclusive<i64>,
        problems: &mut Problems,
    ) -> Option<i64> {
        let (_, value) = self.take(key)?;
        let number = match value.get_ref() {
            DeValue::Integer(i) => i64::from_str_radix(i.as_str(), i.radix()).ok(),
            _ => None,
        };
        let number = number.filter(|n| allowed.contains(n));
        if number.is_none() {
            let expected = match *allowed.end() {
                i64::MAX => format!("a whole number, {} or more", allowed.start()),
                end => format!("a whole number from {} to {end}", allowed.start()),
            };
            wrong(key, value, &expected, problems);
        }
        number
    }

    pub fn number(&mut self, key: &'static str, problems: &mut Problems) -> Option<f64> {
        let (_, value) = self.take(key)?;
        let number: Option<f64> = match value.get_ref() {
            DeValue::Integer(i) if i.radix() == 10 => i.as_str().parse().ok(),
            DeValue::Float(f) => f.as_str().parse().ok(),
            _ => None,
        };
        let number = number.filter(|n| n.is_finite());
        if number.is_none() {
            wrong(key, value, "a number", problems);
        }
        number
    }

    pub fn duration(&mut self, key: &'static str, problems: &mut Problems) -> Option<Duration> {
        let (_, value) = self.take(key)?;
        let parsed = value.get_ref().as_str().and_then(duration);
        if parsed.is_none() {
            let expected =
                "a duration: a whole number and `ms`, `s`, `m`, `h` or `d`, like \"20s\"";
            wrong(key, value, expected, problems);
        }
        parsed
    }

    /// One of a few words.
    pub fn choice<T: Copy>(
        &mut self,
        key: &'static str,
        words: &[(&str, T)],
        problems: &mut Problems,
    ) -> Option<T> {
        let (_, value) = self.take(key)?;
        let found = value
            .get_ref()
            .as_str()
            .and_then(|s| words.iter().find(|(word, _)| *word == s));
        if found.is_none() {
            wrong(key, value, &one_of(words.iter().map(|w| w.0)), problems);
        }
        found.map(|(_, t)| *t)
    }

    /// Reports keys that nobody asked for.
    pub fn finish(self, problems: &mut Problems) {
        for entry in self.entries.iter().filter(|e| !e.taken) {
            let key = entry.key.get_ref();
            let mut problem = Diagnostic::error(
                entry.key.span(),
                format!("unknown key `{key}` in {}", self.name),
            );
            problem = match nearest(key, self.known.iter().copied()) {
                Some(known) => problem.expected(format!("`{known}`?")),
                None => problem.expected(one_of(self.known.iter().copied())),
            };
            problems.push(problem);
        }
    }
}

pub(super) fn table<'t>(
    name: String,
    span: Range<usize>,
    value: &'t Spanned<DeValue<'t>>,
    problems: &mut Problems,
) -> Option<Section<'t>> {
    match value.get_ref() {
        DeValue::Table(table) => Some(Section::new(name, span, table)),
        _ => {
            let key = name.trim_matches(['[', ']']).to_owned();
            wrong(&key, value, "a table", problems);
            None
        }
    }
}

/// A string that is not empty.
pub(super) fn string(
    key: &str,
    value: &Spanned<DeValue<'_>>,
    problems: &mut Problems,
) -> Option<Spanned<String>> {
    match value.get_ref() {
        DeValue::String(s) if s.trim().is_empty() => {
            let message = format!("`{key}` is empty");
            problems.push(Diagnostic::error(value.span(), message).expected("a text"));
            None
        }
        DeValue::String(s) => Some(Spanned::new(value.span(), s.to_string())),
        _ => {
            wrong(key, value, "a string", problems);
            None
        }
    }
}

pub(super) fn wrong(
    key: &str,
    value: &Spanned<DeValue<'_>>,
    expected: &str,
    problems: &mut Problems,
) {
    let found = match value.get_ref() {
        DeValue::String(_) => "a string",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a number with a fraction",
        DeValue::Boolean(_) => "a boolean",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    };
    // Where the kind is right, the value is not.
    let in_quotes = expected.starts_with('`') || expected.starts_with("a duration");
    let message = if expected.starts_with(found) || (found == "a string" && in_quotes) {
        format!("`{key}` cannot have this value")
    } else {
        format!("`{key}` cannot be {found}")
    };
    problems.push(Diagnostic::error(value.span(), message).expected(expected));
}

/// `0ms`, `20s`, `1m`, `2h`.
pub fn duration(text: &str) -> Option<Duration> {
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let number: u64 = text[..digits].parse().ok()?;
    let milliseconds = match &text[digits..] {
        "ms" => 1,
        "s" => 1000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return None,
    };
    Some(Duration::from_millis(number.checked_mul(milliseconds)?))
}

/// "`a`, `b` or `c`".
pub(super) fn one_of<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    let words: Vec<String> = words.into_iter().map(|w| format!("`{w}`")).collect();
    match words.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        Some((last, _)) => last.clone(),
        None => "nothing".into(),
    }
}

/// The known name that differs least, if it is near enough to be meant.
pub(crate) fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let name = name.to_lowercase();
    let allowed = if name.len() < 5 { 1 } else { 2 };
    let distance = |known: &str| {
        let known = known.to_lowercase();
        let begins = name.len() > 2 && known.starts_with(&name);
        if begins {
            allowed
        } else {
            edits(&name, &known)
        }
    };
    known
        .into_iter()
        .map(|k| (distance(k), k))
        .min()
        .filter(|(edits, _)| *edits <= allowed)
        .map(|(_, known)| known)
}

/// Levenshtein's distance.
fn edits(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = i;
        row[0] = i + 1;
        for (j, to) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(from != *to);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        assert_eq!(duration("0ms"), Some(Duration::ZERO));
        assert_eq!(duration("20s"), Some(Duration::from_secs(20)));
        assert_eq!(duration("1m"), Some(Duration::from_secs(60)));
        assert_eq!(duration("2h"), Some(Duration::from_secs(7200)));
        assert_eq!(duration("30d"), Some(Duration::from_secs(2_592_000)));
        for bad in [
            "",
            "5",
            "s",
            "-1s",
            "1.5s",
            "1 s",
            "99999999999999999999s",
            "9999999999999999h",
        ] {
            assert_eq!(duration(bad), None, "{bad}");
        }
    }

    #[test]
    fn the_nearest_name_is_near() {
        assert_eq!(
            nearest("batchrows", ["batch_rows", "lanes"]),
            Some("batch_rows")
        );
        assert_eq!(nearest("Lane", ["batch_rows", "lanes"]), Some("lanes"));
        assert_eq!(nearest("item", ["id", "item_id"]), Some("item_id"));
        assert_eq!(nearest("gone", ["code", "one_more"]), None);
        assert_eq!(nearest("colour", ["batch_rows", "lanes"]), None);
    }
}

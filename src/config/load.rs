//! From a file to a [`Config`], or to everything that is wrong with it.

use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::{DeTable, Error};

use super::reader::{Problems, Section};
use super::{
    Config, Endpoint, Secret, cart, connection, into, locate, log, lookup, map, mask, metrics,
    reconcile, secret, synthetic,
};
use crate::diagnostic::{Diagnostic, Diagnostics};

/// Whoever writes more has named the wrong file.
const MAX_BYTES: usize = 2 << 20;

/// Sections that are documented and have no effect yet.
const NOT_BUILT: [&str; 3] = ["routing", "guard", "admin"];

impl Config {
    pub fn load(path: &Path) -> Result<Self, Diagnostics> {
        let text = std::fs::read(path)
            .map_err(|e| e.to_string())
            .and_then(|bytes| String::from_utf8(bytes).map_err(|_| "it is not UTF-8".into()));
        match text {
            Ok(text) => Self::parse(&text, path),
            Err(e) => {
                let problem = Diagnostic {
                    span: None,
                    ..Diagnostic::error(0..0, format!("cannot be read: {e}"))
                };
                Err(Diagnostics::new(path, "", vec![problem]))
            }
        }
    }

    /// `path` names the file in messages; relative files are looked up beside it.
    pub fn parse(text: &str, path: &Path) -> Result<Self, Diagnostics> {
        if text.len() > MAX_BYTES {
            let problem = Diagnostic::error(0..0, "this is more than 2 MiB");
            let problem = problem.expected("the configuration of a pipeline");
            return Err(Diagnostics::new(path, "", vec![problem]));
        }
        let (table, errors) = DeTable::parse_recoverable(text);
        let shown = mask::masked(text);
        if !errors.is_empty() {
            let problems = errors.iter().map(syntax).collect();
            return Err(Diagnostics::new(path, &shown, problems));
        }
        let mut problems = Problems::new();
        let root = Section::new("the configuration", 0..0, table.get_ref());
        match read(root, path, &shown, &mut problems) {
            Some(config) if problems.is_empty() => Ok(config),
            _ => Err(Diagnostics::new(path, &shown, problems)),
        }
    }

    /// The file offset of byte `offset` of a string's value.
    pub fn locate(&self, value: &Spanned<String>, offset: usize) -> usize {
        locate_in(&self.text, value, offset)
    }
}

pub(super) fn locate_in(text: &str, value: &Spanned<String>, offset: usize) -> usize {
    let span = value.span();
    let raw = text.get(span.clone()).unwrap_or_default();
    locate::offset_in_file(raw, span.start, value.get_ref(), offset)
}

pub(super) fn syntax(error: &Error) -> Diagnostic {
    Diagnostic {
        span: error.span(),
        ..Diagnostic::error(0..0, error.message())
    }
}

fn read(mut root: Section<'_>, path: &Path, text: &str, problems: &mut Problems) -> Option<Config> {
    let name = name(&mut root, problems);
    let source = connection::endpoint(&mut root, "source", path, problems);
    let target: Option<Endpoint> = connection::endpoint(&mut root, "target", path, problems);
    let apply = connection::apply(&mut root, problems);
    let refresh = connection::refresh(&mut root, problems);
    let watch = connection::watch(&mut root, problems);
    let conflicts = connection::conflicts(&mut root, problems);
    let log = log::read(&mut root, problems);
    let metrics = metrics::read(&mut root, problems);
    let synthetic = synthetic::read(&mut root, problems);
    let ids_secret = ids(&mut root, path, problems);
    let (cart, rows) = cart::read(&mut root, problems);
    let maps = map::read_all(&mut root, cart.as_ref(), &rows, problems);
    let lookups = lookup::read_all(&mut root, problems);
    let into = into::read_all(&mut root, cart.as_ref(), &rows, problems);
    if let Some(cart) = &cart {
        cart::check_headless(cart, &into, problems);
    }
    let merge = into::merge(&mut root, problems);
    let reconcile = reconcile::read(&mut root, &into, problems);
    for key in NOT_BUILT {
        if let Some((span, _)) = root.take(key) {
            problems.push(Diagnostic::error(span, format!("[{key}] is not built yet")));
        }
    }
    root.finish(problems);
    Some(Config {
        path: PathBuf::from(path),
        text: text.to_owned(),
        name: name?,
        source: source?,
        target: target?,
        apply,
        refresh,
        reconcile,
        watch,
        conflicts,
        log,
        metrics,
        synthetic,
        ids_secret,
        cart: cart?,
        rows,
        maps,
        lookups,
        into,
        merge,
    })
}

fn name(root: &mut Section<'_>, problems: &mut Problems) -> Option<String> {
    let expected = "a lower-case letter, then at most 39 lower-case letters, digits and hyphens";
    let name = root.required("name", expected, problems)?;
    let text = name.get_ref();
    let letters = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let good = text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.chars().all(letters)
        && text.len() <= 40;
    if !good {
        let message = "`name` cannot name a slot and a publication";
        problems.push(Diagnostic::error(name.span(), message).expected(expected));
    }
    Some(name.into_inner())
}

fn ids(root: &mut Section<'_>, path: &Path, problems: &mut Problems) -> Option<Secret> {
    let mut section = root.table("ids", problems)?;
    let secret = secret::read(&mut section, "secret", path, problems);
    section.finish(problems);
    secret
}

//! `[log]`: what the daemon logs, unless whoever starts it says otherwise.

use toml::Spanned;

use super::Log;
use super::reader::{Problems, Section};
use crate::diagnostic::Diagnostic;

const WORDS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];

pub(super) fn read(root: &mut Section<'_>, problems: &mut Problems) -> Log {
    let mut section = root
        .table("log", problems)
        .unwrap_or_else(|| Section::absent("[log]"));
    let level = section.string("level", problems);
    section.finish(problems);
    if let Some(level) = &level {
        check(level, problems);
    }
    let level = level.map_or_else(|| "info".to_owned(), Spanned::into_inner);
    Log { level }
}

/// The subscriber takes a word that is no level for the name of a module, and falls silent.
fn check(level: &Spanned<String>, problems: &mut Problems) {
    let good = level.get_ref().split(',').all(|part| {
        let (module, word) = part.trim().rsplit_once('=').unwrap_or(("all", part.trim()));
        let letters = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | ':');
        WORDS.contains(&word) && !module.is_empty() && module.chars().all(letters)
    });
    if !good {
        let expected = "`error`, `warn`, `info`, `debug` or `trace`; for modules apart: \
                        \"info,cartage::lanes=debug\"";
        let message = "`level` is not a level of logging";
        problems.push(Diagnostic::error(level.span(), message).expected(expected));
    }
}

//! Passwords and keys: named in the configuration, read from the environment or from a file.

use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::DeValue;

use super::Secret;
use super::reader::{Problems, Section, table, wrong};
use crate::diagnostic::Diagnostic;

/// `key = { env = "NAME" }` or `key = { file = "PATH" }`.
pub(super) fn read(
    section: &mut Section<'_>,
    key: &'static str,
    config: &Path,
    problems: &mut Problems,
) -> Option<Secret> {
    let (span, value) = section.take(key)?;
    if !matches!(value.get_ref(), DeValue::Table(_)) {
        let expected =
            "{ env = \"NAME\" } or { file = \"PATH\" }; secrets do not stand in this file";
        wrong(key, value, expected, problems);
        return None;
    }
    let mut source = table(format!("`{key}`"), span, value, problems)?;
    let env = source.string("env", problems);
    let file = source.string("file", problems);
    source.finish(problems);
    let read = match (env, file) {
        (Some(name), None) => from_env(&name),
        (None, Some(file)) => from_file(&file, config),
        (None, None) | (Some(_), Some(_)) => Err(Diagnostic::error(
            value.span(),
            format!("`{key}` does not say where it is"),
        )
        .expected("{ env = \"NAME\" } or { file = \"PATH\" }")),
    };
    read.map_err(|problem| problems.push(problem)).ok()
}

fn from_env(name: &Spanned<String>) -> Result<Secret, Diagnostic> {
    match std::env::var(name.get_ref()) {
        Ok(value) if !value.is_empty() => Ok(Secret(value)),
        _ => Err(Diagnostic::error(
            name.span(),
            format!("the environment variable {name} is not set"),
        )
        .expected("the name of a variable that holds the secret")),
    }
}

fn from_file(file: &Spanned<String>, config: &Path) -> Result<Secret, Diagnostic> {
    let path = resolve(file.get_ref(), config);
    let read = std::fs::read_to_string(&path).map_err(|e| e.to_string());
    let value = read.and_then(|text| match text.trim_end_matches(['\r', '\n']) {
        "" => Err("it is empty".to_owned()),
        value => Ok(value.to_owned()),
    });
    value.map(Secret).map_err(|e| {
        Diagnostic::error(file.span(), format!("cannot read {}: {e}", path.display()))
            .expected("a file that holds the secret")
    })
}

/// A relative path is looked up where systemd puts credentials (systemd.exec(5),
/// LoadCredential=), else beside the configuration file.
pub(super) fn resolve(file: &str, config: &Path) -> PathBuf {
    let beside = || config.parent().unwrap_or(Path::new(""));
    match std::env::var_os("CREDENTIALS_DIRECTORY") {
        Some(directory) => Path::new(&directory).join(file),
        None => beside().join(file),
    }
}

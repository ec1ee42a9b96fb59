//! What is wrong with a configuration, where, and what was expected: all problems at once.

use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    Error,
    Warning,
}

/// Whoever has more reads no further: so many are shown with their lines.
const SHOWN: usize = 200;

/// One problem. The span is in bytes of the file; none means that the file as a whole is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    pub severity: Severity,
    pub message: String,
    pub span: Option<Range<usize>>,
    /// What was expected, written under the offending place.
    pub expected: Option<String>,
}

impl Diagnostic {
    pub fn error(span: Range<usize>, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            message: message.into(),
            span: Some(span),
            expected: None,
        }
    }

    pub fn warning(span: Range<usize>, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Warning,
            ..Self::error(span, message)
        }
    }

    pub fn expected(mut self, what: impl Into<String>) -> Self {
        self.expected = Some(what.into());
        self
    }
}

/// Line and column, both from 1; columns count characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    pub line: usize,
    pub column: usize,
}

/// The problems of one file, in its order. Rendering shows only lines that a problem points at.
#[derive(Clone, Debug)]
pub struct Diagnostics {
    pub path: PathBuf,
    text: String,
    list: Vec<Diagnostic>,
}

impl Diagnostics {
    /// `text` is shown where a problem points at it: secrets must be masked in it already.
    pub fn new(path: &Path, text: &str, mut list: Vec<Diagnostic>) -> Self {
        list.sort_by_key(|d| d.span.as_ref().map_or(0, |s| s.start));
        list.dedup();
        Self {
            path: path.to_owned(),
            text: text.to_owned(),
            list,
        }
    }

    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    pub fn has_errors(&self) -> bool {
        self.list.iter().any(|d| d.severity == Severity::Error)
    }

    /// Each problem with its place.
    pub fn iter(&self) -> impl Iterator<Item = (&Diagnostic, Option<Place>)> {
        self.list.iter().map(|d| {
            let place = d.span.as_ref().map(|s| place(&self.text, s.start));
            (d, place)
        })
    }

    /// One line for each problem: `FILE:LINE:COLUMN: message`, and what was expected.
    pub fn lines(&self) -> Vec<String> {
        self.iter()
            .map(|(d, place)| {
                let path = self.path.display();
                let at = place.map_or(format!("{path}"), |p| {
                    format!("{path}:{}:{}", p.line, p.column)
                });
                let warning = match d.severity {
                    Severity::Error => "",
                    Severity::Warning => "warning: ",
                };
                let message = &d.message;
                match &d.expected {
                    Some(expected) => format!("{at}: {warning}{message} (expected {expected})"),
                    None => format!("{at}: {warning}{message}"),
                }
            })
            .collect()
    }

    /// The problems for a reader, with colours where the output is a terminal.
    pub fn render(&self, colours: bool) -> String {
        let path = self.path.display().to_string();
        let renderer = if colours {
            Renderer::styled()
        } else {
            Renderer::plain()
        };
        let shown = self.list.iter().take(SHOWN);
        let mut blocks: Vec<String> = shown
            .map(|d| renderer.render(&[self.report(d, &path)]))
            .collect();
        if self.list.len() > SHOWN {
            blocks.push(format!("and {} more", self.list.len() - SHOWN));
        }
        blocks.join("\n\n")
    }

    fn report<'a>(&'a self, diagnostic: &'a Diagnostic, path: &'a str) -> Group<'a> {
        let level = match diagnostic.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let Some(span) = &diagnostic.span else {
            let title = format!("{path}: {}", diagnostic.message);
            return Group::with_title(level.primary_title(title));
        };
        let mut mark = AnnotationKind::Primary.span(clamp(&self.text, span));
        if let Some(expected) = &diagnostic.expected {
            mark = mark.label(format!("expected {expected}"));
        }
        level.primary_title(&diagnostic.message).element(
            Snippet::source(&self.text)
                .path(path)
                .fold(true)
                .annotation(mark),
        )
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl std::error::Error for Diagnostics {}

/// The place of a byte offset.
pub fn place(text: &str, offset: usize) -> Place {
    let before = &text[..floor(text, offset)];
    Place {
        line: before.matches('\n').count() + 1,
        column: before
            .rsplit('\n')
            .next()
            .unwrap_or_default()
            .chars()
            .count()
            + 1,
    }
}

/// The part of a span that lies in the text and on the line on which it begins.
fn clamp(text: &str, span: &Range<usize>) -> Range<usize> {
    let start = floor(text, span.start);
    let line = text[start..].find('\n').map_or(text.len(), |n| start + n);
    let end = floor(text, span.end).clamp(start, line);
    start..end
}

fn floor(text: &str, offset: usize) -> usize {
    text.floor_char_boundary(offset.min(text.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn two() -> Diagnostics {
        let list = vec![
            Diagnostic::error(10..13, "second").expected("a number"),
            Diagnostic::warning(0..1, "first"),
        ];
        Diagnostics::new(Path::new("c.toml"), "ä = 1\nbb = xyz\n", list)
    }

    #[test]
    fn problems_come_in_file_order_with_their_places() {
        assert_eq!(
            two().lines(),
            [
                "c.toml:1:1: warning: first",
                "c.toml:2:4: second (expected a number)"
            ]
        );
    }

    #[test]
    fn rendering_underlines_and_tells_what_was_expected() {
        let text = two().to_string();
        assert!(text.contains("--> c.toml:2:4"), "{text}");
        assert!(text.contains("bb = xyz"), "{text}");
        assert!(text.contains("^^^ expected a number"), "{text}");
    }

    #[test]
    fn spans_outside_the_text_are_harmless() {
        let list = vec![
            Diagnostic::error(1..400, "x"),
            Diagnostic::error(99..99, "y"),
        ];
        let all = Diagnostics::new(Path::new("c"), "ä", list);
        assert_eq!(all.lines(), ["c:1:1: x", "c:1:2: y"]);
        assert!(!all.to_string().is_empty());
    }
}

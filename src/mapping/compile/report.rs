//! Problems of a mapping, collected with the places of the file that they are about.

use std::collections::BTreeSet;
use std::sync::Arc;

use toml::Spanned;

use crate::config::{Model, nearest};
use crate::diagnostic::{Diagnostic, Diagnostics, Severity};
use crate::mapping::expr::{Expr, ExprError, Scope, Shaped, Unknown, ValueMap};
use crate::sqltype::Class;

pub(super) struct Report<'m> {
    model: &'m Model,
    problems: Vec<Diagnostic>,
    maps: Vec<Arc<ValueMap>>,
    /// The maps that an expression calls.
    called: BTreeSet<String>,
}

impl<'m> Report<'m> {
    pub fn new(model: &'m Model) -> Self {
        Self {
            model,
            problems: Vec::new(),
            maps: model.maps.iter().map(|m| Arc::new(m.compiled())).collect(),
            called: BTreeSet::new(),
        }
    }

    pub fn error<T>(&mut self, at: &Spanned<T>, message: impl Into<String>, expected: &str) {
        let problem = Diagnostic::error(at.span(), message);
        self.problems.push(problem.expected(expected));
    }

    pub fn warning<T>(&mut self, at: &Spanned<T>, message: impl Into<String>) {
        self.problems.push(Diagnostic::warning(at.span(), message));
    }

    /// A name that `place` does not have.
    pub fn unknown<'a>(
        &mut self,
        name: &Spanned<String>,
        message: String,
        known: impl IntoIterator<Item = &'a str>,
    ) {
        let problem = Diagnostic::error(name.span(), message);
        self.problems.push(match nearest(name.get_ref(), known) {
            Some(near) => problem.expected(format!("`{near}`?")),
            None => problem,
        });
    }

    pub fn mistakes(&mut self, text: &Spanned<String>, mistakes: Vec<ExprError>) {
        for mistake in mistakes {
            let start = self.model.locate(text, mistake.span.start);
            let end = self.model.locate(text, mistake.span.end).max(start);
            self.problems
                .push(Diagnostic::error(start..end, mistake.message));
        }
    }

    /// Mistakes in a part of `text` that begins `before` bytes after its beginning.
    pub fn mistakes_within(
        &mut self,
        text: &Spanned<String>,
        before: usize,
        mistakes: Vec<ExprError>,
    ) {
        let moved = |mistake: ExprError| ExprError {
            span: mistake.span.start + before..mistake.span.end + before,
            ..mistake
        };
        self.mistakes(text, mistakes.into_iter().map(moved).collect());
    }

    /// An expression over elements of a payload or over groups.
    pub fn shaped(
        &mut self,
        text: &Spanned<String>,
        scope: &Scope<'_>,
        shaped: Shaped<'_>,
    ) -> Option<Expr> {
        let expr = Expr::compile_with(text.get_ref(), scope, shaped, &self.maps)
            .map_err(|mistakes| self.mistakes(text, mistakes))
            .ok()?;
        self.called
            .extend(expr.maps().iter().map(|map| map.name.clone()));
        Some(expr)
    }

    /// An expression calls nothing with a policy that has no meaning where it stands.
    pub fn refuse(&mut self, text: &Spanned<String>, expr: &Expr, policies: &[Unknown]) {
        for map in expr.maps() {
            if policies.contains(&map.unknown) {
                let message = format!(
                    "`{}` leaves a row out or stops the daemon where it does not know a value, \
                     which has no meaning here",
                    map.name
                );
                self.error(
                    text,
                    message,
                    "a map whose `unknown` is `hold`, `null` or a value",
                );
            }
        }
    }

    /// Maps that nothing calls.
    pub fn warn_of_idle_maps(&mut self) {
        for map in &self.model.maps {
            if !self.called.contains(map.name.get_ref()) {
                let message = format!("no expression calls `{}`", map.name);
                self.warning(&map.name, message);
            }
        }
    }

    /// A lookup is asked for rows that are to be written, and for nothing else.
    pub fn refuse_lookups(&mut self, text: &Spanned<String>, expr: &Expr, place: &str) {
        if expr.asks() {
            let message = format!("a lookup cannot be called in {place}");
            self.error(text, message, "values of the cart's own rows");
        }
    }

    /// An expression that must be true or false.
    pub fn shaped_condition(
        &mut self,
        text: &Spanned<String>,
        scope: &Scope<'_>,
        shaped: Shaped<'_>,
    ) -> Option<Expr> {
        let expr = self.shaped(text, scope, shaped)?;
        if expr.ty() != Class::Bool && !expr.is_null_literal() {
            self.error(text, "this is not a condition", "something true or false");
            return None;
        }
        Some(expr)
    }

    pub fn has_errors(&self) -> bool {
        self.problems.iter().any(|p| p.severity == Severity::Error)
    }

    pub fn into_diagnostics(self) -> Diagnostics {
        Diagnostics::new(&self.model.path, &self.model.text, self.problems)
    }
}

//! One column of the new shop, said by the old one: by what is known of the platforms, else by its name.

use super::combine::{Work, must_be_filled};
use super::draft::{ColumnPart, Confidence, Form};
use super::platform::{FullWish, Scope, Wanted};
use super::spelling::{calls, name_in};
use super::template::{Filled, Sayings};
use super::words::{fits, likeness, rounds, word_of};
use crate::catalog::ColumnInfo;

impl Work<'_> {
    pub(super) fn column(
        &self,
        wanted: &Wanted,
        sayings: Sayings<'_>,
        column: &ColumnInfo,
    ) -> Option<ColumnPart> {
        if column.generated {
            return None;
        }
        if let Some(wish) = wanted.columns.get(&column.name)
            && let Some(part) = self.wished(&wish.full(), sayings, column)
        {
            return Some(part);
        }
        // What is known of a platform says of all else that the platform sees to it.
        if self.new.platform.is_some() && !must_be_filled(column) {
            return None;
        }
        self.by_name(sayings, column)
    }

    fn wished(
        &self,
        wish: &FullWish,
        sayings: Sayings<'_>,
        column: &ColumnInfo,
    ) -> Option<ColumnPart> {
        let forms = [
            (Form::Key, &wish.key),
            (Form::Once, &wish.once),
            (Form::Value, &wish.value),
        ];
        let found = forms.into_iter().find_map(|(form, texts)| {
            let filled = texts
                .iter()
                .find_map(|text| Some((text, sayings.fill(text)?)));
            filled.map(|(text, filled)| (form, text.clone(), filled))
        });
        let (form, template, filled) = match found {
            Some(found) => found,
            None if wish.allocated => (
                Form::Allocated,
                String::new(),
                Filled {
                    text: String::new(),
                    doubt: None,
                },
            ),
            None => return None,
        };
        let doubt = filled.doubt.or_else(|| wish.guess.clone());
        let mapped = self.new.side.map.iter();
        let mapped = mapped
            .filter(|(name, _)| calls(&filled.text, name))
            .map(|(_, m)| &m.why);
        let (confidence, why) = match (doubt, mapped.into_iter().next()) {
            (Some(doubt), _) => (Confidence::Guess, doubt),
            (None, Some(why)) => (Confidence::Likely, why.clone()),
            (None, None) if self.known => (Confidence::Sure, said(&template)),
            (None, None) => (Confidence::Likely, said(&template)),
        };
        Some(ColumnPart {
            name: column.name.clone(),
            form,
            expression: filled.text,
            confidence,
            why: wish
                .why
                .clone()
                .filter(|_| confidence != Confidence::Guess)
                .unwrap_or(why),
        })
    }

    /// By what the column's name means, else by a column of the same or a similar name.
    fn by_name(&self, sayings: Sayings<'_>, column: &ColumnInfo) -> Option<ColumnPart> {
        let part = |expression: String, confidence, why: String| ColumnPart {
            name: column.name.clone(),
            form: Form::Value,
            expression,
            confidence,
            why,
        };
        if let Some(word) = word_of(&column.name)
            && let Some(filled) = sayings.says(word)
            && let Some((text, rounded)) = self.fitted(sayings.scope, filled.text, column)
        {
            return Some(match filled.doubt.or(rounded) {
                Some(doubt) => part(text, Confidence::Guess, doubt),
                None => part(
                    text,
                    Confidence::Likely,
                    format!("both mean the {}", word.replace('_', " ")),
                ),
            });
        }
        let scope = sayings.scope;
        let table = self.source.find(&scope.per);
        let header = self.source.find(&self.old.side.table);
        let here = table
            .into_iter()
            .flat_map(|t| t.columns.iter().map(|c| (String::new(), c)));
        let above = header.filter(|_| !scope.header.is_empty()).into_iter();
        let above = above.flat_map(|t| t.columns.iter().map(|c| (scope.header.clone(), c)));
        let mut best: Option<(u32, ColumnPart)> = None;
        for (way, found) in here.chain(above) {
            let likeness = likeness(&found.name, &column.name);
            let same_place = way.is_empty();
            // A header's column of nearly that name means something else as a rule.
            if likeness < 60 || !same_place && likeness < 100 {
                continue;
            }
            if best.as_ref().is_some_and(|(known, _)| *known >= likeness) {
                continue;
            }
            let Some(expression) = fits(
                &format!("{way}{}", name_in(&found.name)),
                &found.ty,
                &column.ty,
            ) else {
                continue;
            };
            let (confidence, why) = match likeness {
                _ if rounds(&found.ty, &column.ty) => (
                    Confidence::Guess,
                    format!("what `{}` has behind the point is rounded", found.name),
                ),
                100 => (
                    Confidence::Likely,
                    format!("`{}` has the same name", found.name),
                ),
                _ => (
                    Confidence::Guess,
                    format!("`{}` has a similar name", found.name),
                ),
            };
            best = Some((likeness, part(expression, confidence, why)));
        }
        best.map(|(_, part)| part)
    }

    /// A column by itself, cast where it must be; of more than that the compiler judges.
    fn fitted(
        &self,
        scope: &Scope,
        text: String,
        to: &ColumnInfo,
    ) -> Option<(String, Option<String>)> {
        let (name, table) = match text.strip_prefix(scope.header.as_str()) {
            Some(name) if !scope.header.is_empty() => (name, &self.old.side.table),
            _ => (text.as_str(), &scope.per),
        };
        let columns = self.source.find(table).map(|t| t.columns.iter());
        let found = columns
            .into_iter()
            .flatten()
            .find(|c| name_in(&c.name) == name);
        match found {
            Some(found) => {
                let doubt = format!("what `{}` has behind the point is rounded", found.name);
                let doubt = rounds(&found.ty, &to.ty).then_some(doubt);
                Some((fits(&text, &found.ty, &to.ty)?, doubt))
            }
            None => Some((text, None)),
        }
    }
}

/// The words that a wish is made of, for the comment beside it.
fn said(template: &str) -> String {
    let mut words = Vec::new();
    for part in template.split('{').skip(1) {
        if let Some((word, _)) = part.split_once('}')
            && !words.contains(&word)
            && word != "h"
            && !word.is_empty()
        {
            words.push(word);
        }
    }
    match words.is_empty() {
        true => "what the new shop begins with".into(),
        false => words.join(", ").replace('_', " "),
    }
}

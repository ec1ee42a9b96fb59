//! What the new shop wants to be told, said by the old one.

use std::collections::BTreeMap;

use super::draft::{
    CartPart, ColumnPart, Confidence, Draft, Form, IntoPart, LookupPart, Piece, RowsPart, Shops,
};
use super::platform::{FullWish, Lookup, NewShop, OldShop, Scope, Wanted};
use super::template::{Filled, Sayings};
use super::words::{fits, likeness, rounds, word_of};
use crate::catalog::{Catalog, ColumnInfo, TableInfo};

pub fn combine(old: &OldShop, source: &Catalog, new: &NewShop, target: &Catalog) -> Draft {
    let known = old.platform.is_some() && new.platform.is_some();
    let work = Work {
        old,
        source,
        new,
        target,
        known,
    };
    let intos: Vec<IntoPart> = new.side.into.iter().flat_map(|w| work.intos(w)).collect();
    let mut texts: Vec<String> = intos.iter().flat_map(texts_of).collect();
    texts.extend(old.side.live.clone());
    let lookups = work.lookups(&texts);
    let maps = new.side.map.iter();
    let maps = maps
        .filter(|(name, _)| texts.iter().any(|text| calls(text, name)))
        .map(|(name, map)| Piece::new((name.clone(), map.clone())));
    let rows = old.side.rows.iter().filter(|rows| {
        let own = intos.iter().any(|into| into.per == rows.table);
        let above = old
            .side
            .rows
            .iter()
            .any(|r| r.parent.as_ref() == Some(&rows.table));
        own || above || texts.iter().any(|text| names(text, &rows.table))
    });
    let rows = rows.map(|rows| {
        Piece::new(RowsPart {
            alias: rows.table.clone(),
            cart: rows.cart.clone(),
            parent: rows.parent.clone().map(|parent| (parent, rows.by.clone())),
            key: rows.key.clone(),
            why: rows.why.clone().unwrap_or_default(),
        })
    });
    Draft {
        shops: Shops {
            old: old.platform.clone(),
            new: new.platform.clone(),
            time_zone: old.side.time_zone.clone(),
        },
        cart: work.cart(),
        rows: rows.collect(),
        lookups,
        maps: maps.collect(),
        intos: intos.into_iter().map(Piece::new).collect(),
        left_over: Vec::new(),
    }
}

struct Work<'a> {
    old: &'a OldShop,
    source: &'a Catalog,
    new: &'a NewShop,
    target: &'a Catalog,
    known: bool,
}

impl Work<'_> {
    fn cart(&self) -> Option<CartPart> {
        let side = &self.old.side;
        if side.table.is_empty() {
            return None;
        }
        let why = match &self.old.platform {
            Some(name) => (Confidence::Sure, format!("these are the tables of {name}")),
            None => (
                Confidence::Guess,
                "by its name, and by the tables that refer to it".into(),
            ),
        };
        let live = side.live.clone().map(|live| {
            let why = side.live_why.clone().unwrap_or_default();
            Piece::new((live, why))
        });
        Some(CartPart {
            table: side.table.clone(),
            key: side.key.clone(),
            live,
            changed_at: side.changed_at.clone().map(Piece::new),
            why,
        })
    }

    /// One for each scope of the old shop that such rows can be made of.
    fn intos(&self, wanted: &Wanted) -> Vec<IntoPart> {
        let Some(info) = self.target.find(&wanted.table) else {
            return Vec::new();
        };
        let scopes = wanted.scopes.iter();
        let scopes = scopes.filter_map(|name| Some((name, self.old.side.scope.get(name)?)));
        scopes
            .filter_map(|(name, scope)| self.into(wanted, name, scope, info))
            .collect()
    }

    fn into(
        &self,
        wanted: &Wanted,
        name: &str,
        scope: &Scope,
        info: &TableInfo,
    ) -> Option<IntoPart> {
        let sayings = Sayings {
            side: &self.old.side,
            scope,
        };
        if wanted.needs.iter().any(|word| sayings.says(word).is_none()) {
            return None;
        }
        let (mut columns, mut answers, mut left) = (Vec::new(), Vec::new(), Vec::new());
        for column in &info.columns {
            match self.column(wanted, sayings, column) {
                Some(part) => columns.push(Piece::new(part)),
                None if wanted.lock.as_ref() == Some(&column.name) => {}
                None if must_be_filled(column) => {
                    answers.push((column.name.clone(), column.ty.name.clone()));
                }
                None => left.push(column.name.clone()),
            }
        }
        one_key(&mut columns, info);
        let name = name.replace('_', " ");
        let why = match &self.new.platform {
            Some(platform) => format!("{platform}: {name}"),
            None => format!("guess: by its name this is for {name}"),
        };
        Some(IntoPart {
            table: wanted.table.clone(),
            per: scope.per.clone(),
            role: wanted.role.clone(),
            keys: self.keys(wanted, sayings, &columns),
            columns,
            answers,
            left,
            why,
        })
    }

    fn keys(
        &self,
        wanted: &Wanted,
        sayings: Sayings<'_>,
        columns: &[Piece<ColumnPart>],
    ) -> Vec<Piece<(&'static str, String, String)>> {
        let scope = sayings.scope;
        let mut keys = Vec::new();
        let mut add = |key, text: String, why: &str| {
            keys.push(Piece::new((key, text, why.to_owned())));
        };
        let lock_why = wanted.lock_why.as_deref().unwrap_or("no version column");
        let lock = wanted.lock.as_deref().unwrap_or("row");
        add("lock", quoted(lock), lock_why);
        let condition = wanted.filter.as_ref().and_then(|text| sayings.fill(text));
        let filters: Vec<String> = [scope.filter.clone(), condition.map(|c| c.text)]
            .into_iter()
            .flatten()
            .filter(|text| !text.is_empty())
            .collect();
        if !filters.is_empty() {
            add("where", quoted(&filters.join(" and ")), "");
        }
        if !scope.group.is_empty() {
            let group: Vec<String> = scope.group.iter().map(|g| quoted(g)).collect();
            add(
                "group",
                format!("[{}]", group.join(", ")),
                "several rows of the old shop become one",
            );
        }
        if let Some(closed) = &wanted.closed {
            add("closed", quoted(closed), "such rows are the new shop's");
        }
        if let Some(ended) = &wanted.ended {
            add("ended", ended.clone(), "when the cart stops being live");
        }
        if let Some(deleted) = &wanted.deleted {
            add("deleted", deleted.clone(), "when the source row is deleted");
        }
        let has = |name: &String| columns.iter().any(|c| &c.what.name == name);
        if let Some((product, quantity)) = wanted.line.as_ref().filter(|(p, q)| has(p) && has(q)) {
            let (product, quantity) = (quoted(product), quoted(quantity));
            add(
                "line",
                format!("{{ product = {product}, quantity = {quantity}, max_quantity = 99 }}"),
                "what makes two lines the same",
            );
        }
        keys
    }

    fn column(
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

    /// Those that are called.
    fn lookups(&self, texts: &[String]) -> Vec<Piece<LookupPart>> {
        let sides: [(&'static str, &BTreeMap<String, Lookup>); 2] = [
            ("source", &self.old.side.lookup),
            ("target", &self.new.side.lookup),
        ];
        let mut found = Vec::new();
        for (on, lookups) in sides {
            for (name, lookup) in lookups {
                if texts.iter().any(|text| calls(text, name)) {
                    found.push(Piece::new(LookupPart {
                        name: name.clone(),
                        on,
                        lookup: lookup.clone(),
                    }));
                }
            }
        }
        found
    }
}

/// One key names a row: what the target numbers by itself is left to it where the rest names the row
/// too.
fn one_key(columns: &mut Vec<Piece<ColumnPart>>, info: &TableInfo) {
    let is_key = |c: &Piece<ColumnPart>| c.what.form == Form::Key;
    if columns.iter().any(is_key) {
        columns.retain(|c| c.what.form != Form::Allocated);
    }
    let names = |columns: &[Piece<ColumnPart>], own: bool| -> Vec<String> {
        let keys = columns
            .iter()
            .filter(|c| is_key(c))
            .map(|c| c.what.name.clone());
        keys.filter(|name| own || !numbered(info, name)).collect()
    };
    let (all, rest) = (names(columns, true), names(columns, false));
    if !unique(info, &all) && unique(info, &rest) {
        columns.retain(|c| !is_key(c) || rest.contains(&c.what.name));
    }
}

fn numbered(info: &TableInfo, name: &str) -> bool {
    info.column(name)
        .is_some_and(|c| c.identity || c.has_default)
}

fn unique(info: &TableInfo, names: &[String]) -> bool {
    let same = |columns: &Vec<String>| {
        columns.len() == names.len() && names.iter().all(|name| columns.contains(name))
    };
    !names.is_empty() && (same(&info.primary_key) || info.uniques.iter().any(same))
}

fn texts_of(into: &IntoPart) -> Vec<String> {
    let columns = into.columns.iter().map(|c| c.what.expression.clone());
    columns
        .chain(into.keys.iter().map(|k| k.what.1.clone()))
        .chain([into.per.clone()])
        .collect()
}

fn must_be_filled(column: &ColumnInfo) -> bool {
    column.not_null && !column.has_default && !column.generated && !column.identity
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

/// Whether `name(` stands there as a name by itself.
fn calls(text: &str, name: &str) -> bool {
    places(text, name).any(|end| text[end..].starts_with('('))
}

fn names(text: &str, name: &str) -> bool {
    places(text, name).next().is_some()
}

fn places<'t>(text: &'t str, name: &'t str) -> impl Iterator<Item = usize> + 't {
    let of_a_name = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(name).filter_map(move |(at, _)| {
        let end = at + name.len();
        let before = text[..at].chars().last();
        let after = text[end..].chars().next();
        (!before.is_some_and(of_a_name) && !after.is_some_and(of_a_name)).then_some(end)
    })
}

/// A column's name as expressions write it.
pub fn name_in(name: &str) -> String {
    let plain = name.starts_with(|c: char| c.is_ascii_lowercase() || c == '_')
        && name
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    match plain && !super::words::RESERVED.contains(&name) {
        true => name.to_owned(),
        false => format!("\"{}\"", name.replace('"', "\"\"")),
    }
}

/// A TOML string on one line.
pub fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

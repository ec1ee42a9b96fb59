//! What the new shop wants to be told, said by the old one.

use std::collections::BTreeMap;

use super::draft::{
    CartPart, ColumnPart, Confidence, Draft, Form, IntoPart, LookupPart, Piece, RowsPart, Shops,
};
use super::platform::{Lookup, NewShop, OldShop, Scope, Wanted};
use super::spelling::{calls, names, quoted};
use super::template::Sayings;
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

pub(super) struct Work<'a> {
    pub(super) old: &'a OldShop,
    pub(super) source: &'a Catalog,
    pub(super) new: &'a NewShop,
    target: &'a Catalog,
    pub(super) known: bool,
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

pub(super) fn must_be_filled(column: &ColumnInfo) -> bool {
    column.not_null && !column.has_default && !column.generated && !column.identity
}

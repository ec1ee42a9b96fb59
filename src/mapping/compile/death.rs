//! What becomes of target rows whose cart ends or whose source row is gone.

use toml::Spanned;

use super::into::{Place, check_fits};
use super::report::Report;
use super::source::refers;
use crate::catalog::TableInfo;
use crate::config::{self, Model};
use crate::mapping::expr::Unknown;
use crate::mapping::plan::{Fate, MappedColumn, Role};

/// A table without `ended` stays if the header stays, and goes if it goes.
pub(super) fn default_ended(model: &Model) -> config::Fate {
    let header = model.into.iter().find(|i| i.role == Role::Header);
    match header.map(|h| &h.ended) {
        Some(Some(config::Fate::Delete)) => config::Fate::Delete,
        Some(_) => config::Fate::Keep,
        None => config::Fate::Delete,
    }
}

/// Columns that only a fate sets join the mapped ones, in the order of the target table.
pub(super) fn add_columns(
    place: &Place<'_>,
    columns: &mut Vec<MappedColumn>,
    fates: [&config::Fate; 2],
    report: &mut Report<'_>,
) {
    for (name, _) in fates.into_iter().flat_map(set) {
        let Some(info) = place.column(name, report) else {
            continue;
        };
        let mapped = place
            .into
            .columns
            .iter()
            .find(|c| c.name.get_ref() == &info.name);
        if mapped.is_some_and(|c| c.key) {
            report.error(
                name,
                format!("`{name}` is the key"),
                "a column outside the key",
            );
        } else if place.into.lock.get_ref() == &info.name {
            report.error(
                name,
                format!("`{name}` is the lock"),
                "a column that is not the lock",
            );
        } else if mapped.is_none() && !columns.iter().any(|c| c.name == info.name) {
            columns.push(MappedColumn {
                name: info.name.clone(),
                ty: info.ty.clone(),
                expr: None,
                once: false,
                merge: None,
            });
        }
    }
    let order = |c: &MappedColumn| place.info.columns.iter().position(|i| i.name == c.name);
    columns.sort_by_key(order);
}

fn set(fate: &config::Fate) -> &[(Spanned<String>, Spanned<String>)] {
    match fate {
        config::Fate::Set(set) => set,
        config::Fate::Delete | config::Fate::Keep => &[],
    }
}

/// None where an expression is wrong.
pub(super) fn fate(
    place: &Place<'_>,
    fate: &config::Fate,
    columns: &[MappedColumn],
    report: &mut Report<'_>,
) -> Option<Fate> {
    let set = match fate {
        config::Fate::Delete => return Some(Fate::Delete),
        config::Fate::Keep => return Some(Fate::Keep),
        config::Fate::Set(set) => set,
    };
    let mut compiled = Vec::new();
    for (name, text) in set {
        let expr = place.scope.zip(place.shaped());
        let expr = expr.and_then(|(s, shaped)| report.shaped(text, &s, shaped));
        let info = place.info.column(name.get_ref());
        let index = columns.iter().position(|c| &c.name == name.get_ref());
        if let (Some(expr), Some(info), Some(index)) = (expr, info, index) {
            report.refuse_lookups(text, &expr, "`ended` or `deleted`");
            check_fits(text, &expr, info, report);
            report.refuse(text, &expr, &[Unknown::Skip]);
            compiled.push((index, expr));
        }
    }
    compiled.sort_by_key(|(index, _)| *index);
    (compiled.len() == set.len()).then_some(Fate::Set(compiled))
}

/// A row cannot be deleted above rows that stay and refer to it.
pub(super) fn check(model: &Model, infos: &[Option<&TableInfo>], report: &mut Report<'_>) {
    let default = default_ended(model);
    let deletes = |fate: &config::Fate| matches!(fate, config::Fate::Delete);
    let ended = |into: &config::Into| deletes(into.ended.as_ref().unwrap_or(&default));
    let deleted = |into: &config::Into| into.deleted.as_ref().is_none_or(deletes);
    for (above, parent) in model.into.iter().zip(infos) {
        for (below, child) in model.into.iter().zip(infos) {
            let (Some(parent), Some(child)) = (parent, child) else {
                continue;
            };
            if std::ptr::eq(*parent, *child) {
                continue;
            }
            let Some(fk) = child.foreign_keys.iter().find(|fk| refers(fk, parent)) else {
                continue;
            };
            let ends = model.cart.live.is_some() && ended(above) && !ended(below);
            // Only the header's deletion takes all other rows' sources with it.
            let dies = above.role == Role::Header && deleted(above) && !deleted(below);
            for (key, wrong) in [("ended", ends), ("deleted", dies)] {
                if wrong {
                    let message = format!(
                        "`{key}` deletes rows of `{}` and keeps those of `{}`, which refer to them ({})",
                        above.table, below.table, fk.name
                    );
                    let expected = format!("the same `{key}` for both, or a header that stays");
                    report.error(&below.table, message, &expected);
                }
            }
        }
    }
}

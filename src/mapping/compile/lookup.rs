//! `[lookup.NAME]` against the end that it asks: its table, its columns, and how they are found.

use std::sync::Arc;

use toml::Spanned;

use super::report::Report;
use crate::cart::layout::Column;
use crate::catalog::{Catalog, TableInfo};
use crate::config::{self, Model};
use crate::mapping::expr::TargetCondition;
use crate::mapping::lookup::{End, Lack, Lookup};
use crate::sqltype::{Class, SqlType};

/// All of them, in the order of the file. None where one is wrong: expressions could name it.
pub(super) fn compile_all(
    model: &Model,
    source: &Catalog,
    target: &Catalog,
    report: &mut Report<'_>,
) -> Option<Vec<Lookup>> {
    let compiled: Vec<Option<Lookup>> = model
        .lookups
        .iter()
        .map(|lookup| {
            let catalog = match lookup.on {
                End::Source => source,
                End::Target => target,
            };
            compile(lookup, catalog, report)
        })
        .collect();
    compiled.into_iter().collect()
}

pub(super) fn shared(lookups: &[Lookup]) -> Vec<Arc<Lookup>> {
    lookups.iter().cloned().map(Arc::new).collect()
}

fn compile(lookup: &config::Lookup, catalog: &Catalog, report: &mut Report<'_>) -> Option<Lookup> {
    let on = lookup.on.name();
    let Some(info) = catalog.find(lookup.table.get_ref()) else {
        let known = catalog.tables.iter().map(|t| t.name.as_str());
        let message = format!("the {on} has no table `{}`", lookup.table);
        report.unknown(&lookup.table, message, known);
        return None;
    };
    let matches = columns(&lookup.matches, info, report);
    let get = columns(&lookup.get, info, report);
    let (matches, get) = (matches?, get?);
    let mut good = true;
    for (name, column) in lookup.matches.iter().zip(&matches) {
        if !is_matchable(&column.ty) {
            let message = format!(
                "`{name}` is {}, by which no row can be found",
                column.ty.name
            );
            let expected = "a number, a text, a date or a uuid";
            report.error(name, message, expected);
            good = false;
        }
    }
    let filter_columns = match &lookup.filter {
        Some(text) => filter(text, info, report)?,
        None => Vec::new(),
    };
    if good {
        advise(lookup, info, &filter_columns, report);
    }
    good.then(|| Lookup {
        name: lookup.name.get_ref().clone(),
        on: lookup.on,
        schema: info.schema.clone(),
        table: info.name.clone(),
        matches,
        get,
        filter: lookup.filter.as_ref().map(|f| f.get_ref().clone()),
        filter_columns,
        missing: lookup.missing,
        ambiguous: lookup.ambiguous,
        allocated: false,
    })
}

fn columns(
    names: &[Spanned<String>],
    info: &TableInfo,
    report: &mut Report<'_>,
) -> Option<Vec<Column>> {
    let found: Vec<Option<Column>> = names
        .iter()
        .map(|name| {
            let found = info.column(name.get_ref());
            if found.is_none() {
                let message = format!("`{}` has no column `{name}`", info.name);
                report.unknown(name, message, info.columns.iter().map(|c| c.name.as_str()));
            }
            found.map(Column::from)
        })
        .collect();
    found.into_iter().collect()
}

/// Equal values have equal texts, or are looked through; and a text of the class can be read as the
/// type.
pub(super) fn is_matchable(ty: &SqlType) -> bool {
    let odd = matches!(
        ty.class,
        Class::Other | Class::Enum | Class::Json | Class::Jsonb | Class::Inet | Class::Interval
    );
    // A collation that takes different texts for one finds too many rows, and texts decide.
    let text = matches!(ty.class, Class::Text | Class::Char);
    !odd && (text || ty.has_key_text())
}

fn filter(
    text: &Spanned<String>,
    info: &TableInfo,
    report: &mut Report<'_>,
) -> Option<Vec<Column>> {
    let columns: Vec<(String, SqlType)> = info
        .columns
        .iter()
        .map(|c| (c.name.clone(), c.ty.clone()))
        .collect();
    let condition = TargetCondition::compile(text.get_ref(), &columns)
        .map_err(|mistakes| report.mistakes(text, mistakes))
        .ok()?;
    let unsure = condition.unsure();
    if !unsure.is_empty() {
        report.mistakes(text, unsure);
        return None;
    }
    let named = condition.columns().iter();
    Some(
        named
            .filter_map(|n| info.column(n).map(Column::from))
            .collect(),
    )
}

/// What makes it slow, or unsure.
fn advise(lookup: &config::Lookup, info: &TableInfo, filtered: &[Column], report: &mut Report<'_>) {
    let names: Vec<&str> = lookup
        .matches
        .iter()
        .map(|n| n.get_ref().as_str())
        .collect();
    let indexes = info.indexes.iter().chain(&info.uniques);
    let leads = |index: &Vec<String>| index.first().is_some_and(|c| names.contains(&c.as_str()));
    let Some(first) = lookup.matches.first() else {
        return;
    };
    if !indexes.chain([&info.primary_key]).any(leads) {
        let message = format!(
            "no index of `{}` begins with ({}): each batch reads the whole table",
            info.name,
            names.join(", ")
        );
        report.warning(first, message);
    }
    let mut uniques = info.uniques.iter().chain([&info.primary_key]);
    let known =
        |c: &String| names.contains(&c.as_str()) || filtered.iter().any(|column| &column.name == c);
    let unique = uniques.any(|index| !index.is_empty() && index.iter().all(known));
    if !unique && lookup.ambiguous == Lack::Hold {
        let message = format!(
            "no unique index of `{}` covers ({}): where several rows match, the cart is held",
            info.name,
            names.join(", ")
        );
        report.warning(first, message);
    }
}

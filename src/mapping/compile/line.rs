//! What makes two lines the same line, and how a line names its cart in the target.

use toml::Spanned;

use super::report::Report;
use super::source::refers;
use crate::cart::layout::{Layout, Table};
use crate::catalog::TableInfo;
use crate::config::{self, Model, alias_of};
use crate::mapping::plan::{Line, Role};
use crate::sqltype::Class;

pub(super) fn compile(
    model: &Model,
    into: &config::Into,
    infos: &[Option<&TableInfo>],
    info: &TableInfo,
    layout: Option<&Layout>,
    report: &mut Report<'_>,
) -> Option<Line> {
    let Some(line) = &into.line else {
        if into.role == Role::Line {
            let message = format!(
                "`{}` has no `line`: the identity guard on inserts is off",
                into.table
            );
            report.warning(&into.table, message);
        }
        return None;
    };
    check(into, info, &line.product, report);
    if check(into, info, &line.quantity, report) {
        let class = info.column(line.quantity.get_ref()).map(|c| c.ty.class);
        let numeric = [
            Class::Int2,
            Class::Int4,
            Class::Int8,
            Class::Numeric,
            Class::Float4,
            Class::Float8,
        ];
        if class.is_some_and(|c| !numeric.contains(&c)) {
            let message = format!("`{}` is not a number", line.quantity);
            report.error(&line.quantity, message, "a column with a number");
        }
    }
    let cart = link(model, into, infos, info, layout);
    if cart.is_empty() && layout.is_some() {
        let message = format!(
            "nothing shows which columns of `{}` name its cart (a foreign key, or the header's key \
             expression over the line's columns): the identity guard on inserts is off",
            into.table
        );
        report.warning(&line.product, message);
    }
    Some(Line {
        product: line.product.get_ref().clone(),
        quantity: line.quantity.get_ref().clone(),
        max_quantity: line.max_quantity,
        cart,
    })
}

/// Whether `name` is a column of the target that the mapping fills.
fn check(
    into: &config::Into,
    info: &TableInfo,
    name: &Spanned<String>,
    report: &mut Report<'_>,
) -> bool {
    if info.column(name.get_ref()).is_none() {
        let message = format!("`{}` of the target has no column `{name}`", info.name);
        report.unknown(name, message, info.columns.iter().map(|c| c.name.as_str()));
        return false;
    }
    let mapped = into.columns.iter().any(|c| c.name == *name);
    if !mapped {
        let message = format!("nothing fills `{name}`");
        report.error(name, message, "an expression for it in [into.columns]");
    }
    mapped
}

/// Pairs of a line's column and the header's key column that it holds.
fn link(
    model: &Model,
    into: &config::Into,
    infos: &[Option<&TableInfo>],
    info: &TableInfo,
    layout: Option<&Layout>,
) -> Vec<(String, String)> {
    let headers = model.into.iter().zip(infos);
    let Some((header, Some(header_info))) =
        headers.into_iter().find(|(i, _)| i.role == Role::Header)
    else {
        return Vec::new();
    };
    let keys: Vec<&config::Column> = header.columns.iter().filter(|c| c.key).collect();
    let is_key = |name: &String| keys.iter().any(|k| k.name.get_ref() == name);
    let mapped = |name: &String| into.columns.iter().any(|c| c.name.get_ref() == name);
    let by_key = info.foreign_keys.iter().find(|fk| {
        refers(fk, header_info)
            && fk.referenced.len() == keys.len()
            && fk.referenced.iter().all(is_key)
            && fk.columns.iter().all(mapped)
    });
    if let Some(fk) = by_key {
        let pairs = fk
            .columns
            .iter()
            .cloned()
            .zip(fk.referenced.iter().cloned());
        return pairs.collect();
    }
    let Some(layout) = layout else {
        return Vec::new();
    };
    let pairs = keys.iter().map(|key| {
        let spellings = seen_from(layout, into, key.value.get_ref());
        let holds = |c: &&config::Column| spellings.contains(&normal(c.value.get_ref()));
        let column = into.columns.iter().find(holds)?;
        Some((column.name.get_ref().clone(), key.name.get_ref().clone()))
    });
    pairs.collect::<Option<Vec<_>>>().unwrap_or_default()
}

/// The header's expression as a line would write it: over its own columns that hold the cart's
/// key, or over `header.` columns.
fn seen_from(layout: &Layout, into: &config::Into, text: &str) -> Vec<String> {
    let words = words(text);
    let header = layout.header();
    let name = |table: &Table, column: usize| table.columns[column].name.clone();
    let keys: Vec<String> = header.key.iter().map(|k| name(header, *k)).collect();
    let rewritten = |columns: &[String]| -> String {
        let word = |word: &String| match keys.iter().position(|k| k == word) {
            Some(i) => columns.get(i).cloned().unwrap_or_default(),
            None => word.clone(),
        };
        words.iter().map(word).collect::<Vec<_>>().join(" ")
    };
    let over_header: Vec<String> = keys.iter().map(|k| format!("header . {k}")).collect();
    let mut spellings = vec![rewritten(&over_header)];
    let per = layout.table(alias_of(into.per.get_ref()));
    if let Some(table) = per.map(|per| &layout.tables[per])
        && let Some(cart) = &table.cart
    {
        let own: Vec<String> = cart.iter().map(|c| name(table, *c)).collect();
        spellings.push(rewritten(&own));
    }
    spellings
}

/// An expression without its white space.
pub(super) fn normal(text: &str) -> String {
    words(text).join(" ")
}

/// Names, numbers and strings as they are, every other character alone.
fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let mut word = String::from(c);
        if c.is_whitespace() {
            continue;
        } else if matches!(c, '\'' | '"') {
            for next in chars.by_ref() {
                word.push(next);
                if next == c {
                    break;
                }
            }
        } else if c.is_alphanumeric() || c == '_' {
            while let Some(next) = chars.next_if(|n| n.is_alphanumeric() || *n == '_') {
                word.push(next);
            }
        }
        words.push(word);
    }
    words
}

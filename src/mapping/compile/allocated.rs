//! `{ allocated = true }`: a key that the target's own sequence gives, looked up like a row of another
//! table.

use toml::Spanned;

use super::lookup::is_matchable;
use super::report::Report;
use crate::cart::layout::{Column, Layout};
use crate::catalog::{Catalog, TableInfo};
use crate::config::{self, Kind, Model, alias_of};
use crate::mapping::expr::is_keyword;
use crate::mapping::lookup::{End, Lack, Lookup};
use crate::sqltype::Class;

/// Writes out what `allocated = true` is short for: the call over the key of the source row.
pub(super) fn spell_out(model: &mut Model, layout: &Layout) {
    for into in &mut model.into {
        let Some(per) = layout.table(alias_of(into.per.get_ref())) else {
            continue;
        };
        let table = &layout.tables[per];
        let mut args = vec![config::allocated_table(into.table.get_ref())];
        args.extend(table.key.iter().map(|k| named(&table.columns[*k].name)));
        let text = format!("allocated({})", args.join(", "));
        for column in into.columns.iter_mut().filter(|c| c.allocated) {
            column.value = Spanned::new(column.name.span(), text.clone());
        }
    }
}

/// A column's name as an expression says it.
fn named(name: &str) -> String {
    let letter = |c: char| c.is_ascii_alphabetic() || c == '_';
    let plain = name.starts_with(letter)
        && name.chars().all(|c| letter(c) || c.is_ascii_digit())
        && !is_keyword(name);
    match plain {
        true => name.to_owned(),
        false => format!("\"{}\"", name.replace('"', "\"\"")),
    }
}

/// One for each `[[into]]` with such a column. None where one is wrong: expressions could name it.
pub(super) fn compile_all(
    model: &Model,
    layout: &Layout,
    (target, kind): (&Catalog, Option<Kind>),
    report: &mut Report<'_>,
) -> Option<Vec<Lookup>> {
    let mut compiled: Vec<Option<Lookup>> = Vec::new();
    for into in &model.into {
        let mut columns = into.columns.iter().filter(|c| c.allocated);
        let Some(column) = columns.next() else {
            continue;
        };
        if let Some(second) = columns.next() {
            let message = format!("`{}` is allocated too", column.name);
            report.error(&second.name, message, "one such column for each [[into]]");
        }
        let lookup = compile(into, column, layout, (target, kind), report);
        let twice = lookup.as_ref().is_some_and(|lookup| {
            let mut before = compiled.iter().flatten();
            before.any(|l| l.full_name() == lookup.full_name())
        });
        if twice {
            let message = format!("another [[into]] has keys of `{}` allocated", into.table);
            let expected = "one [[into]] with `allocated` for each table";
            report.error(&column.name, message, expected);
        }
        compiled.push(lookup);
    }
    compiled.into_iter().collect()
}

fn compile(
    into: &config::Into,
    column: &config::Column,
    layout: &Layout,
    (target, kind): (&Catalog, Option<Kind>),
    report: &mut Report<'_>,
) -> Option<Lookup> {
    let name = &column.name;
    if kind == Some(Kind::Mysql) {
        let message = "MySQL and MariaDB give a number to a row that is written, and none before";
        let expected = "an offset above all numbers there: { key = \"1000000000 + id\" }";
        report.error(name, message, expected);
        return None;
    }
    if into.each.is_some() || !into.group.is_empty() {
        let message = "keys are allocated for source rows, not for elements or groups of them";
        report.error(name, message, "{ key = \"expression\" }");
        return None;
    }
    // What is not there is said where the columns are compiled.
    let info = target.find(into.table.get_ref())?;
    let found = info.column(name.get_ref())?;
    if found.generated {
        return None;
    }
    if !matches!(found.ty.class, Class::Int2 | Class::Int4 | Class::Int8) {
        let message = format!(
            "`{name}` is {}, of which there is no sequence",
            found.ty.name
        );
        report.error(name, message, "a smallint, integer or bigint");
        return None;
    }
    if !found.has_default && !found.identity {
        let message = format!("nothing gives `{name}` its next value");
        report.error(name, message, "a serial or identity column");
        return None;
    }
    let matches = source_key(into, layout, report)?;
    Some(lookup(into, info, matches, Column::from(found)))
}

/// The key of the source row.
fn source_key(
    into: &config::Into,
    layout: &Layout,
    report: &mut Report<'_>,
) -> Option<Vec<Column>> {
    let table = &layout.tables[layout.table(alias_of(into.per.get_ref()))?];
    let key: Vec<Column> = table
        .key
        .iter()
        .map(|k| table.columns[*k].clone())
        .collect();
    let odd = key.iter().find(|column| !is_matchable(&column.ty));
    if let Some(odd) = odd {
        let (name, ty) = (&odd.name, &odd.ty.name);
        let message = format!("its key has `{name}`, which is {ty}: no key can be kept by it");
        report.error(
            &into.per,
            message,
            "a key of numbers, texts, dates or uuids",
        );
    }
    (odd.is_none() && !key.is_empty()).then_some(key)
}

fn lookup(into: &config::Into, info: &TableInfo, matches: Vec<Column>, key: Column) -> Lookup {
    Lookup {
        name: into.table.get_ref().clone(),
        on: End::Target,
        schema: info.schema.clone(),
        table: info.name.clone(),
        matches,
        // It is never null, whatever the column says.
        get: vec![Column {
            not_null: true,
            ..key
        }],
        filter: None,
        filter_columns: Vec::new(),
        missing: Lack::Hold,
        ambiguous: Lack::Hold,
        allocated: true,
    }
}

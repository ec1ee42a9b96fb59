//! The source side: which tables and columns images hold.

use std::collections::BTreeSet;

use toml::Spanned;

use super::report::Report;
use crate::cart::layout::{Column, Layout, Table};
use crate::catalog::{Catalog, ForeignKey, TableInfo, TableKind};
use crate::config::{Model, alias_of};
use crate::sqltype::Class;

/// A layout with all columns of the tables.
pub(super) struct Full {
    pub layout: Layout,
    /// All tables were found.
    pub complete: bool,
    pub trusted_births: bool,
}

pub(super) fn full_layout(model: &Model, catalog: &Catalog, report: &mut Report<'_>) -> Full {
    let header_info = find(&model.cart.table, catalog, report);
    let infos: Vec<Option<&TableInfo>> = model
        .rows
        .iter()
        .map(|rows| find(&rows.table, catalog, report))
        .collect();
    let complete = header_info.is_some() && infos.iter().all(Option::is_some);
    check_twice(model, header_info, &infos, report);
    let mut tables = match model.is_headless() {
        true => headless(model, header_info, report),
        false => vec![header(model, header_info, report)],
    };
    let first = tables.len();
    for (rows, info) in model.rows.iter().zip(&infos) {
        let mut table = table(rows.alias.get_ref(), *info);
        if let Some(info) = info {
            table.key = key(&rows.key, &rows.alias, &table, info, report);
            warn_unless_unique(&rows.alias, &table, info, report);
            table.cart = owner(&rows.cart, &table, &tables[0], "the cart's key", report);
        }
        tables.push(table);
    }
    link_parents(model, &mut tables[..], first, &infos, report);
    // Of a row that comes first nothing says that it is the cart's first.
    let has_header = first == Layout::HEADER + 1;
    let trusted = has_header && header_info.is_some_and(|h| trusted_births(&tables, h, &infos));
    Full {
        layout: Layout { tables },
        complete,
        trusted_births: trusted && complete,
    }
}

fn find<'c>(
    name: &Spanned<String>,
    catalog: &'c Catalog,
    report: &mut Report<'_>,
) -> Option<&'c TableInfo> {
    let Some(info) = catalog.find(name.get_ref()) else {
        let known = catalog.tables.iter().map(|t| t.name.as_str());
        report.unknown(name, format!("the source has no table `{name}`"), known);
        return None;
    };
    if info.kind == TableKind::Other {
        let message = format!("`{name}` holds no rows of its own");
        report.error(name, message, "a table, not a view or a foreign table");
    }
    Some(info)
}

/// A change belongs to one table of the cart.
fn check_twice(
    model: &Model,
    header: Option<&TableInfo>,
    infos: &[Option<&TableInfo>],
    report: &mut Report<'_>,
) {
    for (i, (rows, info)) in model.rows.iter().zip(infos).enumerate() {
        let Some(info) = info else { continue };
        let earlier = infos[..i].iter().flatten().chain(&header);
        if earlier.into_iter().any(|e| std::ptr::eq(*e, *info)) {
            let message = format!("`{}` is a table of the cart already", rows.table);
            report.error(&rows.table, message, "each table once");
        }
    }
}

fn table(alias: &str, info: Option<&TableInfo>) -> Table {
    let columns = info.map_or(Vec::new(), |info| {
        info.columns.iter().map(Column::from).collect()
    });
    Table {
        alias: alias.to_owned(),
        schema: info.map_or(String::new(), |i| i.schema.clone()),
        name: info.map_or(String::new(), |i| i.name.clone()),
        columns,
        key: Vec::new(),
        cart: None,
        parent: None,
    }
}

fn header(model: &Model, info: Option<&TableInfo>, report: &mut Report<'_>) -> Table {
    let cart = &model.cart;
    let mut header = table(alias_of(cart.table.get_ref()), info);
    let Some(info) = info else { return header };
    header.key = key(&cart.key, &cart.table, &header, info, report);
    if !header.key.is_empty() && !unique(&header, info) {
        let at = cart.key.first().unwrap_or(&cart.table);
        let message = format!(
            "the key of `{}` is not unique there, so it has no header row for each cart",
            header.alias
        );
        let expected = "columns that a unique index covers; or, where the rows that share a key are \
                        the cart, an [[into]] with `per = \"cart\"`";
        report.error(at, message, expected);
    }
    header.cart = Some(header.key.clone());
    header
}

/// The header that is made of the cart's key, and the carrier.
fn headless(model: &Model, info: Option<&TableInfo>, report: &mut Report<'_>) -> Vec<Table> {
    let cart = &model.cart;
    let mut carrier = table(alias_of(cart.table.get_ref()), info);
    let mut header = table(Layout::MADE, None);
    if let Some(info) = info {
        carrier.key = key(&cart.row_key, &cart.table, &carrier, info, report);
        warn_unless_unique(
            cart.row_key.first().unwrap_or(&cart.table),
            &carrier,
            info,
            report,
        );
        let named = columns(&cart.key, &carrier, report);
        for (column, name) in named.iter().zip(&cart.key) {
            let ty = &carrier.columns[*column].ty;
            // The shop may take two spellings for one cart; both are read, and stay apart.
            if ty.loose {
                let message = format!(
                    "`{name}` is {}, of which the database takes different texts for one value; \
                     cartage tells carts apart by their texts",
                    ty.name
                );
                report.warning(name, message);
            } else if !ty.has_key_text() {
                report.error(name, loose(name, "its cart", &ty.name), PLAIN);
            }
        }
        // A row with a null in them belongs to no cart.
        let not_null = |c: &usize| Column {
            not_null: true,
            ..carrier.columns[*c].clone()
        };
        header.columns = named.iter().map(not_null).collect();
        header.key = (0..named.len()).collect();
        header.cart = Some(header.key.clone());
        carrier.cart = Some(named);
    }
    vec![header, carrier]
}

const PLAIN: &str = "a number, a uuid, a date, or text with a plain collation";

/// Texts that are told apart where the database takes them for one value.
fn loose(name: &Spanned<String>, what: &str, ty: &str) -> String {
    format!(
        "`{name}` finds {what} by {ty}, of which the database takes different texts for one value; \
         cartage tells rows apart by their texts"
    )
}

/// The named columns, else the primary key.
fn key(
    names: &[Spanned<String>],
    place: &Spanned<String>,
    table: &Table,
    info: &TableInfo,
    report: &mut Report<'_>,
) -> Vec<usize> {
    if !names.is_empty() {
        return columns(names, table, report);
    }
    if info.primary_key.is_empty() {
        let message = format!("`{}` has no primary key", table.alias);
        report.error(place, message, "`key`, the columns that identify a row");
    }
    let primary = info.primary_key.iter();
    primary.filter_map(|name| table.column(name)).collect()
}

fn columns(names: &[Spanned<String>], table: &Table, report: &mut Report<'_>) -> Vec<usize> {
    names
        .iter()
        .filter_map(|name| column(name, table, report))
        .collect()
}

fn column(name: &Spanned<String>, table: &Table, report: &mut Report<'_>) -> Option<usize> {
    let found = table.column(name.get_ref());
    if found.is_none() {
        let message = format!("`{}` has no column `{name}`", table.alias);
        report.unknown(name, message, table.columns.iter().map(|c| c.name.as_str()));
    }
    found
}

fn unique(table: &Table, info: &TableInfo) -> bool {
    let in_key = |name: &String| table.key.iter().any(|k| &table.columns[*k].name == name);
    let primary = std::iter::once(&info.primary_key).filter(|k| !k.is_empty());
    info.uniques
        .iter()
        .chain(primary)
        .any(|columns| columns.iter().all(in_key))
}

fn warn_unless_unique(
    place: &Spanned<String>,
    table: &Table,
    info: &TableInfo,
    report: &mut Report<'_>,
) {
    if !table.key.is_empty() && !unique(table, info) {
        let message = format!("no unique index of `{}` covers its key", table.alias);
        report.warning(place, message);
    }
}

/// Columns here that hold another table's key: as many, and of types whose texts are comparable.
fn owner(
    names: &[Spanned<String>],
    here: &Table,
    there: &Table,
    what: &str,
    report: &mut Report<'_>,
) -> Option<Vec<usize>> {
    let first = names.first()?;
    let found = columns(names, here, report);
    if found.len() != names.len() || there.key.is_empty() {
        return None;
    }
    if names.len() != there.key.len() {
        let message = format!("{what} is made of ({})", names_of(there, &there.key));
        report.error(first, message, "a column here for each of them");
        return None;
    }
    for ((column, key), name) in found.iter().zip(&there.key).zip(names) {
        let (here, there) = (&here.columns[*column].ty, &there.columns[*key].ty);
        if texts(here.class) != texts(there.class) {
            let message = format!("`{name}` is {}, {what} is {}", here.name, there.name);
            report.error(name, message, "the same type on both sides");
        } else if let Some(loose) = [here, there].into_iter().find(|ty| !ty.has_key_text()) {
            report.error(name, self::loose(name, "its row", &loose.name), PLAIN);
        }
    }
    Some(found)
}

fn names_of(table: &Table, columns: &[usize]) -> String {
    let names = columns.iter().map(|c| table.columns[*c].name.as_str());
    names.collect::<Vec<_>>().join(", ")
}

/// Types in which equal values have equal texts, once zeros and blanks at the end are gone.
fn texts(class: Class) -> Class {
    match class {
        Class::Int2 | Class::Int4 | Class::Int8 => Class::Int8,
        class => class,
    }
}

fn link_parents(
    model: &Model,
    tables: &mut [Table],
    first: usize,
    infos: &[Option<&TableInfo>],
    report: &mut Report<'_>,
) {
    for (i, rows) in model.rows.iter().enumerate() {
        let Some(parent) = &rows.parent else { continue };
        let Some(index) = tables.iter().position(|t| &t.alias == parent.get_ref()) else {
            continue; // the loader has refused it
        };
        if infos[i].is_some() {
            let what = format!("the key of `{parent}`");
            let by = owner(&rows.by, &tables[first + i], &tables[index], &what, report);
            tables[first + i].parent = by.map(|by| (index, by));
        }
    }
}

fn trusted_births(tables: &[Table], header: &TableInfo, infos: &[Option<&TableInfo>]) -> bool {
    let info_of = |index: usize| match index {
        Layout::HEADER => Some(header),
        i => infos.get(i - 1).copied().flatten(),
    };
    let enforced = |index: usize, columns: &[usize], to: usize| {
        let (Some(from), Some(into)) = (info_of(index), info_of(to)) else {
            return false;
        };
        let pairs: BTreeSet<(&str, &str)> = columns
            .iter()
            .zip(&tables[to].key)
            .map(|(c, k)| {
                let (here, there) = (&tables[index].columns[*c], &tables[to].columns[*k]);
                (here.name.as_str(), there.name.as_str())
            })
            .collect();
        from.foreign_keys
            .iter()
            .any(|fk| fk.enforced && !fk.deferrable && refers(fk, into) && fk_pairs(fk) == pairs)
    };
    tables.iter().enumerate().skip(1).all(|(i, table)| {
        let cart = table.cart.as_ref();
        let parent = table.parent.as_ref();
        cart.is_none_or(|columns| enforced(i, columns, Layout::HEADER))
            && parent.is_none_or(|(parent, by)| enforced(i, by, *parent))
    })
}

pub(super) fn refers(fk: &ForeignKey, table: &TableInfo) -> bool {
    fk.schema == table.schema && fk.table == table.name
}

pub(super) fn fk_pairs(fk: &ForeignKey) -> BTreeSet<(&str, &str)> {
    let names = fk.columns.iter().zip(&fk.referenced);
    names.map(|(c, r)| (c.as_str(), r.as_str())).collect()
}

/// The column that dates a change: the header's, or the carrier's.
pub(super) fn changed_at(model: &Model, layout: &Layout, report: &mut Report<'_>) -> Option<usize> {
    let name = model.cart.changed_at.as_ref()?;
    let header = &layout.tables[layout.dated_in()];
    if header.columns.is_empty() {
        return None; // the table itself is missing
    }
    let found = column(name, header, report)?;
    let ty = &header.columns[found].ty;
    if !matches!(ty.class, Class::Timestamp | Class::TimestampTz) {
        let message = format!("`{name}` is {}", ty.name);
        report.error(name, message, "a timestamp");
    }
    Some(found)
}

/// The layout with those columns only, in the same order.
pub(super) fn reduced(full: &Layout, read: &BTreeSet<(usize, usize)>) -> Layout {
    let tables = full.tables.iter().enumerate().map(|(t, table)| {
        let kept: Vec<usize> = (0..table.columns.len())
            .filter(|c| read.contains(&(t, *c)))
            .collect();
        let moved = |columns: &Vec<usize>| -> Vec<usize> {
            let place = |c: &usize| kept.iter().position(|k| k == c);
            columns.iter().filter_map(place).collect()
        };
        Table {
            columns: kept.iter().map(|c| table.columns[*c].clone()).collect(),
            key: moved(&table.key),
            cart: table.cart.as_ref().map(moved),
            parent: table.parent.as_ref().map(|(p, by)| (*p, moved(by))),
            ..table.clone()
        }
    });
    Layout {
        tables: tables.collect(),
    }
}

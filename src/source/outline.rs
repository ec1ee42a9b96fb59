//! The tables of `[cart]` and `[cart.rows]` with their keys and owners, without any expression:
//! what `setup` publishes, and what `check` looks at even where the mapping does not compile.

use toml::Spanned;

use crate::cart::layout::{Column, Layout, Table};
use crate::catalog::{Catalog, TableInfo, TableKind};
use crate::config::{Config, Rows};

/// A layout of all tables that are there, with all of their columns, and what is wrong with the
/// others.
#[derive(Debug)]
pub struct Outline {
    pub layout: Layout,
    pub problems: Vec<String>,
}

pub fn outline(config: &Config, source: &Catalog) -> Outline {
    let mut problems = Vec::new();
    let mut tables = Vec::new();
    let name = config.cart.table.get_ref();
    let alias = name.rsplit('.').next().unwrap_or(name);
    match published(source, name) {
        Ok(info) => {
            let mut header = bare(alias, info);
            let cart = &config.cart;
            // Without header rows the table stands for itself: nothing is made here.
            let of_row = match config.is_headless() {
                true => &cart.row_key,
                false => &cart.key,
            };
            header.key = key(info, of_row, &mut problems);
            header.cart = Some(match config.is_headless() {
                true => columns(info, &cart.key, &mut problems),
                false => header.key.clone(),
            });
            tables.push(header);
        }
        Err(problem) => problems.push(problem),
    }
    for rows in &config.rows {
        match published(source, rows.table.get_ref()) {
            Ok(info) => {
                let mut table = bare(rows.alias.get_ref(), info);
                table.key = key(info, &rows.key, &mut problems);
                if !rows.cart.is_empty() {
                    table.cart = Some(columns(info, &rows.cart, &mut problems));
                }
                tables.push(table);
            }
            Err(problem) => problems.push(problem),
        }
    }
    for rows in &config.rows {
        parent(&mut tables, rows, source, &mut problems);
    }
    Outline {
        layout: Layout { tables },
        problems,
    }
}

/// Only a table that has rows in its own name is in the log: not a view, and, since the
/// publication goes through the roots, not a partition.
fn published<'c>(source: &'c Catalog, name: &str) -> Result<&'c TableInfo, String> {
    let info = source.find(name).ok_or_else(|| {
        format!("the source has no table {name}; create it or correct the name (is its schema in the search path?)")
    })?;
    match info.kind {
        TableKind::Ordinary | TableKind::Partitioned => Ok(info),
        TableKind::Leaf => Err(format!(
            "{name} is a partition: changes are published under the partitioned table that it \
             belongs to; name that one"
        )),
        TableKind::Other => Err(format!(
            "{name} is a view or a foreign table: its changes are in no log; name the table below"
        )),
    }
}

fn bare(alias: &str, info: &TableInfo) -> Table {
    Table {
        alias: alias.to_owned(),
        schema: info.schema.clone(),
        name: info.name.clone(),
        columns: info.columns.iter().map(Column::from).collect(),
        key: Vec::new(),
        cart: None,
        parent: None,
    }
}

fn key(info: &TableInfo, named: &[Spanned<String>], problems: &mut Vec<String>) -> Vec<usize> {
    if !named.is_empty() {
        return columns(info, named, problems);
    }
    if info.primary_key.is_empty() {
        problems.push(format!(
            "{}.{} has no primary key; name its identifying columns with `key`",
            info.schema, info.name
        ));
    }
    let position = |name: &String| info.columns.iter().position(|c| &c.name == name);
    info.primary_key.iter().filter_map(position).collect()
}

fn columns(info: &TableInfo, named: &[Spanned<String>], problems: &mut Vec<String>) -> Vec<usize> {
    let mut found = Vec::new();
    for name in named {
        match info.columns.iter().position(|c| &c.name == name.get_ref()) {
            Some(column) => found.push(column),
            None => problems.push(format!(
                "{}.{} has no column {}",
                info.schema,
                info.name,
                name.get_ref()
            )),
        }
    }
    found
}

fn parent(tables: &mut [Table], rows: &Rows, source: &Catalog, problems: &mut Vec<String>) {
    let Some(named) = &rows.parent else { return };
    let named = named.get_ref();
    let (alias, table) = (rows.alias.get_ref(), rows.table.get_ref());
    let Some(parent) = tables.iter().position(|t| &t.alias == named) else {
        problems.push(format!(
            "the parent {named} of {alias} is no table of the cart"
        ));
        return;
    };
    let Some(info) = source.find(table) else {
        return;
    };
    let by = columns(info, &rows.by, problems);
    if let Some(table) = tables.iter_mut().find(|t| &t.alias == alias) {
        table.parent = Some((parent, by));
    }
}

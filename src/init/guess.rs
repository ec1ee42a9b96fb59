//! Shops that no platform is known for: what their tables and columns suggest.

mod columns;
mod tables;

use std::collections::BTreeMap;

use super::platform::{
    AsSource, AsTarget, FullWish, NewShop, OldShop, RowsOf, Saying, Scope, Wanted, Wish,
};
use super::spelling::name_in;
use super::words::alike;
use crate::catalog::{Catalog, TableInfo};
use crate::sqltype::Class;
use columns::{closed, ended, live, lock, named, says};
use tables::{Found, find};

/// The way to a header's columns from the rows below it.
const ABOVE: &str = "header.";

pub fn old_shop(catalog: &Catalog) -> OldShop {
    let side = match find(catalog) {
        Some(found) => old_side(&found),
        None => nothing(),
    };
    OldShop {
        platform: None,
        side,
    }
}

fn nothing() -> AsSource {
    AsSource {
        table: String::new(),
        key: Vec::new(),
        live: None,
        live_why: None,
        changed_at: None,
        time_zone: None,
        rows: Vec::new(),
        scope: BTreeMap::new(),
        lookup: BTreeMap::new(),
    }
}

fn old_side(found: &Found<'_>) -> AsSource {
    let header = found.header;
    let mut cart = Scope {
        per: header.name.clone(),
        says: says(header, "{h}"),
        ..Scope::default()
    };
    cart.says.insert("cart".into(), key_of(header, "{h}"));
    let mut scope = BTreeMap::from([("cart".to_owned(), cart)]);
    let mut rows = Vec::new();
    if let Some(line) = &found.line {
        rows.push(rows_of(
            line.table,
            Some(&line.by),
            None,
            "by a foreign key or its name",
        ));
        let mut says = says(line.table, "");
        says.insert("line".into(), key_of(line.table, ""));
        says.insert("cart".into(), Saying::Text(joined(&line.by)));
        scope.insert(
            "line".into(),
            Scope {
                per: line.table.name.clone(),
                header: ABOVE.into(),
                says,
                ..Scope::default()
            },
        );
    }
    for detail in &found.details {
        let parent = detail
            .parent
            .map(|parent| (parent.name.clone(), detail.by.clone()));
        rows.push(match &parent {
            Some(_) => rows_of(
                detail.table,
                None,
                parent.as_ref(),
                "by a foreign key or its name",
            ),
            None => rows_of(
                detail.table,
                Some(&detail.by),
                None,
                "by a foreign key or its name",
            ),
        });
        let mut says = says(detail.table, "");
        says.insert("detail".into(), key_of(detail.table, ""));
        let above = if detail.parent.is_some() {
            "line"
        } else {
            "cart"
        };
        says.insert(above.into(), Saying::Text(joined(&detail.by)));
        scope.insert(
            detail_scope(detail.table, found),
            Scope {
                per: detail.table.name.clone(),
                header: ABOVE.into(),
                says,
                ..Scope::default()
            },
        );
    }
    let (live, live_why) = live(header).unzip();
    AsSource {
        table: header.name.clone(),
        key: header.primary_key.clone(),
        live,
        live_why,
        changed_at: named(header, "updated", |class| {
            matches!(class, Class::Timestamp | Class::TimestampTz)
        }),
        rows,
        scope,
        ..nothing()
    }
}

fn rows_of(
    table: &TableInfo,
    cart: Option<&Vec<String>>,
    parent: Option<&(String, Vec<String>)>,
    why: &str,
) -> RowsOf {
    RowsOf {
        table: table.name.clone(),
        cart: cart.cloned().unwrap_or_default(),
        parent: parent.map(|(parent, _)| parent.clone()),
        by: parent.map(|(_, by)| by.clone()).unwrap_or_default(),
        key: table.primary_key.clone(),
        why: Some(format!("likely: {why}")),
    }
}

/// Details of both shops find each other by what their tables are called, but for what all tables of
/// carts are called.
fn detail_scope(table: &TableInfo, found: &Found<'_>) -> String {
    let mut dull = alike(&found.header.name);
    dull.extend(found.line.iter().flat_map(|line| alike(&line.table.name)));
    dull.extend(["cart".into(), "line".into()]);
    let parts = alike(&table.name).into_iter();
    let parts: Vec<String> = parts.filter(|part| !dull.contains(part)).collect();
    format!("detail {}", parts.join(" "))
}

fn key_of(table: &TableInfo, way: &str) -> Saying {
    let columns = table.primary_key.iter();
    let columns: Vec<String> = columns.map(|c| format!("{way}{}", name_in(c))).collect();
    Saying::Text(columns.join(", "))
}

fn joined(columns: &[String]) -> String {
    let columns: Vec<String> = columns.iter().map(|c| name_in(c)).collect();
    columns.join(", ")
}

pub fn new_shop(catalog: &Catalog) -> NewShop {
    let into = find(catalog).map_or_else(Vec::new, |found| wanted(&found));
    NewShop {
        platform: None,
        side: AsTarget {
            into,
            lookup: BTreeMap::new(),
            map: BTreeMap::new(),
        },
    }
}

fn wanted(found: &Found<'_>) -> Vec<Wanted> {
    let header = found.header;
    let mut intos = vec![Wanted {
        table: header.name.clone(),
        scopes: vec!["cart".into()],
        role: "header".into(),
        lock: lock(header),
        lock_why: lock(header).map(|_| "guess: it counts or dates each change".into()),
        filter: None,
        needs: Vec::new(),
        closed: closed(header),
        ended: Some(ended(header)),
        deleted: columns::deleted(header),
        line: None,
        columns: keys(header, "cart"),
    }];
    if let Some(line) = &found.line {
        let mut columns = keys(line.table, "line");
        columns.extend(link(line.table, &line.by, header, "cart"));
        let product = ["sku", "variant", "product"];
        let product = product
            .iter()
            .find_map(|word| named(line.table, word, |_| true));
        let quantity = named(line.table, "quantity", |_| true);
        intos.push(Wanted {
            table: line.table.name.clone(),
            scopes: vec!["line".into()],
            role: "line".into(),
            lock: lock(line.table),
            lock_why: lock(line.table).map(|_| "guess: it counts or dates each change".into()),
            filter: None,
            needs: Vec::new(),
            closed: None,
            // As the header, above which they lie.
            ended: Some(ended(header)).filter(|e| e == "\"delete\""),
            deleted: columns::deleted(line.table),
            line: product.zip(quantity),
            columns,
        });
    }
    for detail in &found.details {
        let mut columns = keys(detail.table, "detail");
        let (above, word) = match detail.parent {
            Some(parent) => (parent, "line"),
            None => (header, "cart"),
        };
        columns.extend(link(detail.table, &detail.by, above, word));
        intos.push(Wanted {
            table: detail.table.name.clone(),
            scopes: vec![detail_scope(detail.table, found)],
            role: "detail".into(),
            lock: lock(detail.table),
            lock_why: None,
            filter: None,
            needs: Vec::new(),
            closed: None,
            ended: None,
            deleted: columns::deleted(detail.table),
            line: None,
            columns,
        });
    }
    intos
}

/// The key's columns, in the style of their types.
fn keys(table: &TableInfo, word: &str) -> BTreeMap<String, Wish> {
    let [name] = table.primary_key.as_slice() else {
        return BTreeMap::new();
    };
    let Some(text) = key_text(table, name, word) else {
        return BTreeMap::new();
    };
    let wish = Wish::Full(FullWish {
        key: vec![text],
        why: Some("a key that says whose row it is".into()),
        ..FullWish::default()
    });
    BTreeMap::from([(name.clone(), wish)])
}

fn key_text(table: &TableInfo, name: &str, word: &str) -> Option<String> {
    let column = table.column(name)?;
    match column.ty.class {
        Class::Text | Class::Char => Some(format!("keyed_id({{{word}}})")),
        Class::Uuid => Some(format!("uuid_v5(concat('{word} ', {{{word}}}))")),
        Class::Int2 | Class::Int4 | Class::Int8 | Class::Numeric => Some(format!("{{{word}}}")),
        _ => None,
    }
}

/// The columns that hold the key of the row above.
fn link(table: &TableInfo, by: &[String], above: &TableInfo, word: &str) -> BTreeMap<String, Wish> {
    let ([name], [key]) = (by, above.primary_key.as_slice()) else {
        return BTreeMap::new();
    };
    let Some(text) = table.column(name).and_then(|_| key_text(above, key, word)) else {
        return BTreeMap::new();
    };
    let wish = FullWish {
        value: vec![text],
        why: Some("the key of the row that it belongs to".into()),
        ..FullWish::default()
    };
    BTreeMap::from([(name.clone(), Wish::Full(wish))])
}

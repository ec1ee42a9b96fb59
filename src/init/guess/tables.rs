//! Which tables hold carts, their lines, and what hangs below either.

use crate::catalog::{Catalog, TableInfo, TableKind};
use crate::init::words::{parts, word_of};

pub struct Found<'c> {
    pub header: &'c TableInfo,
    pub line: Option<Below<'c>>,
    pub details: Vec<Below<'c>>,
}

/// A table, and the columns by which its rows name the row above.
pub struct Below<'c> {
    pub table: &'c TableInfo,
    pub by: Vec<String>,
    /// None: the header.
    pub parent: Option<&'c TableInfo>,
}

/// Names for a cart, and how much each says.
const CARTS: [(&str, i32); 8] = [
    ("cart", 6),
    ("basket", 6),
    ("quote", 5),
    ("checkout", 5),
    ("trolley", 6),
    ("bag", 4),
    ("order", 4),
    ("session", 1),
];

const LINES: [&str; 7] = [
    "item", "line", "product", "entry", "position", "lineitem", "content",
];

/// Below this a table is none of carts.
const ENOUGH: i32 = 6;

pub fn find(catalog: &Catalog) -> Option<Found<'_>> {
    let tables = || catalog.tables.iter().filter(|t| t.kind != TableKind::Other);
    let scored = tables().filter_map(|table| Some((header_score(table, catalog)?, table)));
    let (_, header) = scored
        .filter(|(score, _)| *score >= ENOUGH)
        .max_by(|(one, a), (other, b)| one.cmp(other).then_with(|| b.name.cmp(&a.name)))?;
    let below = |parent: &'_ TableInfo| -> Vec<(&TableInfo, Vec<String>)> {
        let others = tables().filter(|t| !std::ptr::eq(*t, parent) && !t.primary_key.is_empty());
        others
            .filter_map(|t| Some((t, refers(t, parent)?)))
            .collect()
    };
    let mut direct = below(header);
    let best = direct
        .iter()
        .enumerate()
        .map(|(at, (table, _))| (line_score(table), at))
        .filter(|(score, _)| *score >= 3)
        .max_by_key(|(score, at)| (*score, usize::MAX - at));
    let line = best
        .map(|(_, at)| direct.remove(at))
        .map(|(table, by)| Below {
            table,
            by,
            parent: None,
        });
    // A table that many others are asked for by, an order made of the cart, say, is none of its rows.
    let own = |table: &TableInfo| header_score(table, catalog).is_none_or(|score| score < ENOUGH);
    let mut details: Vec<Below<'_>> = Vec::new();
    for (table, by) in direct.into_iter().filter(|(t, _)| own(t)) {
        details.push(Below {
            table,
            by,
            parent: None,
        });
    }
    if let Some(line) = &line {
        for (table, by) in below(line.table) {
            let known = details.iter().any(|d| std::ptr::eq(d.table, table));
            if !known && !std::ptr::eq(table, header) && own(table) {
                details.push(Below {
                    table,
                    by,
                    parent: Some(line.table),
                });
            }
        }
    }
    Some(Found {
        header,
        line,
        details,
    })
}

fn header_score(table: &TableInfo, catalog: &Catalog) -> Option<i32> {
    if table.primary_key.is_empty() {
        return None;
    }
    let name = parts(&table.name);
    let said = |part: &String| CARTS.iter().find(|(cart, _)| cart == part).map(|(_, n)| *n);
    // `cart_item` and `cart_address` are no carts; `shop_cart` is one.
    let mut score = name.last().and_then(said)?;
    let others = catalog.tables.iter().filter(|t| !std::ptr::eq(*t, table));
    let lines = others.filter(|t| refers(t, table).is_some() && line_score(t) >= 3);
    score += if lines.count() > 0 { 4 } else { -4 };
    let words = [
        "email", "currency", "token", "created", "updated", "customer",
    ];
    let says = |word: &&str| table.columns.iter().any(|c| word_of(&c.name) == Some(word));
    score += i32::try_from(words.iter().filter(|w| says(w)).count()).unwrap_or(0);
    Some(score)
}

fn line_score(table: &TableInfo) -> i32 {
    let named = parts(&table.name)
        .iter()
        .any(|part| LINES.contains(&part.as_str()));
    let says = |word: &str| table.columns.iter().any(|c| word_of(&c.name) == Some(word));
    let product = ["sku", "variant", "product"].iter().any(|word| says(word));
    i32::from(named) * 3 + i32::from(says("quantity")) * 3 + i32::from(product) * 2
        - i32::from(!product) * 2
}

/// The columns here that hold the other table's key: by a foreign key, else by their names.
pub fn refers(table: &TableInfo, to: &TableInfo) -> Option<Vec<String>> {
    let key = &to.primary_key;
    let keys = table.foreign_keys.iter();
    let mut keys = keys.filter(|fk| fk.schema == to.schema && fk.table == to.name);
    if let Some(fk) = keys.find(|fk| &fk.referenced == key) {
        return Some(fk.columns.clone());
    }
    let [key] = key.as_slice() else { return None };
    let key_info = to.column(key)?;
    let last = parts(&to.name).last().cloned()?;
    let whole = parts(&to.name).join(" ");
    let said = |name: &str| parts(name).join(" ");
    let by = |name: &str| {
        let said = said(name);
        said == format!("{last} id")
            || said == format!("{whole} id")
            || said == format!("id {last}")
            || said != "id" && said != "entity id" && said == parts(key).join(" ")
    };
    let found = table
        .columns
        .iter()
        .find(|c| by(&c.name) && c.ty.class.is_integer() == key_info.ty.class.is_integer())?;
    // Its own key, if that is the same column, would make it a part of the same row.
    (table.primary_key.as_slice() != [found.name.clone()]).then(|| vec![found.name.clone()])
}

//! What columns suggest: words that they say, which carts are open, what closes one, what locks it.

use std::collections::BTreeMap;

use crate::catalog::{ColumnInfo, TableInfo};
use crate::init::platform::Saying;
use crate::init::spelling::name_in;
use crate::init::words::{parts, rank, word_of};
use crate::sqltype::Class;

/// The words that a table's columns say; of several, the plainest column's.
pub fn says(table: &TableInfo, way: &str) -> BTreeMap<String, Saying> {
    let mut said: BTreeMap<String, (usize, Saying)> = BTreeMap::new();
    for column in &table.columns {
        let Some(word) = word_of(&column.name) else {
            continue;
        };
        let rank = rank(&column.name, word);
        let text = format!("{way}{}", name_in(&column.name));
        let better = said.get(word).is_none_or(|(known, _)| rank < *known);
        if better {
            said.insert(word.to_owned(), (rank, Saying::Text(text)));
        }
    }
    said.into_iter()
        .map(|(word, (_, saying))| (word, saying))
        .collect()
}

/// The column that says a word.
pub fn named(table: &TableInfo, word: &str, fits: impl Fn(Class) -> bool) -> Option<String> {
    let columns = table.columns.iter();
    let mut said: Vec<&ColumnInfo> = columns
        .filter(|c| word_of(&c.name) == Some(word) && fits(c.ty.class))
        .collect();
    said.sort_by_key(|c| rank(&c.name, word));
    said.first().map(|c| c.name.clone())
}

const DONE: [&str; 7] = [
    "completed at",
    "ordered at",
    "placed at",
    "order placed at",
    "converted at",
    "closed at",
    "submitted at",
];

fn by_parts<'t>(table: &'t TableInfo, names: &[&str]) -> Option<&'t ColumnInfo> {
    let said = |column: &&ColumnInfo| names.contains(&parts(&column.name).join(" ").as_str());
    table.columns.iter().find(said)
}

/// The condition of an open cart, and why it is one.
pub fn live(table: &TableInfo) -> Option<(String, String)> {
    if let Some(column) = by_parts(table, &["is active", "active", "is open", "open"]) {
        let name = name_in(&column.name);
        return Some(match column.ty.class {
            Class::Bool => (name, "likely: by its name".into()),
            _ => (format!("{name} = 1"), "likely: by its name".into()),
        });
    }
    if let Some(column) = by_parts(table, &DONE).filter(|c| !c.not_null) {
        return Some((
            format!("{} is null", name_in(&column.name)),
            "likely: by its name".into(),
        ));
    }
    let state = by_parts(table, &["state", "status", "cart state", "cart status"])?;
    let text = match state.ty.class {
        Class::Text | Class::Char => "cart",
        Class::Enum => state
            .ty
            .labels
            .iter()
            .find(|l| ["cart", "open", "active"].contains(&l.as_str()))?,
        _ => return None,
    };
    Some((
        format!("{} = '{text}'", name_in(&state.name)),
        "guess: needs an answer, which states an open cart has".into(),
    ))
}

/// The state in which a cart is the new shop's.
pub fn closed(table: &TableInfo) -> Option<String> {
    let column = by_parts(table, &DONE).filter(|c| !c.not_null)?;
    Some(format!("{} is not null", name_in(&column.name)))
}

fn deleted_at(table: &TableInfo) -> Option<&ColumnInfo> {
    let column = by_parts(table, &["deleted at"])?;
    let time = matches!(column.ty.class, Class::Timestamp | Class::TimestampTz);
    (time && !column.not_null).then_some(column)
}

pub fn ended(table: &TableInfo) -> String {
    deleted(table).unwrap_or_else(|| "\"delete\"".into())
}

pub fn deleted(table: &TableInfo) -> Option<String> {
    let column = deleted_at(table)?;
    let name = crate::init::spelling::quoted(&column.name);
    Some(format!("{{ set = {{ {name} = \"commit_time()\" }} }}"))
}

/// A column that counts the changes of its row.
pub fn lock(table: &TableInfo) -> Option<String> {
    let column = by_parts(table, &["version", "lock version", "row version"])?;
    column.ty.class.is_integer().then(|| column.name.clone())
}

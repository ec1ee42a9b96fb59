//! Which source tables and columns make a cart, in the order in which images hold them.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

use super::image::Cell;
use super::key::CartKey;
use crate::sqltype::{Class, SqlType};

/// The tables of a cart; the first one is the header.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Layout {
    pub tables: Vec<Table>,
}

/// One source table, reduced to the columns that the mapping reads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Table {
    /// The name that expressions use.
    pub alias: String,
    pub schema: String,
    pub name: String,
    pub columns: Vec<Column>,
    /// Indices into `columns`: what identifies a row.
    pub key: Vec<usize>,
    /// Columns that hold the cart key (in the header: its own key).
    pub cart: Option<Vec<usize>>,
    /// The parent's table index, and the columns here that hold the parent's key.
    pub parent: Option<(usize, Vec<usize>)>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Column {
    pub name: String,
    pub ty: SqlType,
    pub not_null: bool,
    /// The source's server takes texts here for equal only where their bytes are.
    #[serde(default)]
    pub bytewise: bool,
}

impl Layout {
    pub const HEADER: usize = 0;

    pub fn header(&self) -> &Table {
        &self.tables[Self::HEADER]
    }

    pub fn table(&self, alias: &str) -> Option<usize> {
        self.tables.iter().position(|t| t.alias == alias)
    }

    /// The tables whose rows hang below a row of `table`, with the columns that name it.
    pub fn children(&self, table: usize) -> impl Iterator<Item = (usize, &[usize])> {
        self.tables.iter().enumerate().filter_map(move |(i, t)| {
            let (parent, by) = t.parent.as_ref()?;
            (*parent == table).then_some((i, by.as_slice()))
        })
    }
}

impl Table {
    pub fn column(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|c| c.name == name)
    }

    /// Orders rows by key. Any total order does: it only has to be the same everywhere.
    pub fn compare_keys(&self, a: &[Cell], b: &[Cell]) -> Ordering {
        self.key
            .iter()
            .map(|&i| match (&a[i], &b[i]) {
                (Cell::Text(a), Cell::Text(b)) => {
                    let class = self.columns[i].ty.class;
                    key_form(class, a).cmp(key_form(class, b))
                }
                (a, b) => a.cmp(b),
            })
            .find(|o| o.is_ne())
            .unwrap_or(Ordering::Equal)
    }

    /// The cart key that these columns of a row hold; none where one of them is null or missing.
    pub fn cart_key(&self, cells: &[Cell], columns: &[usize]) -> Option<CartKey> {
        let value = |&i: &usize| self.key_text(i, &cells[i]);
        let values: Option<Vec<&str>> = columns.iter().map(value).collect();
        values.map(CartKey::of)
    }

    /// The same from cells that are of these columns alone.
    pub fn key_of(&self, columns: &[usize], cells: &[Cell]) -> Option<CartKey> {
        let value = |(&i, cell)| self.key_text(i, cell);
        let values: Option<Vec<&str>> = columns.iter().zip(cells).map(value).collect();
        values.map(CartKey::of)
    }

    /// A cell as a key compares it.
    pub fn key_text<'c>(&self, column: usize, cell: &'c Cell) -> Option<&'c str> {
        Some(key_form(self.columns[column].ty.class, cell.text()?))
    }
}

/// Of the spellings that the server takes for one value, the one that stands in keys: numerics
/// without the zeros at their end (1.0 and 1.00 are equal), `character(n)` without its blanks. All
/// other types that keys are made of print equal values alike.
pub fn key_form(class: Class, text: &str) -> &str {
    match class {
        Class::Numeric if text.contains('.') => text.trim_end_matches('0').trim_end_matches('.'),
        Class::Char => text.trim_end_matches(' '),
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_values_are_one_key() {
        for (class, text, form) in [
            (Class::Numeric, "1.00", "1"),
            (Class::Numeric, "10", "10"),
            (Class::Numeric, "-0.50", "-0.5"),
            (Class::Numeric, "0.000", "0"),
            (Class::Char, "ab  ", "ab"),
            (Class::Text, "1.00 ", "1.00 "),
        ] {
            assert_eq!(key_form(class, text), form, "{text}");
        }
    }
}

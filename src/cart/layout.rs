//! Which source tables and columns make a cart, in the order in which images hold them.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

use super::image::Cell;
use super::key::CartKey;
use crate::sqltype::SqlType;

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
            .map(|&i| a[i].cmp(&b[i]))
            .find(|o| o.is_ne())
            .unwrap_or(Ordering::Equal)
    }

    /// The cart key that these columns of a row hold; none where one of them is null or missing.
    pub fn cart_key(cells: &[Cell], columns: &[usize]) -> Option<CartKey> {
        let values: Option<Vec<&str>> = columns.iter().map(|&i| cells[i].text()).collect();
        values.map(CartKey::of)
    }
}

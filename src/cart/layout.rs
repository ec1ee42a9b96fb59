//! Which source tables and columns make a cart, in the order in which images hold them.

use serde::{Deserialize, Serialize};

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
}

impl Table {
    pub fn column(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|c| c.name == name)
    }
}

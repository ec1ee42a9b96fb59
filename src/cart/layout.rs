//! Which source tables and columns make a cart, in the order in which images hold them.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

use super::image::Cell;
use super::key::CartKey;
use crate::catalog::ColumnInfo;
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
    /// The source's server takes texts here for equal only where their bytes are.
    #[serde(default)]
    pub bytewise: bool,
}

impl From<&ColumnInfo> for Column {
    fn from(info: &ColumnInfo) -> Self {
        Self {
            name: info.name.clone(),
            ty: info.ty.clone(),
            not_null: info.not_null,
            bytewise: info.bytewise,
        }
    }
}

impl Layout {
    pub const HEADER: usize = 0;

    pub fn header(&self) -> &Table {
        &self.tables[Self::HEADER]
    }

    pub fn table(&self, alias: &str) -> Option<usize> {
        self.tables.iter().position(|t| t.alias == alias)
    }

    /// From a table up its parents to the one that names the cart, and the columns that do it there;
    /// none where no way leads to a cart.
    pub fn path(&self, table: usize) -> Option<(Vec<usize>, &[usize])> {
        let mut path = vec![table];
        while path.len() <= self.tables.len() {
            let this = &self.tables[*path.last()?];
            match (&this.cart, &this.parent) {
                (Some(columns), _) | (None, Some((Self::HEADER, columns))) => {
                    return Some((path, columns));
                }
                (None, Some((parent, _))) => path.push(*parent),
                (None, None) => return None,
            }
        }
        None
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

    /// Orders rows by key. Any total order does: it only has to be the same everywhere, and equal
    /// where the database finds the values equal.
    pub fn compare_keys(&self, a: &[Cell], b: &[Cell]) -> Ordering {
        self.key
            .iter()
            .map(|&i| {
                let ty = &self.columns[i].ty;
                match (a[i].text(), b[i].text()) {
                    (Some(a), Some(b)) => ty.key_text(a).cmp(ty.key_text(b)),
                    _ => a[i].cmp(&b[i]),
                }
            })
            .find(|o| o.is_ne())
            .unwrap_or(Ordering::Equal)
    }

    /// The cart key that these columns of a row hold; none where one of them is null or missing.
    pub fn cart_key(&self, cells: &[Cell], columns: &[usize]) -> Option<CartKey> {
        self.key_of(columns, columns.iter().map(|&i| cells[i].text()))
    }

    /// The same from values of these columns.
    pub fn key_of<'a>(
        &self,
        columns: &[usize],
        values: impl Iterator<Item = Option<&'a str>>,
    ) -> Option<CartKey> {
        let texts: Option<Vec<&str>> = columns
            .iter()
            .zip(values)
            .map(|(&c, text)| text.map(|text| self.columns[c].ty.key_text(text)))
            .collect();
        texts.map(CartKey::of)
    }

    /// These columns of a row hold what others hold of a row there; null agrees with nothing, as in
    /// a foreign key.
    pub fn agrees(
        &self,
        cells: &[Cell],
        columns: &[usize],
        there: &Table,
        others: &[Cell],
        named: &[usize],
    ) -> bool {
        columns.len() == named.len()
            && columns
                .iter()
                .zip(named)
                .all(|(&c, &n)| match (cells[c].text(), others[n].text()) {
                    (Some(a), Some(b)) => {
                        self.columns[c].ty.key_text(a) == there.columns[n].ty.key_text(b)
                    }
                    _ => false,
                })
    }
}

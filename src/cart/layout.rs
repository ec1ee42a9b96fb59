//! Which source tables and columns make a cart, in the order in which images hold them.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

use super::image::{Cell, Cells};
use super::key::CartKey;
use crate::catalog::ColumnInfo;
use crate::sqltype::SqlType;

/// The tables of a cart; the first one is the header. Carts without a header row have one that is
/// made: its columns are the cart's key, and it is in no database. The second table, the carrier, is
/// the one whose rows make the cart.
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
    /// Empty where the table is made, and in no database.
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

    /// The alias of a header that is made, which `per` and expressions use.
    pub const MADE: &str = "cart";

    /// The table whose rows make a cart that has no header row.
    pub fn carrier(&self) -> Option<usize> {
        let made = self.tables.first().is_some_and(Table::is_made);
        let carrier = Self::HEADER + 1;
        (made && self.tables.get(carrier)?.cart.is_some()).then_some(carrier)
    }

    /// The tables that are in the database.
    pub fn stored(&self) -> impl Iterator<Item = &Table> {
        self.tables.iter().filter(|table| !table.is_made())
    }

    /// The table in which the keys of all carts stand, and the columns that hold them.
    pub fn named_in(&self) -> (&Table, &[usize]) {
        let table = &self.tables[self.carrier().unwrap_or(Self::HEADER)];
        (table, table.cart.as_deref().unwrap_or(&table.key))
    }

    /// The table whose rows date a change: `changed_at` is a column of it.
    pub fn dated_in(&self) -> usize {
        self.carrier().unwrap_or(Self::HEADER)
    }

    /// The header of a cart without one, from a row of its carrier.
    pub fn made_header(&self, row: &[Cell]) -> Cells {
        let key = self.carrier().and_then(|at| self.tables[at].cart.as_ref());
        key.into_iter().flatten().map(|&c| row[c].clone()).collect()
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
    /// It is the header of carts that have no header row.
    pub fn is_made(&self) -> bool {
        self.name.is_empty()
    }

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

    /// Asks something of the text of that key, which is made only where it is not a value as it stands.
    pub fn with_cart_key<T>(
        &self,
        cells: &[Cell],
        columns: &[usize],
        ask: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        if let [column] = columns {
            let text = self.columns[*column].ty.key_text(cells[*column].text()?);
            if CartKey::is_plain(text) {
                return ask(text);
            }
        }
        ask(self.cart_key(cells, columns)?.as_str())
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

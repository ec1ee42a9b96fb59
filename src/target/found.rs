//! Target rows by key as they are now, values in the form in which they are compared.

use std::collections::{HashMap, HashSet};

use super::error::TargetError;
use super::session::Target;
use super::{closed, mysql, postgres};
use crate::cart::image::{Cell, Cells};
use crate::mapping::map::{RowKey, TargetRow};
use crate::mapping::plan::{Into, Mapping};

/// A target row as found.
#[derive(Clone, Debug)]
pub struct Found {
    /// In the order of the `[[into]]`'s columns.
    pub cells: Cells,
    pub token: Option<Box<str>>,
    pub closed: bool,
    /// It is closed by more than what cartage left in its own columns, where these are as it left
    /// them.
    pub closed_by_others: bool,
    /// The whole row, for a human to see.
    pub json: Option<String>,
    /// Texts of columns that are one value with what was found, by the server's word.
    pub(super) alike: Vec<(usize, Box<str>)>,
}

impl Found {
    /// The new backend has closed it.
    pub fn finished(&self, into: &Into, left: &[Cell]) -> bool {
        let others = self.closed_by_others || !closed::as_left(into, left, self);
        self.closed && others && closed::guards(into).is_some()
    }

    /// The row holds this in a column.
    pub fn holds(&self, column: usize, cell: &Cell) -> bool {
        let alike = |text: &str| self.alike.iter().any(|(i, a)| *i == column && **a == *text);
        self.cells[column] == *cell || cell.text().is_some_and(alike)
    }
}

pub type FoundRows = HashMap<(usize, RowKey), Found>;

/// What is asked of each row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ask {
    /// The mapped columns alone.
    Values,
    /// Its token, whether it is closed, and all of it as JSON, too.
    State,
}

pub async fn find<'a>(
    target: &Target,
    mapping: &Mapping,
    rows: impl Iterator<Item = &'a TargetRow>,
    ask: Ask,
) -> Result<FoundRows, TargetError> {
    let rows: Vec<&TargetRow> = rows.collect();
    let mut keys: HashMap<usize, Vec<&RowKey>> = HashMap::new();
    let mut asked = HashSet::new();
    for row in &rows {
        if asked.insert(row.id()) {
            keys.entry(row.into).or_default().push(&row.key);
        }
    }
    match target {
        Target::Postgres(client) => {
            Ok(postgres::found::find(client, mapping, &rows, keys, ask).await?)
        }
        Target::Mysql(session) => mysql::found::find(session, mapping, &rows, keys, ask).await,
    }
}

//! Target rows by key as they are now, values in the form in which they are compared.

use super::error::TargetError;
use super::session::Target;
use super::{closed, mysql, postgres};
use crate::cart::image::{Cell, Cells};
use crate::hash::{HashMap, HashSet};
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
    /// A row of which nothing but values was asked.
    pub(super) fn of_values(cells: Cells) -> Self {
        Self {
            cells,
            token: None,
            closed: false,
            closed_by_others: false,
            json: None,
            alike: Vec::new(),
        }
    }

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
    /// The same of rows that stay locked until the transaction ends.
    Locked,
}

impl Ask {
    pub(super) fn is_whole(self) -> bool {
        matches!(self, Ask::State | Ask::Locked)
    }
}

pub async fn find<'a>(
    target: &Target,
    mapping: &Mapping,
    rows: impl Iterator<Item = &'a TargetRow>,
    ask: Ask,
) -> Result<FoundRows, TargetError> {
    let rows: Vec<&TargetRow> = rows.collect();
    let wanted = wanted(mapping, &rows);
    match target {
        Target::Postgres(client) => {
            let found = postgres::found::find(client, mapping, &rows, wanted, ask);
            Ok(found.await?)
        }
        Target::Mysql(session) => mysql::found::find(session, mapping, &rows, wanted, ask).await,
    }
}

/// The rows to ask for by the place of their `[[into]]`, each key once.
fn wanted<'a>(mapping: &Mapping, rows: &[&'a TargetRow]) -> Vec<Vec<&'a TargetRow>> {
    let mut wanted: Vec<Vec<&TargetRow>> = mapping.intos.iter().map(|_| Vec::new()).collect();
    let mut asked = HashSet::default();
    asked.reserve(rows.len());
    for row in rows {
        if asked.insert(row.id()) {
            wanted[row.into].push(row);
        }
    }
    wanted
}

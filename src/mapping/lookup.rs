//! `[lookup.NAME]`, compiled: a table that is not part of a cart, and how a row of it is found.

use serde::{Deserialize, Serialize};

use crate::cart::layout::Column;

/// Which end a lookup asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum End {
    Source,
    Target,
}

impl End {
    pub fn name(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::Target => "target",
        }
    }
}

/// What a call gives where no row matches, or several do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Lack {
    /// The cart is set aside and tried again.
    Hold,
    Null,
    /// The row is left out.
    Skip,
    /// The daemon stops.
    Error,
}

impl Lack {
    pub fn name(self) -> &'static str {
        match self {
            Self::Hold => "hold",
            Self::Null => "null",
            Self::Skip => "skip",
            Self::Error => "error",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lookup {
    pub name: String,
    pub on: End,
    pub schema: String,
    pub table: String,
    /// The columns that the arguments are compared with, in order.
    pub matches: Vec<Column>,
    pub get: Vec<Column>,
    /// A condition over the table's row, in the mapping's language.
    pub filter: Option<String>,
    /// The columns that it names.
    pub filter_columns: Vec<Column>,
    pub missing: Lack,
    pub ambiguous: Lack,
    /// It does not find a row, but the key that one has or gets: its table's sequence gives it, and
    /// the control tables remember by which arguments.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub allocated: bool,
}

impl Lookup {
    pub fn full_name(&self) -> String {
        format!("{}.{}", self.schema, self.table)
    }

    /// Whether the other finds the same rows by the same arguments.
    pub fn finds_as(&self, other: &Self) -> bool {
        let plain = |columns: &[Column]| -> Vec<(String, String)> {
            let each = columns.iter();
            each.map(|c| (c.name.clone(), c.ty.name.clone())).collect()
        };
        (self.on, self.allocated) == (other.on, other.allocated)
            && (&self.schema, &self.table, &self.filter)
                == (&other.schema, &other.table, &other.filter)
            && plain(&self.matches) == plain(&other.matches)
            && plain(&self.filter_columns) == plain(&other.filter_columns)
    }
}

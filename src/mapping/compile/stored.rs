//! The schemas that a mapping was compiled against, kept because the live ones move on.

use serde::{Deserialize, Serialize};

use crate::cart::layout::Layout;
use crate::catalog::{Catalog, TableInfo};
use crate::mapping::lookup::Lookup;
use crate::mapping::plan::Into;

/// Written to the control tables as JSON, beside the mapping's text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredSchemas {
    /// The source's tables, reduced to the columns that the mapping reads.
    pub layout: Layout,
    pub trusted_births: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lookups: Vec<Lookup>,
    /// For each table of the layout the columns that it had beside those; none in what earlier
    /// versions stored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub beside: Option<Vec<Vec<String>>>,
    /// The target tables that the mapping writes, each once.
    pub tables: Vec<TableInfo>,
    pub search_path: Vec<String>,
    /// Columns of the target that were found gone since: what cartage has written there is gone too.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lost: Vec<Lost>,
}

/// A column of a table of the target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lost {
    pub schema: String,
    pub table: String,
    pub column: String,
}

impl Lost {
    /// `table` as a configuration names it.
    fn is(&self, table: &str, column: &str) -> bool {
        let full = format!("{}.{}", self.schema, self.table);
        self.column == column && (self.table == table || full == table)
    }
}

impl StoredSchemas {
    /// Notes what was lost; whether that is new.
    pub fn lose(&mut self, lost: Vec<Lost>) -> bool {
        let before = self.lost.len();
        for lost in lost {
            if !self.lost.contains(&lost) {
                self.lost.push(lost);
            }
        }
        self.lost.len() > before
    }

    pub(super) fn is_lost(&self, table: &str, column: &str) -> bool {
        self.lost.iter().any(|lost| lost.is(table, column))
    }

    /// The same, as if what was lost had never been there.
    pub(super) fn without_lost(&self) -> Self {
        let mut kept = self.clone();
        for table in &mut kept.tables {
            let full = format!("{}.{}", table.schema, table.name);
            table.columns.retain(|c| !self.is_lost(&full, &c.name));
        }
        kept
    }

    pub(super) fn new<'a>(
        (layout, full): (Layout, &Layout),
        trusted_births: bool,
        lookups: Vec<Lookup>,
        intos: impl Iterator<Item = &'a Into>,
        target: &Catalog,
    ) -> Self {
        let written: Vec<(&str, &str)> = intos
            .map(|i| (i.schema.as_str(), i.table.as_str()))
            .collect();
        let is_written = |t: &&TableInfo| written.contains(&(t.schema.as_str(), t.name.as_str()));
        let beside = layout.tables.iter().zip(&full.tables).map(|(table, full)| {
            let names = full.columns.iter().map(|c| &c.name);
            names
                .filter(|name| table.column(name).is_none())
                .cloned()
                .collect()
        });
        Self {
            beside: Some(beside.collect()),
            layout,
            trusted_births,
            lookups,
            tables: target.tables.iter().filter(is_written).cloned().collect(),
            search_path: target.search_path.clone(),
            lost: Vec::new(),
        }
    }

    pub(super) fn target(&self) -> Catalog {
        Catalog {
            tables: self.tables.clone(),
            search_path: self.search_path.clone(),
        }
    }
}

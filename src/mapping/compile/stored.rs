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
}

impl StoredSchemas {
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
        }
    }

    pub(super) fn target(&self) -> Catalog {
        Catalog {
            tables: self.tables.clone(),
            search_path: self.search_path.clone(),
        }
    }
}

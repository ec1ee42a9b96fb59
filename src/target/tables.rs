//! What writing must know of the target's tables beyond the mapping: their order and their triggers.

use std::collections::HashMap;

use crate::catalog::Catalog;
use crate::mapping::plan::Into;

/// Facts of the target's tables by schema and name.
#[derive(Clone, Debug, Default)]
pub struct Tables {
    facts: HashMap<(String, String), Facts>,
}

#[derive(Clone, Copy, Debug)]
struct Facts {
    rank: usize,
    triggers: bool,
}

impl Tables {
    /// Ranks every table above those that it references, as far as references form no circle.
    pub fn of(catalog: &Catalog) -> Self {
        let name = |schema: &str, table: &str| (schema.to_owned(), table.to_owned());
        let mut ranks: HashMap<_, usize> = catalog
            .tables
            .iter()
            .map(|t| (name(&t.schema, &t.name), 0))
            .collect();
        // A path without a circle is shorter than the number of tables.
        for _ in 0..catalog.tables.len() {
            for table in &catalog.tables {
                let this = name(&table.schema, &table.name);
                let above = table
                    .foreign_keys
                    .iter()
                    .map(|fk| name(&fk.schema, &fk.table))
                    .filter(|parent| *parent != this)
                    .filter_map(|parent| ranks.get(&parent))
                    .max()
                    .map_or(0, |rank| rank + 1);
                ranks
                    .entry(this)
                    .and_modify(|rank| *rank = above.min(catalog.tables.len()));
            }
        }
        let facts = catalog
            .tables
            .iter()
            .map(|t| {
                let key = name(&t.schema, &t.name);
                let rank = ranks.get(&key).copied().unwrap_or_default();
                let triggers = !t.triggers.is_empty();
                (key, Facts { rank, triggers })
            })
            .collect();
        Self { facts }
    }

    fn facts(&self, into: &Into) -> Option<Facts> {
        let key = (into.schema.clone(), into.table.clone());
        self.facts.get(&key).copied()
    }

    /// Parents have lower ranks than their children.
    pub fn rank(&self, into: &Into) -> usize {
        self.facts(into).map_or(0, |f| f.rank)
    }

    /// Triggers may change a row after our statement has returned it.
    pub fn has_triggers(&self, into: &Into) -> bool {
        self.facts(into).is_none_or(|f| f.triggers)
    }
}

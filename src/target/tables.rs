//! What writing must know of the target's tables beyond the mapping: their order, their triggers, and
//! whether the server itself keeps a line from being there twice.

use std::collections::HashMap;
use std::sync::Arc;

use super::error::TargetError;
use super::rivals::identity;
use super::session::Target;
use super::shape::Shape;
use crate::catalog::{Catalog, ForeignKey, TableInfo};
use crate::mapping::plan::{Into, KeyColumn, Mapping, Role};
use crate::merge::Link;
use crate::sqltype::{Class, SqlType};

/// Facts of the target's tables by schema and name.
#[derive(Clone, Debug, Default)]
pub struct Tables {
    facts: HashMap<(String, String), Facts>,
}

#[derive(Clone, Debug)]
struct Facts {
    rank: usize,
    types: HashMap<String, SqlType>,
    triggers: bool,
    foreign_keys: Vec<ForeignKey>,
    /// Columns of unique indexes for which values are equal where their bytes are, sorted.
    uniques: Vec<Vec<String>>,
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
                let types = t.columns.iter().map(|c| (c.name.clone(), c.ty.clone()));
                let facts = Facts {
                    rank,
                    types: types.collect(),
                    triggers: !t.triggers.is_empty(),
                    foreign_keys: t.foreign_keys.clone(),
                    uniques: uniques(t),
                };
                (key, facts)
            })
            .collect();
        Self { facts }
    }

    /// The same for what a mapping writes: a reference that it leaves to the target orders nothing.
    pub fn written(catalog: &Catalog, mapping: &Mapping) -> Self {
        let mut catalog = catalog.clone();
        for table in &mut catalog.tables {
            let (schema, name) = (&table.schema, &table.name);
            let is = |into: &&Arc<Into>| (&into.schema, &into.table) == (schema, name);
            let intos: Vec<&Arc<Into>> = mapping.intos.iter().filter(is).collect();
            table.foreign_keys.retain(|fk| {
                let writes = |into: &&&Arc<Into>| fk.columns.iter().all(|name| into.writes(name));
                intos.iter().any(|into| writes(&into))
            });
        }
        Self::of(&catalog)
    }

    /// The tables of which a row may be referred to by one whose columns of this shape are set.
    pub(super) fn lets_go(&self, shape: &Shape) -> Vec<(&str, &str)> {
        let sets = |name: &String| {
            let columns = &shape.into.columns;
            shape.sets.iter().any(|&i| columns[i].name == *name)
        };
        let keys = self.facts(&shape.into).map(|facts| &facts.foreign_keys);
        let set = keys
            .into_iter()
            .flatten()
            .filter(|fk| fk.columns.iter().any(sets));
        set.map(|fk| (fk.schema.as_str(), fk.table.as_str()))
            .collect()
    }

    /// The tables that rows of this one refer to.
    pub(super) fn above(&self, into: &Into) -> Vec<(&str, &str)> {
        let keys = self.facts(into).map(|facts| &facts.foreign_keys);
        let keys = keys.into_iter().flatten();
        keys.map(|fk| (fk.schema.as_str(), fk.table.as_str()))
            .collect()
    }

    fn facts(&self, into: &Into) -> Option<&Facts> {
        let key = (into.schema.clone(), into.table.clone());
        self.facts.get(&key)
    }

    /// Parents have lower ranks than their children.
    pub fn rank(&self, into: &Into) -> usize {
        self.facts(into).map_or(0, |f| f.rank)
    }

    /// Triggers may change a row after our statement has returned it.
    pub fn has_triggers(&self, into: &Into) -> bool {
        self.facts(into).is_none_or(|f| f.triggers)
    }

    /// A table of the mapping that the target has otherwise now: values read from it are spelled in
    /// another way, and would pass for what the new backend has written.
    pub async fn changed(
        &self,
        target: &Target,
        mapping: &Mapping,
    ) -> Result<Option<String>, TargetError> {
        let names: Vec<String> = mapping.intos.iter().map(|i| i.full_name()).collect();
        let now = Self::of(&target.catalog(&names).await?);
        let differs = |into: &&Arc<Into>| {
            let types = |tables: &Self, name: &str| {
                tables.facts(into).and_then(|f| f.types.get(name).cloned())
            };
            let keys = into.key.iter().map(|key| &key.name);
            let mut names = keys.chain(into.columns.iter().map(|column| &column.name));
            names.any(|name| types(self, name) != types(&now, name))
        };
        let changed = mapping.intos.iter().find(differs);
        Ok(changed.map(|into| into.full_name()))
    }

    /// Foreign keys between tables of the mapping, other than to the header: what hangs below a line.
    pub fn links(&self, mapping: &Mapping) -> Vec<Link> {
        let mut links = Vec::new();
        for (child, below) in mapping.intos.iter().enumerate() {
            let Some(facts) = self.facts(below) else {
                continue;
            };
            for (parent, above) in mapping.intos.iter().enumerate() {
                if parent == child || above.role == Role::Header {
                    continue;
                }
                let refers = |fk: &&ForeignKey| {
                    (&fk.schema, &fk.table) == (&above.schema, &above.table)
                        && fk.referenced.len() == above.key.len()
                };
                let columns = facts.foreign_keys.iter().filter(refers).filter_map(|fk| {
                    let column = |key: &KeyColumn| {
                        let at = fk.referenced.iter().position(|name| *name == key.name)?;
                        let name = &fk.columns[at];
                        below.columns.iter().position(|c| c.name == *name)
                    };
                    above.key.iter().map(column).collect::<Option<Vec<usize>>>()
                });
                links.extend(columns.map(|columns| Link {
                    child,
                    parent,
                    columns,
                }));
            }
        }
        links
    }

    /// The columns that identify a line, where a unique index is over just these: the server then
    /// refuses the second of two such lines, also while the first is being put in.
    pub(super) fn unique_line<'a>(&self, into: &'a Into) -> Option<Vec<&'a str>> {
        let columns = identity(into)?;
        let mut sorted = columns.clone();
        sorted.sort_unstable();
        let uniques = &self.facts(into)?.uniques;
        uniques.iter().any(|u| *u == sorted).then_some(columns)
    }
}

fn uniques(table: &TableInfo) -> Vec<Vec<String>> {
    let is_exact = |name: &String| {
        let column = table.columns.iter().find(|column| column.name == *name);
        column.is_some_and(|c| {
            c.bytewise || !matches!(c.ty.class, Class::Text | Class::Char | Class::Other)
        })
    };
    let exact = table.uniques.iter().filter(|u| u.iter().all(is_exact));
    let sorted = |columns: &Vec<String>| {
        let mut columns = columns.clone();
        columns.sort_unstable();
        columns
    };
    exact.map(sorted).collect()
}

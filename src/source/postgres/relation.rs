//! Where each column of the log belongs in the layout.

use std::collections::HashMap;

use super::SourceError;
use crate::cart::layout::Layout;

/// One column as a Relation message describes it.
pub(super) struct LogColumn<'a> {
    pub name: &'a str,
    pub type_oid: u32,
    /// Part of the replica identity.
    pub key: bool,
}

/// How to read the tuples of one relation.
pub(super) enum Relation {
    /// Not in the layout: its tuples are not looked at.
    Skipped,
    Mapped(Mapped),
}

pub(super) struct Mapped {
    pub table: usize,
    /// For each column of the log its place in the layout's table.
    pub places: Box<[Option<usize>]>,
    /// For each column of the log whether it is in the replica identity.
    pub keys: Box<[bool]>,
    /// Columns of the layout's table.
    pub width: usize,
}

/// The relations by the id that the log uses, in their latest version: the server sends a
/// Relation message anew whenever the table changed.
#[derive(Default)]
pub(super) struct Relations {
    by_id: HashMap<u32, Relation>,
    /// Type OIDs as first seen, by table and column of the layout. The text of a cell is only
    /// read right as the type that the mapping was compiled for.
    types: HashMap<(usize, usize), u32>,
}

impl Relations {
    pub fn get(&self, id: u32) -> Result<&Relation, SourceError> {
        let known = self.by_id.get(&id);
        known.ok_or(SourceError::Malformed(
            "change of a relation that was not announced",
        ))
    }

    /// Takes a Relation message in, matching names with the layout.
    pub fn announce(
        &mut self,
        layout: &Layout,
        id: u32,
        schema: &str,
        name: &str,
        columns: &[LogColumn<'_>],
    ) -> Result<(), SourceError> {
        let of_name = |t: &crate::cart::layout::Table| t.schema == schema && t.name == name;
        let Some(table) = layout.tables.iter().position(of_name) else {
            self.by_id.insert(id, Relation::Skipped);
            return Ok(());
        };
        let mapped = &layout.tables[table];
        let wrong = |column: &str, what: &str| SourceError::Schema {
            table: format!("{schema}.{name}"),
            column: column.to_owned(),
            what: what.to_owned(),
        };
        for (i, column) in mapped.columns.iter().enumerate() {
            let Some(found) = columns.iter().find(|c| c.name == column.name) else {
                return Err(wrong(&column.name, "is no longer in the log"));
            };
            let first = *self.types.entry((table, i)).or_insert(found.type_oid);
            if first != found.type_oid {
                return Err(wrong(&column.name, "has changed its type"));
            }
        }
        let relation = Mapped {
            table,
            places: columns.iter().map(|c| mapped.column(c.name)).collect(),
            keys: columns.iter().map(|c| c.key).collect(),
            width: mapped.columns.len(),
        };
        self.by_id.insert(id, Relation::Mapped(relation));
        Ok(())
    }
}

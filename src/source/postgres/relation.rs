//! Where each column of the log belongs in the layout.

use std::collections::HashMap;

use super::SourceError;
use super::identity::needed;
use crate::cart::layout::Layout;
use crate::catalog::Catalog;
use crate::source::change::Lsn;
use crate::switch::{self, Mutant};

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
    /// For each column of the log its place in the layout's table; none too where the log has it in
    /// a type with other texts than the one that the mapping was compiled for.
    pub places: Box<[Option<usize>]>,
    /// For each column of the log whether it is in the replica identity.
    pub keys: Box<[bool]>,
    /// Columns of the layout's table.
    pub width: usize,
    /// Every column of the layout's table has its place.
    pub whole: bool,
    /// An UPDATE that logs no old row has left key and owner as they were.
    pub traceable: bool,
}

/// The layout's tables and the types of their columns by OID, as they were when the mapping was
/// compiled. A table is known by its OID whatever its name was when a change was logged; and the text
/// of a cell is only read right as the type that it was compiled for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogTables(pub(super) Vec<(u32, Vec<u32>)>);

impl LogTables {
    pub fn of(layout: &Layout, source: &Catalog) -> Self {
        let table = |t: &crate::cart::layout::Table| {
            let info = source.find(&format!("{}.{}", t.schema, t.name));
            let oid = |name: &str| info.and_then(|i| i.column(name)).map_or(0, |c| c.type_oid);
            let types = t.columns.iter().map(|c| oid(&c.name)).collect();
            (info.map_or(0, |i| i.oid), types)
        };
        Self(layout.tables.iter().map(table).collect())
    }

    /// Whether values of this type have the texts of the column's. What is not known agrees.
    fn agree(&self, table: usize, column: usize, is: u32) -> bool {
        // int2, int4 and int8 write numbers alike, text and varchar letters (pg_type.dat).
        const ALIKE: [&[u32]; 2] = [&[21, 23, 20], &[25, 1043]];
        let was = self.ty(table, column).unwrap_or(is);
        let alike = |these: &&[u32]| these.contains(&was) && these.contains(&is);
        was == is || ALIKE.iter().any(alike)
    }

    fn ty(&self, table: usize, column: usize) -> Option<u32> {
        let (_, types) = self.0.get(table)?;
        types.get(column).copied().filter(|ty| *ty != 0)
    }

    fn table(&self, oid: u32) -> Option<usize> {
        self.0.iter().position(|(table, _)| *table == oid)
    }
}

/// The relations by the id that the log uses, in their latest version: the server sends a
/// Relation message anew whenever the table changed.
#[derive(Default)]
pub(super) struct Relations {
    by_id: HashMap<u32, Relation>,
    tables: LogTables,
}

impl Relations {
    pub fn new(tables: LogTables) -> Self {
        Self {
            by_id: HashMap::new(),
            tables,
        }
    }

    pub fn get(&self, id: u32) -> Result<&Relation, SourceError> {
        let known = self.by_id.get(&id);
        known.ok_or(SourceError::Malformed(
            "change of a relation that was not announced",
        ))
    }

    /// Takes a Relation message in, matching names with the layout. In a transaction of before the
    /// mapping was compiled the table may have been another one: a column that it had not, or in a
    /// type with other texts, is then not known from the log, and neither is the row. Later it means that the mapping is out
    /// of date; `at` is where the transaction committed.
    pub fn announce(
        &mut self,
        layout: &Layout,
        id: u32,
        [schema, name]: [&str; 2],
        columns: &[LogColumn<'_>],
        (of_before, at): (bool, Lsn),
    ) -> Result<(), SourceError> {
        let of_name = |t: &crate::cart::layout::Table| t.schema == schema && t.name == name;
        let known = self.tables.table(id);
        let Some(table) = known.or_else(|| layout.tables.iter().position(of_name)) else {
            self.by_id.insert(id, Relation::Skipped);
            return Ok(());
        };
        let mapped = &layout.tables[table];
        if !of_before && !of_name(mapped) {
            return Err(SourceError::Renamed {
                table: format!("{}.{}", mapped.schema, mapped.name),
                now: format!("{schema}.{name}"),
                at,
            });
        }
        let wrong = |column: &str, what: &str| SourceError::Schema {
            table: format!("{schema}.{name}"),
            column: column.to_owned(),
            what: what.to_owned(),
            at,
        };
        for (i, column) in mapped.columns.iter().enumerate().filter(|_| !of_before) {
            let Some(found) = columns.iter().find(|c| c.name == column.name) else {
                return Err(wrong(&column.name, "is no longer in the log"));
            };
            if self
                .tables
                .ty(table, i)
                .is_some_and(|ty| ty != found.type_oid)
            {
                return Err(wrong(&column.name, "has changed its type"));
            }
        }
        let place = |c: &LogColumn<'_>| {
            let place = mapped.column(c.name)?;
            self.tables.agree(table, place, c.type_oid).then_some(place)
        };
        let in_identity = |name: &&str| columns.iter().any(|c| c.key && c.name == *name);
        let places: Box<[Option<usize>]> = columns.iter().map(place).collect();
        let relation = Mapped {
            table,
            whole: places.iter().flatten().count() == mapped.columns.len()
                || switch::mutant(Mutant::AbsentIsUnchanged),
            places,
            keys: columns.iter().map(|c| c.key).collect(),
            width: mapped.columns.len(),
            traceable: needed(mapped).iter().all(in_identity)
                || switch::mutant(Mutant::HiddenIsUnchanged),
        };
        self.by_id.insert(id, Relation::Mapped(relation));
        Ok(())
    }
}

//! Tables and rows.

use std::sync::Arc;

use bytes::Bytes;

use super::{Decoder, Head, Mapped, ReadAs, Rows, SourceError, Untold, Wire, cells};
use crate::switch::{self, Mutant};

/// Table maps that are remembered.
const READ_MAPS: usize = 256;

/// The number of no table: it only says that a statement ends.
const NO_TABLE: u64 = 0x00ff_ffff;

impl Decoder {
    pub(super) fn map(&mut self, body: &Bytes) -> Result<(), SourceError> {
        let (id, of_before) = (Head::id(body)?, self.is_of_before());
        if let Some((known, mapped)) = self.read_maps.get(&id)
            && known.body == **body
            && (known.of_before, known.moved) == (of_before, self.moved[mapped.table])
        {
            self.maps.insert(id, Some(mapped.clone()));
            return Ok(());
        }
        let head = Head::read(body)?;
        let Some(table) = self.table(head.schema, head.table) else {
            self.maps.insert(id, None);
            return Ok(());
        };
        let moved = self.moved[table];
        let map = head.columns()?;
        let layout = self.known.layout.clone();
        let unmoved = self.known.before.as_ref().filter(|_| !moved);
        let (described, trusted) = match unmoved {
            _ if switch::mutant(Mutant::TodaysColumns) => (self.known.tables.get(table), true),
            Some(before) if of_before => (before.get(table), true),
            _ => (self.known.tables.get(table), !of_before),
        };
        let named = map.names.is_some();
        let mapped = match described {
            Some(described) => {
                let mapped = Mapped::of(table, &layout, &map, described);
                // Labels are numbers in the log: only a description of then tells which they were.
                let told = |m: &Mapped| trusted || named && !m.has_labels();
                match mapped {
                    Ok(mapped) if told(&mapped) => mapped,
                    Ok(_) => Mapped::hidden(table, &layout, map),
                    Err(_) if of_before => Mapped::hidden(table, &layout, map),
                    Err(error) => return Err(error.seen_at(self.shown())),
                }
            }
            None if of_before => Mapped::hidden(table, &layout, map),
            None => {
                let at = self.shown();
                return Err(SourceError::Moved {
                    table: format!("{}.{}", map.schema, map.table),
                    at,
                });
            }
        };
        let mapped = Arc::new(mapped);
        if self.read_maps.len() >= READ_MAPS {
            self.read_maps.clear();
        }
        let read_as = ReadAs {
            body: body.to_vec(),
            of_before,
            moved,
        };
        self.read_maps.insert(id, (read_as, mapped.clone()));
        self.maps.insert(id, Some(mapped));
        Ok(())
    }

    pub(super) fn rows(&mut self, kind: u8, body: &Bytes) -> Result<(), SourceError> {
        let rows = Rows::read(kind, body)?;
        if rows.table == NO_TABLE && rows.count == 0 {
            return Ok(());
        }
        if self.group.is_none() {
            return Err(SourceError::Malformed("rows outside a transaction"));
        }
        match self.maps.get(&rows.table) {
            None => Err(SourceError::Malformed("rows of a table without its map")),
            Some(None) => Ok(()),
            Some(Some(mapped)) => {
                self.rows = Some((rows, mapped.clone()));
                Ok(())
            }
        }
    }

    /// Reads the next row of the event at hand.
    pub(super) fn row(&mut self) -> Result<(), SourceError> {
        let Some((rows, mapped)) = &mut self.rows else {
            return Ok(());
        };
        let table = mapped.table;
        let whole = mapped.is_whole();
        // Where its next row begins is not known either.
        if !whole && mapped.wires.iter().any(Wire::is_old_time) {
            self.rows = None;
            self.tell_change(cells::hidden(table, &self.known.layout));
            return Ok(());
        }
        let action = rows.action;
        let Some(row) = rows.next(&mapped.wires)? else {
            self.rows = None;
            return Ok(());
        };
        if !whole {
            self.tell_change(cells::hidden(table, &self.known.layout));
            return Ok(());
        }
        match cells::change(mapped, action, &row) {
            Ok(change) => {
                self.tell_change(change);
                Ok(())
            }
            Err(untold) => {
                let error = self.untold(table, untold);
                self.refuse(error)
            }
        }
    }

    fn untold(&self, table: usize, untold: Untold) -> SourceError {
        let this = &self.known.layout.tables[table];
        let name = |column: usize| this.columns[column].name.clone();
        let table = format!("{}.{}", this.schema, this.name);
        let session = self.group.as_ref().and_then(|group| group.session);
        let at = self.shown();
        match untold {
            Untold::Lacks(columns) => SourceError::Image {
                table,
                columns: columns.into_iter().map(name).collect::<Vec<_>>().join(", "),
                at,
                session,
            },
            Untold::Diff(column) => SourceError::PartialJson {
                table,
                column: name(column),
                at,
                session,
            },
            Untold::Value(error) => SourceError::Value {
                table,
                at,
                error: Box::new(error),
            },
        }
    }

    pub(super) fn table(&self, schema: &str, name: &str) -> Option<usize> {
        let same = |a: &str, b: &str| match self.known.folds_names {
            true => a.to_lowercase() == b.to_lowercase(),
            false => a == b,
        };
        let tables = &self.known.layout.tables;
        let this = |t: &crate::cart::layout::Table| same(&t.schema, schema) && same(&t.name, name);
        tables.iter().position(this)
    }
}

//! Where each column of the log belongs in the layout, and how its values are read.

use data_encoding::HEXLOWER;
use sha2::{Digest as _, Sha256};

use super::SourceError;
use super::event::table_map::{TableMap, Wire, types};
use crate::cart::layout::{Layout, Table};
use crate::mysql::catalog::{LogColumn, LogTable};
use crate::mysql::types::Kind;
use crate::mysql::value::refusal;
use crate::source::postgres::identity::needed;
use crate::switch::{self, Mutant};

/// The layout's tables as the server describes them, in the layout's order; what it did not
/// describe is none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogTables(Vec<Option<LogTable>>);

impl LogTables {
    pub fn of(layout: &Layout, described: &[LogTable]) -> Self {
        let find = |t: &Table| {
            let same = |d: &&LogTable| d.schema == t.schema && d.name == t.name;
            described.iter().find(same).cloned()
        };
        Self(layout.tables.iter().map(find).collect())
    }

    /// Equal where the log's rows are read in the same way.
    pub fn fingerprint(&self) -> String {
        let described: Vec<_> = self.0.iter().filter(|table| table.is_some()).collect();
        HEXLOWER.encode(&Sha256::digest(format!("{described:?}")))
    }

    pub fn get(&self, table: usize) -> Option<&LogTable> {
        self.0.get(table)?.as_ref()
    }
}

/// How to read the rows of a table map.
#[derive(Debug)]
pub struct Mapped {
    pub table: usize,
    /// In the order of the log.
    pub wires: Vec<Wire>,
    /// For each column of the layout its place in the log and how it is read; none where its texts
    /// are not the ones that the mapping was compiled for.
    pub places: Vec<Option<Place>>,
    /// Of the layout's columns those that tell a row and its cart.
    pub needed: Vec<usize>,
}

#[derive(Clone, Debug)]
pub struct Place {
    pub column: usize,
    pub known: LogColumn,
}

impl Mapped {
    /// Every column of the layout's table has its place.
    pub fn is_whole(&self) -> bool {
        self.places.iter().all(Option::is_some)
    }

    /// Values of it are numbers of labels.
    pub fn has_labels(&self) -> bool {
        let labels = |place: &Place| matches!(place.known.kind, Kind::Enum(_) | Kind::Set(_));
        self.places.iter().flatten().any(labels)
    }

    /// A table of which nothing can be read.
    pub fn hidden(table: usize, layout: &Layout, map: TableMap) -> Self {
        let width = layout.tables[table].columns.len();
        Self {
            table,
            wires: map.columns,
            places: vec![None; width],
            needed: Vec::new(),
        }
    }

    /// Matches a table map with a description of the table. An error where they do not agree.
    pub fn of(
        table: usize,
        layout: &Layout,
        map: &TableMap,
        described: &LogTable,
    ) -> Result<Self, SourceError> {
        let this = &layout.tables[table];
        let wrong = |column: &str, what: &str| SourceError::Schema {
            table: format!("{}.{}", this.schema, this.name),
            column: column.to_owned(),
            what: what.to_owned(),
            at: String::new(),
        };
        if map.names.is_none() && map.columns.len() != described.columns.len() {
            let what = "may stand elsewhere: the log has another number of columns";
            return Err(wrong("1", what));
        }
        if let Some(column) = of_no_length(map, described) {
            return Err(SourceError::OldTime {
                table: format!("{}.{}", this.schema, this.name),
                column: column.name.clone(),
                ty: column.ty.name.clone(),
            });
        }
        let mut places = Vec::new();
        for column in &this.columns {
            let name = &column.name;
            let find = |c: &LogColumn| c.name.eq_ignore_ascii_case(name);
            let Some(known) = described.columns.iter().position(find) else {
                return Err(wrong(name, "is no longer in the source"));
            };
            let here = match &map.names {
                Some(_) if switch::mutant(Mutant::NamesUnread) => Some(known),
                Some(names) => names.iter().position(|n| n.eq_ignore_ascii_case(name)),
                None => Some(known),
            };
            let known = &described.columns[known];
            let here = here.filter(|here| map.columns.len() > *here);
            let Some(here) = here else {
                return Err(wrong(name, "is no longer in the log"));
            };
            if let Some(error) = refusal(known) {
                return Err(SourceError::Unreadable {
                    table: format!("{}.{}", this.schema, this.name),
                    error: Box::new(error),
                });
            }
            let signs = map.unsigned.as_ref().and_then(|all| all.get(here)).copied();
            let agrees = agree(known, &map.columns[here], signs);
            if !agrees && !switch::mutant(Mutant::TypesUnread) {
                return Err(wrong(name, "has changed its type"));
            }
            places.push(Some(Place {
                column: here,
                known: known.clone(),
            }));
        }
        let needed = needed(this);
        let needed = needed.iter().filter_map(|name| this.column(name)).collect();
        Ok(Self {
            table,
            wires: map.columns.clone(),
            places,
            needed,
        })
    }
}

/// A column whose values have lengths of which the log says nothing: only its description knows of
/// their fractions of a second.
fn of_no_length<'d>(map: &TableMap, described: &'d LogTable) -> Option<&'d LogColumn> {
    let described_at = |at: usize| match map.names.as_ref().and_then(|names| names.get(at)) {
        Some(name) => described
            .columns
            .iter()
            .find(|c| c.name.eq_ignore_ascii_case(name)),
        None => described.columns.get(at),
    };
    let wires = map.columns.iter().enumerate();
    let mut old = wires.filter(|(_, wire)| wire.is_old_time());
    old.find_map(|(at, _)| described_at(at).filter(|column| column.ty.fraction > Some(0)))
}

/// Whether the log writes a column's values as its description has them. Where the log tells signs,
/// they count.
fn agree(column: &LogColumn, wire: &Wire, signs: Option<bool>) -> bool {
    let [a, b] = wire.meta;
    let fits = match (&column.kind, wire.ty) {
        (Kind::Integer { bytes: 1, .. }, types::TINY)
        | (Kind::Integer { bytes: 2, .. }, types::SHORT)
        | (Kind::Integer { bytes: 3, .. }, types::INT24)
        | (Kind::Integer { bytes: 4, .. }, types::LONG)
        | (Kind::Integer { bytes: 8, .. }, types::LONGLONG)
        | (Kind::Year, types::YEAR)
        | (Kind::Bit, types::BIT)
        | (Kind::Float, types::FLOAT)
        | (Kind::Double, types::DOUBLE)
        | (Kind::Text(_) | Kind::Blob, types::VARCHAR_COMPRESSED | types::BLOB_COMPRESSED)
        | (Kind::Text(_), types::STRING | types::VARCHAR | types::TINY_BLOB..=types::BLOB)
        | (Kind::Binary { .. }, types::STRING)
        | (Kind::Blob, types::VARCHAR | types::TINY_BLOB..=types::BLOB)
        | (Kind::Date, types::DATE | types::NEWDATE)
        | (Kind::Json, types::JSON)
        | (Kind::Enum(_), types::ENUM)
        | (Kind::Set(_), types::SET)
        | (Kind::Uuid | Kind::Inet4 | Kind::Inet6, types::STRING) => true,
        (Kind::Decimal, types::NEWDECIMAL) => {
            let declared = column.ty.numeric;
            declared.is_none_or(|(p, s)| p == u32::from(a) && s == i32::from(b))
        }
        (Kind::DateTime { fraction }, types::DATETIME2)
        | (Kind::Timestamp { fraction }, types::TIMESTAMP2)
        | (Kind::Time { fraction }, types::TIME2) => *fraction == a,
        // As MariaDB writes them with `mysql56_temporal_format = OFF`.
        (Kind::DateTime { fraction: 0 }, types::DATETIME)
        | (Kind::Timestamp { fraction: 0 }, types::TIMESTAMP)
        | (Kind::Time { fraction: 0 }, types::TIME) => true,
        _ => false,
    };
    match (&column.kind, signs) {
        // Other texts than those that the mapping was compiled for.
        (Kind::Integer { unsigned, .. }, Some(is)) if *unsigned != is => false,
        _ => fits,
    }
}

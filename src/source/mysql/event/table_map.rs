//! TABLE_MAP_EVENT: which table the rows that follow are of, and how its columns are written.

use super::reader::{Bits, Reader, little_endian, text};
use crate::source::mysql::SourceError;

const WHAT: &str = "table map";

/// Numbers of the types of columns.
pub mod types {
    pub const TINY: u8 = 1;
    pub const SHORT: u8 = 2;
    pub const LONG: u8 = 3;
    pub const FLOAT: u8 = 4;
    pub const DOUBLE: u8 = 5;
    pub const NULL: u8 = 6;
    pub const TIMESTAMP: u8 = 7;
    pub const LONGLONG: u8 = 8;
    pub const INT24: u8 = 9;
    pub const DATE: u8 = 10;
    pub const TIME: u8 = 11;
    pub const DATETIME: u8 = 12;
    pub const YEAR: u8 = 13;
    pub const NEWDATE: u8 = 14;
    pub const VARCHAR: u8 = 15;
    pub const BIT: u8 = 16;
    pub const TIMESTAMP2: u8 = 17;
    pub const DATETIME2: u8 = 18;
    pub const TIME2: u8 = 19;
    /// MariaDB's `COMPRESSED` columns.
    pub const BLOB_COMPRESSED: u8 = 140;
    pub const VARCHAR_COMPRESSED: u8 = 141;
    pub const VECTOR: u8 = 242;
    pub const JSON: u8 = 245;
    pub const NEWDECIMAL: u8 = 246;
    pub const ENUM: u8 = 247;
    pub const SET: u8 = 248;
    pub const TINY_BLOB: u8 = 249;
    pub const BLOB: u8 = 252;
    pub const VAR_STRING: u8 = 253;
    pub const STRING: u8 = 254;
    pub const GEOMETRY: u8 = 255;
}

/// How a column's values are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wire {
    /// ENUM and SET are named themselves, not as the STRING that they come in.
    pub ty: u8,
    pub meta: [u8; 2],
}

/// Names are there with `binlog_row_metadata = FULL`, signs with MINIMAL (MySQL's default), neither
/// with NO_LOG (MariaDB's).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableMap {
    pub id: u64,
    pub schema: String,
    pub table: String,
    pub columns: Vec<Wire>,
    pub names: Option<Vec<String>>,
    /// Of each column whether it is an unsigned number.
    pub unsigned: Option<Vec<bool>>,
}

/// Only which table; most events stop here.
#[derive(Clone, Copy, Debug)]
pub struct Head<'a> {
    pub id: u64,
    pub schema: &'a str,
    pub table: &'a str,
    rest: Reader<'a>,
}

impl<'a> Head<'a> {
    /// The table's number, which comes first.
    pub fn id(body: &[u8]) -> Result<u64, SourceError> {
        Reader(body).number(6, WHAT)
    }

    pub fn read(body: &'a [u8]) -> Result<Self, SourceError> {
        let mut r = Reader(body);
        let id = r.number(6, WHAT)?;
        r.skip(2, WHAT)?;
        Ok(Self {
            id,
            schema: r.name(WHAT)?,
            table: r.name(WHAT)?,
            rest: r,
        })
    }

    pub fn columns(self) -> Result<TableMap, SourceError> {
        let mut r = self.rest;
        let count = r.count(WHAT)?;
        let kinds = r.take(count, WHAT)?;
        let length = r.count(WHAT)?;
        let mut meta = Reader(r.take(length, WHAT)?);
        let columns: Vec<Wire> = kinds
            .iter()
            .map(|kind| Wire::read(*kind, &mut meta))
            .collect::<Result<_, _>>()?;
        r.skip(Bits::length(count), WHAT)?;
        let (mut names, mut signs) = (None, None);
        while !r.0.is_empty() {
            let field = r.u8(WHAT)?;
            let length = r.count(WHAT)?;
            let mut value = Reader(r.take(length, WHAT)?);
            match field {
                1 => signs = Some(signs_of(&columns, value.0)),
                4 => {
                    let mut all = Vec::with_capacity(count);
                    while !value.0.is_empty() {
                        let length = value.count(WHAT)?;
                        all.push(text(value.take(length, WHAT)?, WHAT)?.to_owned());
                    }
                    if all.len() != count {
                        return Err(SourceError::Malformed("table map: names of columns"));
                    }
                    names = Some(all);
                }
                _ => {}
            }
        }
        Ok(TableMap {
            id: self.id,
            schema: self.schema.to_owned(),
            table: self.table.to_owned(),
            columns,
            names,
            unsigned: signs,
        })
    }
}

impl Wire {
    fn read(kind: u8, meta: &mut Reader<'_>) -> Result<Self, SourceError> {
        let mut bytes = [0; 2];
        let length = match kind {
            types::FLOAT
            | types::DOUBLE
            | types::TINY_BLOB..=types::BLOB
            | types::JSON
            | types::GEOMETRY
            | types::VECTOR
            | types::TIMESTAMP2
            | types::DATETIME2
            | types::TIME2
            | types::BLOB_COMPRESSED => 1,
            types::VARCHAR
            | types::VARCHAR_COMPRESSED
            | types::BIT
            | types::NEWDECIMAL
            | types::ENUM
            | types::SET
            | types::STRING
            | types::VAR_STRING => 2,
            types::TINY..=types::LONG | types::NULL..=types::NEWDATE => 0,
            _ => return Err(SourceError::ColumnType(kind)),
        };
        bytes[..length].copy_from_slice(meta.take(length, WHAT)?);
        let ty = match kind {
            types::STRING if matches!(bytes[0], types::ENUM | types::SET) => bytes[0],
            // What it is called, while its values are the other one's: no log of rows has older ones.
            types::DATE => types::NEWDATE,
            kind => kind,
        };
        Ok(Self { ty, meta: bytes })
    }

    pub fn is_number(&self) -> bool {
        matches!(
            self.ty,
            types::TINY
                | types::SHORT
                | types::LONG
                | types::FLOAT
                | types::DOUBLE
                | types::LONGLONG
                | types::INT24
                | types::YEAR
                | types::NEWDECIMAL
        )
    }

    /// The most bytes that a `char(n)` may have. Its two bytes hold the type too, from before it was
    /// longer than 255.
    pub fn string_length(&self) -> usize {
        let [high, low] = self.meta.map(usize::from);
        low | ((high & 0x30) ^ 0x30) << 4
    }

    /// A time in the form of before fractions of a second. MariaDB has fractions in it, too, and tells
    /// nobody here how many bytes they take.
    pub fn is_old_time(&self) -> bool {
        matches!(self.ty, types::TIMESTAMP | types::DATETIME | types::TIME)
    }

    /// How many of these bytes are the next value, its length included.
    pub fn length(&self, bytes: &[u8]) -> Result<usize, SourceError> {
        let [a, b] = self.meta.map(usize::from);
        let fraction = a.div_ceil(2);
        match self.ty {
            types::NULL => Ok(0),
            types::TINY | types::YEAR => Ok(1),
            types::SHORT => Ok(2),
            types::INT24 | types::DATE | types::NEWDATE | types::TIME => Ok(3),
            types::LONG | types::FLOAT | types::TIMESTAMP => Ok(4),
            types::LONGLONG | types::DOUBLE | types::DATETIME => Ok(8),
            types::TIME2 => Ok(3 + fraction),
            types::TIMESTAMP2 => Ok(4 + fraction),
            types::DATETIME2 => Ok(5 + fraction),
            types::NEWDECIMAL => Ok(decimal(a - b.min(a)) + decimal(b)),
            types::BIT => Ok(b + usize::from(a > 0)),
            types::ENUM | types::SET => Ok(b),
            _ => {
                let prefix = self.prefix();
                let head = bytes.get(..prefix).filter(|_| prefix <= 4);
                let head = head.ok_or_else(|| SourceError::Malformed("value"))?;
                Ok(prefix + little_endian(head) as usize)
            }
        }
    }

    /// Bytes of the length that a text or a blob has before it.
    pub fn prefix(&self) -> usize {
        let [a, b] = self.meta.map(usize::from);
        let short = |longest: usize| if longest > 255 { 2 } else { 1 };
        match self.ty {
            types::STRING => short(self.string_length()),
            types::VARCHAR | types::VARCHAR_COMPRESSED | types::VAR_STRING => short(a | b << 8),
            _ => a,
        }
    }
}

/// Bytes of so many decimal digits: nine in four, the rest in as few as will do.
fn decimal(digits: usize) -> usize {
    const REST: [usize; 9] = [0, 1, 1, 2, 2, 3, 3, 4, 4];
    digits / 9 * 4 + REST[digits % 9]
}

/// A bit for each number, the first one the highest of the first byte.
fn signs_of(columns: &[Wire], bits: &[u8]) -> Vec<bool> {
    let mut numbers = 0;
    columns
        .iter()
        .map(|column| {
            if !column.is_number() {
                return false;
            }
            let byte = bits.get(numbers / 8).copied().unwrap_or_default();
            let unsigned = byte << (numbers % 8) & 0x80 != 0;
            numbers += 1;
            unsigned
        })
        .collect()
}

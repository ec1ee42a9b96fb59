//! One value of the log, from its bytes to its text.

use mysql_common::binlog::value::BinlogValue;
use mysql_common::constants::ColumnType;
use mysql_common::io::ParseBuf;
use mysql_common::value::Value;

use super::event::table_map::{Wire, types};
use super::{packed, usual};
use crate::cart::image::Cell;
use crate::mysql::catalog::LogColumn;
use crate::mysql::types::Kind;
use crate::mysql::value::{ValueError, of_log};

/// `bytes` are those of the value and no more, its length included.
pub fn cell(column: &LogColumn, wire: &Wire, bytes: &[u8]) -> Result<Cell, ValueError> {
    match usual::cell(&column.kind, wire, bytes) {
        Some(cell) => Ok(cell),
        None => by_driver(column, wire, bytes),
    }
}

/// The same of any kind, by way of the driver's values.
pub(super) fn by_driver(column: &LogColumn, wire: &Wire, bytes: &[u8]) -> Result<Cell, ValueError> {
    let other = || ValueError::Other {
        column: column.name.clone(),
        ty: column.ty.name.clone(),
    };
    if packed::is_packed(wire) {
        let bytes = packed::unpacked(wire, bytes).ok_or_else(other)?;
        return of_log(&BinlogValue::Value(Value::Bytes(bytes)), column);
    }
    if wire.ty == types::TIME {
        let value = old_time(bytes).ok_or_else(other)?;
        return of_log(&BinlogValue::Value(value), column);
    }
    let unsigned = matches!(column.kind, Kind::Integer { unsigned: true, .. });
    let ty = ColumnType::try_from(wire.ty).map_err(|_| other())?;
    let value = ParseBuf(bytes).parse::<BinlogValue<'_>>((ty, &wire.meta[..], unsigned, false));
    of_log(&value.map_err(|_| other())?, column)
}

/// A `TIME` in the form of before fractions of a second: a number with a sign whose digits are hours,
/// minutes and seconds. The driver takes it for one without a sign.
fn old_time(bytes: &[u8]) -> Option<Value> {
    let &[a, b, c] = bytes else {
        return None;
    };
    let number = i32::from_le_bytes([0, a, b, c]) >> 8;
    let digits = number.unsigned_abs();
    let part = |n: u32| u8::try_from(n % 100).ok();
    let hours = digits / 10_000;
    Some(Value::Time(
        number < 0,
        hours / 24,
        u8::try_from(hours % 24).ok()?,
        part(digits / 100)?,
        part(digits)?,
        0,
    ))
}

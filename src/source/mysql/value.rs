//! One value of the log, from its bytes to its text.

use mysql_common::binlog::value::BinlogValue;
use mysql_common::constants::ColumnType;
use mysql_common::io::ParseBuf;

use super::event::table_map::Wire;
use crate::cart::image::Cell;
use crate::mysql::catalog::LogColumn;
use crate::mysql::types::Kind;
use crate::mysql::value::{ValueError, of_log};

/// `bytes` are those of the value and no more, its length included.
pub fn cell(column: &LogColumn, wire: &Wire, bytes: &[u8]) -> Result<Cell, ValueError> {
    let other = || ValueError::Other {
        column: column.name.clone(),
        ty: column.ty.name.clone(),
    };
    let unsigned = matches!(column.kind, Kind::Integer { unsigned: true, .. });
    let ty = ColumnType::try_from(wire.ty).map_err(|_| other())?;
    let value = ParseBuf(bytes).parse::<BinlogValue<'_>>((ty, &wire.meta[..], unsigned, false));
    of_log(&value.map_err(|_| other())?, column)
}

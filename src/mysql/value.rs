//! The one spelling of a value, whichever way it came: an answer to a prepared statement and the
//! log give the same text for the same value, and it is the one that Postgres would print.

use std::net::{Ipv4Addr, Ipv6Addr};

use data_encoding::HEXLOWER;
use mysql_async::Value;
use mysql_async::binlog::value::BinlogValue;

use super::catalog::LogColumn;
use super::charset::Charset;
use super::json;
use super::moment::{Moment, Span};
use super::types::Kind;
use crate::cart::image::Cell;
use crate::mapping::expr::float;
use crate::switch::{self, Mutant};

/// A value cannot be read. It is not repeated here.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ValueError {
    #[error("column `{column}` is {ty}, which cartage cannot read; leave it out of the mapping")]
    Foreign { column: String, ty: String },
    #[error(
        "column `{column}` is in the charset {charset}, whose bytes in the log cartage cannot \
         read; convert it: ALTER TABLE … MODIFY `{column}` {ty} CHARACTER SET utf8mb4"
    )]
    Charset {
        column: String,
        charset: String,
        ty: String,
    },
    #[error("column `{column}` holds bytes that are no text in its charset")]
    NotText { column: String },
    #[error(
        "the log has only a part of the document in column `{column}`; have it written whole: \
         SET GLOBAL binlog_row_value_options = ''"
    )]
    Partial { column: String },
    #[error(
        "column `{column}` is {ty}, and what came for it is of another type; was the table \
         altered?"
    )]
    Other { column: String, ty: String },
}

/// Why no value of such a column can be read: not in an answer, or not in the log.
pub fn refusal(column: &LogColumn) -> Option<ValueError> {
    match column.kind {
        Kind::Foreign => Some(ValueError::Foreign {
            column: column.name.clone(),
            ty: column.ty.name.clone(),
        }),
        Kind::Text(Charset::Unknown) => Some(ValueError::Charset {
            column: column.name.clone(),
            charset: column.charset.clone().unwrap_or_default(),
            ty: column.ty.name.clone(),
        }),
        _ => None,
    }
}

/// Of a row that a prepared statement has returned, by a session of ours.
pub fn of_query(value: &Value, column: &LogColumn) -> Result<Cell, ValueError> {
    let text = match (value, &column.kind) {
        (Value::NULL, _) => return Ok(Cell::Null),
        (Value::Bytes(bytes), Kind::Text(_) | Kind::Json | Kind::Enum(_) | Kind::Set(_)) => {
            utf8(bytes, column)?
        }
        (Value::Bytes(bytes), Kind::Uuid) => utf8(bytes, column)?,
        (Value::Bytes(bytes), Kind::Inet4) => utf8(bytes, column)?,
        (Value::Bytes(bytes), Kind::Inet6) => {
            let address: Ipv6Addr = utf8(bytes, column)?.parse().map_err(|_| other(column))?;
            inet6(address)
        }
        (Value::Bytes(bytes), Kind::Binary { .. } | Kind::Blob) => hex(bytes),
        _ => plain(value, column)?,
    };
    Ok(Cell::Text(text.into()))
}

/// Of a row in the log.
pub fn of_log(value: &BinlogValue<'_>, column: &LogColumn) -> Result<Cell, ValueError> {
    let value = match (value, &column.kind) {
        (BinlogValue::Value(value), _) => value,
        (BinlogValue::Jsonb(value), Kind::Json) => {
            let text = json::print(value).map_err(|_| other(column))?;
            return Ok(Cell::Text(text.into()));
        }
        (BinlogValue::JsonDiff(_), _) => {
            return Err(ValueError::Partial {
                column: column.name.clone(),
            });
        }
        _ => return Err(other(column)),
    };
    let text = match (value, &column.kind) {
        (Value::NULL, _) => return Ok(Cell::Null),
        (Value::Time(..), Kind::Time { fraction: 1 | 2 }) => {
            span(value).ok_or_else(|| other(column))?.mended().print()
        }
        (Value::Bytes(bytes), Kind::Text(charset)) => decoded(bytes, *charset, column)?,
        (Value::Bytes(bytes), Kind::Binary { length }) => hex(&padded(bytes, *length)),
        (Value::Bytes(bytes), Kind::Blob) => hex(bytes),
        (Value::Bytes(bytes), Kind::Year) => match utf8(bytes, column)?.as_str() {
            // The log counts from 1900, and its 0 is the year 0000.
            "1900" => "0".into(),
            year => year.to_owned(),
        },
        (Value::Bytes(bytes), Kind::Timestamp { .. }) => {
            let at = Moment::since_1970(&utf8(bytes, column)?);
            at.ok_or_else(|| other(column))?.zoned().to_string()
        }
        // The form that was used before fractions of a second.
        (Value::Int(seconds), Kind::Timestamp { .. }) => {
            let at = Moment::since_1970(&seconds.to_string());
            at.ok_or_else(|| other(column))?.zoned().to_string()
        }
        (Value::Int(number), Kind::Enum(labels)) => label(*number, labels, column)?,
        (Value::Bytes(bits), Kind::Set(labels)) => members(bits, labels, column)?,
        // In the order in which it is written, although tables keep most of them in another one.
        (Value::Bytes(bytes), Kind::Uuid) => {
            uuid::Uuid::from_bytes(exactly(bytes, column)?).to_string()
        }
        (Value::Bytes(bytes), Kind::Inet4) => Ipv4Addr::from(exactly(bytes, column)?).to_string(),
        (Value::Bytes(bytes), Kind::Inet6) => inet6(Ipv6Addr::from(exactly(bytes, column)?)),
        _ => plain(value, column)?,
    };
    Ok(Cell::Text(text.into()))
}

/// What both ways give in the same form.
fn plain(value: &Value, column: &LogColumn) -> Result<String, ValueError> {
    Ok(match (value, &column.kind) {
        (_, Kind::Foreign) => return Err(refusal(column).unwrap_or_else(|| other(column))),
        (Value::Int(n), Kind::Integer { bytes, unsigned }) => integer(*n, *bytes, *unsigned),
        (Value::UInt(n), Kind::Integer { bytes, unsigned }) => {
            integer(n.cast_signed(), *bytes, *unsigned)
        }
        (Value::Int(n), Kind::Year) => n.to_string(),
        (Value::UInt(n), Kind::Year) => n.to_string(),
        (Value::Bytes(bytes), Kind::Bit) => {
            let value = bytes.iter().fold(0_u64, |n, b| n << 8 | u64::from(*b));
            value.to_string()
        }
        (Value::Bytes(bytes), Kind::Decimal) => decimal(&utf8(bytes, column)?),
        (Value::Float(n), Kind::Float) => float::print_single(*n),
        (Value::Double(n), Kind::Double) => float::print(*n),
        (&Value::Date(year, month, day, hour, minute, second, micros), kind) => {
            let at = Moment {
                year,
                month,
                day,
                hour,
                minute,
                second,
                micros,
            };
            match kind {
                Kind::Date => at.date().to_string(),
                Kind::DateTime { .. } => at.plain().to_string(),
                Kind::Timestamp { .. } => at.zoned().to_string(),
                _ => return Err(other(column)),
            }
        }
        (Value::Time(..), Kind::Time { .. }) => span(value).ok_or_else(|| other(column))?.print(),
        _ => return Err(other(column)),
    })
}

fn span(value: &Value) -> Option<Span> {
    let &Value::Time(negative, days, hours, minutes, seconds, micros) = value else {
        return None;
    };
    Some(Span {
        negative,
        hours: days * 24 + u32::from(hours),
        minutes: minutes.into(),
        seconds: seconds.into(),
        micros,
    })
}

fn other(column: &LogColumn) -> ValueError {
    ValueError::Other {
        column: column.name.clone(),
        ty: column.ty.name.clone(),
    }
}

fn utf8(bytes: &[u8], column: &LogColumn) -> Result<String, ValueError> {
    String::from_utf8(bytes.to_vec()).map_err(|_| ValueError::NotText {
        column: column.name.clone(),
    })
}

fn decoded(bytes: &[u8], charset: Charset, column: &LogColumn) -> Result<String, ValueError> {
    if let Some(refused) = refusal(column) {
        return Err(refused);
    }
    charset.decode(bytes).ok_or_else(|| ValueError::NotText {
        column: column.name.clone(),
    })
}

/// The log may not know whether a column is unsigned, and its reader does not extend the sign of
/// three bytes: what counts is the bits.
fn integer(value: i64, bytes: u8, unsigned: bool) -> String {
    let unused = 64 - u32::from(bytes.clamp(1, 8)) * 8;
    match unsigned && !switch::mutant(Mutant::SignsUnread) {
        true => (value.cast_unsigned() << unused >> unused).to_string(),
        false => (value << unused >> unused).to_string(),
    }
}

/// Without the zeros that `ZEROFILL` puts before it in an answer.
fn decimal(text: &str) -> String {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", text),
    };
    let digits = digits.trim_start_matches('0');
    match digits.starts_with(|c: char| c.is_ascii_digit()) {
        true => format!("{sign}{digits}"),
        false => format!("{sign}0{digits}"),
    }
}

fn hex(bytes: &[u8]) -> String {
    format!("\\x{}", HEXLOWER.encode(bytes))
}

/// The log leaves out zeros at the end of a value of fixed length.
fn padded(bytes: &[u8], length: usize) -> Vec<u8> {
    let mut all = bytes.to_vec();
    all.resize(length.max(bytes.len()), 0);
    all
}

fn exactly<const N: usize>(bytes: &[u8], column: &LogColumn) -> Result<[u8; N], ValueError> {
    padded(bytes, N).try_into().map_err(|_| other(column))
}

/// Number 0 is the empty text that stands for a label which does not exist.
fn label(number: i64, labels: &[String], column: &LogColumn) -> Result<String, ValueError> {
    let Some(index) = usize::try_from(number).ok().and_then(|n| n.checked_sub(1)) else {
        return match number {
            0 => Ok(String::new()),
            _ => Err(other(column)),
        };
    };
    labels.get(index).cloned().ok_or_else(|| other(column))
}

fn members(bits: &[u8], labels: &[String], column: &LogColumn) -> Result<String, ValueError> {
    let mut members = Vec::new();
    for (i, byte) in bits.iter().enumerate() {
        for bit in (0..8).filter(|bit| byte >> bit & 1 == 1) {
            members.push(
                labels
                    .get(i * 8 + bit)
                    .ok_or_else(|| other(column))?
                    .as_str(),
            );
        }
    }
    Ok(members.join(","))
}

/// As Postgres prints it: an address of the old kind inside, mapped or compatible, in its own
/// spelling.
pub(super) fn inet6(address: Ipv6Addr) -> String {
    let segments = address.segments();
    match segments {
        [0, 0, 0, 0, 0, 0, high, low] if high != 0 => {
            let [a, b] = high.to_be_bytes();
            let [c, d] = low.to_be_bytes();
            format!("::{a}.{b}.{c}.{d}")
        }
        _ => address.to_string(),
    }
}

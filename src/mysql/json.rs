//! MySQL's binary JSON, as the log has it, in the very text that the server gives for it in an
//! answer. So a document is the same text whichever way it came: decimals with their scale, whole
//! numbers with all their digits, dates as the server writes them.

use std::fmt::Write as _;
use std::io;

use data_encoding::BASE64;
use mysql_async::binlog::jsonb::{JsonDom, JsonNumber, JsonScalar, Value};
use mysql_async::consts::ColumnType;

use super::moment::{self, Moment, Span};
use crate::mapping::expr::json::quote;

pub fn print(value: &Value<'_>) -> io::Result<String> {
    let mut text = String::new();
    append(value, &mut text)?;
    Ok(text)
}

fn append(value: &Value<'_>, out: &mut String) -> io::Result<()> {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        Value::I16(n) => whole(n, out),
        Value::U16(n) => whole(n, out),
        Value::I32(n) => whole(n, out),
        Value::U32(n) => whole(n, out),
        Value::I64(n) => whole(n, out),
        Value::U64(n) => whole(n, out),
        Value::F64(n) => out.push_str(&double(*n)),
        Value::String(text) => quote(utf8(text.str_raw())?, out),
        Value::SmallArray(array) => items(array.iter(), out)?,
        Value::LargeArray(array) => items(array.iter(), out)?,
        Value::SmallObject(object) => {
            let entries = object.iter();
            fields(
                entries.map(|e| e.map(|(k, v)| (k.value_raw().to_vec(), v))),
                out,
            )?;
        }
        Value::LargeObject(object) => {
            let entries = object.iter();
            fields(
                entries.map(|e| e.map(|(k, v)| (k.value_raw().to_vec(), v))),
                out,
            )?;
        }
        Value::Opaque(opaque) => {
            let (kind, data) = (opaque.value_type(), opaque.data_raw());
            match kind {
                ColumnType::MYSQL_TYPE_NEWDECIMAL => out.push_str(&decimal(value)?),
                ColumnType::MYSQL_TYPE_DATE => {
                    let date = moment::unpacked(packed(data)?);
                    quote(&date.date(), out);
                }
                ColumnType::MYSQL_TYPE_DATETIME | ColumnType::MYSQL_TYPE_TIMESTAMP => {
                    let at: Moment = moment::unpacked(packed(data)?);
                    let text = format!("{} {}.{:06}", at.date(), at.clock(), at.micros);
                    quote(&text, out);
                }
                ColumnType::MYSQL_TYPE_TIME => {
                    let span = Span::unpacked(packed(data)?);
                    let whole = Span { micros: 0, ..span }.print();
                    quote(&format!("{whole}.{:06}", span.micros), out);
                }
                kind => {
                    // In lines of 76, as in a mail.
                    let code = BASE64.encode(data);
                    let lines: Vec<&str> = (0..code.len())
                        .step_by(76)
                        .map(|at| &code[at..code.len().min(at + 76)])
                        .collect();
                    let text = format!("base64:type{}:{}", kind as u8, lines.join("\n"));
                    quote(&text, out);
                }
            }
        }
    }
    Ok(())
}

fn whole(number: impl std::fmt::Display, out: &mut String) {
    // Writing to a string cannot fail.
    let _ = write!(out, "{number}");
}

fn items<'a>(all: impl Iterator<Item = io::Result<Value<'a>>>, out: &mut String) -> io::Result<()> {
    out.push('[');
    for (i, item) in all.enumerate() {
        if i > 0 {
            out.push_str(", ");
        }
        append(&item?, out)?;
    }
    out.push(']');
    Ok(())
}

fn fields<'a>(
    all: impl Iterator<Item = io::Result<(Vec<u8>, Value<'a>)>>,
    out: &mut String,
) -> io::Result<()> {
    out.push('{');
    for (i, field) in all.enumerate() {
        let (key, value) = field?;
        if i > 0 {
            out.push_str(", ");
        }
        quote(utf8(&key)?, out);
        out.push_str(": ");
        append(&value, out)?;
    }
    out.push('}');
    Ok(())
}

/// The shortest digits that read back, plain while the point is within 15 places of them
/// (`my_gcvt`), and told from a whole number by a `.0`.
fn double(value: f64) -> String {
    const PLACES: i32 = 15;
    let short = format!("{value:e}");
    let (sign, short) = match short.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", short.as_str()),
    };
    let (mantissa, exponent) = short.split_once('e').unwrap_or((short, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let point = exponent + 1;
    let digits = mantissa.replace('.', "");
    if !(1 - PLACES..=PLACES).contains(&point) {
        return format!("{sign}{mantissa}e{exponent}");
    }
    let Ok(before) = usize::try_from(point) else {
        let zeros = "0".repeat(point.unsigned_abs() as usize);
        return format!("{sign}0.{zeros}{digits}");
    };
    match before {
        0 => format!("{sign}0.{digits}"),
        n if n >= digits.len() => format!("{sign}{digits}{}.0", "0".repeat(n - digits.len())),
        n => format!("{sign}{}.{}", &digits[..n], &digits[n..]),
    }
}

fn decimal(value: &Value<'_>) -> io::Result<String> {
    match value.clone().parse()? {
        JsonDom::Scalar(JsonScalar::Number(JsonNumber::Decimal(number))) => Ok(number.to_string()),
        _ => Err(io::ErrorKind::InvalidData.into()),
    }
}

fn packed(data: &[u8]) -> io::Result<i64> {
    let bytes = data.first_chunk::<8>().ok_or(io::ErrorKind::InvalidData)?;
    Ok(i64::from_le_bytes(*bytes))
}

fn utf8(bytes: &[u8]) -> io::Result<&str> {
    std::str::from_utf8(bytes).map_err(|_| io::ErrorKind::InvalidData.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The texts are those of a MySQL 9.7 server: `SELECT CAST(… AS JSON)`.
    #[test]
    fn doubles_are_printed_as_the_server_does() {
        for (value, text) in [
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (1.0, "1.0"),
            (0.1, "0.1"),
            (-2.5, "-2.5"),
            (1e14, "100000000000000.0"),
            (1e15, "1e15"),
            (123_456_789_012_345.6, "123456789012345.6"),
            (1.5e300, "1.5e300"),
            (1e-14, "0.00000000000001"),
            (1e-15, "0.000000000000001"),
            (1e-16, "1e-16"),
            (5e-324, "5e-324"),
        ] {
            assert_eq!(double(value), text);
        }
    }
}

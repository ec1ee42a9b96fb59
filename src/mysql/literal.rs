//! Values in statements: those that cartage prints, in the form that the column's type takes. Into a
//! column goes the very value, or the server refuses it.

use super::sql;
use super::types::Kind;

/// A value to write into a column, or to compare it with: a number as one, for a string would be
/// compared as a float.
pub fn literal(kind: &Kind, text: &str) -> String {
    let number = |c: char| c.is_ascii_digit() || matches!(c, '-' | '+' | '.' | 'e');
    match kind {
        Kind::Float => match text.parse::<f32>() {
            // In full: the digits that tell it apart are not those of the number as a double.
            Ok(value) if value.is_finite() => format!("{:e}", f64::from(value)),
            _ => sql::text(text),
        },
        Kind::Double => match text.parse::<f64>() {
            Ok(value) if value.is_finite() => format!("{value:e}"),
            _ => sql::text(text),
        },
        Kind::Year => match text.parse() {
            // Two digits would be a year of our time. There is no such year here.
            Ok(year @ 1..100_u32) => (10_000 + year).to_string(),
            Ok(year) => year.to_string(),
            Err(_) => sql::text(text),
        },
        Kind::Integer { .. } | Kind::Bit | Kind::Decimal
            if !text.is_empty() && text.chars().all(number) =>
        {
            text.to_owned()
        }
        Kind::Binary { .. } | Kind::Blob => match text.strip_prefix("\\x") {
            Some(hex) if hex.bytes().all(|b| b.is_ascii_hexdigit()) => format!("x'{hex}'"),
            _ => sql::text(text),
        },
        // A number alone would be taken for the members that its bits stand for.
        Kind::Set(labels) if !text.split(',').all(|m| labels.iter().any(|l| l == m)) => {
            match text.is_empty() {
                true => sql::text(text),
                false => sql::text(&format!("{text},{text}")),
            }
        }
        // Sessions are in UTC, and older servers read no offsets.
        Kind::Timestamp { .. } => sql::text(text.strip_suffix("+00").unwrap_or(text)),
        _ => sql::text(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mysql::charset::Charset;

    #[test]
    fn values_are_written_as_their_columns_take_them() {
        let integer = Kind::Integer {
            bytes: 8,
            unsigned: true,
        };
        assert_eq!(
            literal(&integer, "18446744073709551615"),
            "18446744073709551615"
        );
        assert_eq!(literal(&integer, "1 OR 1"), "'1 OR 1'");
        assert_eq!(literal(&Kind::Blob, "\\x00ff"), "x'00ff'");
        assert_eq!(literal(&Kind::Blob, "\\x'"), "_utf8mb4 X'5C7827'");
        let text = Kind::Text(Charset::named("utf8mb4"));
        assert_eq!(literal(&text, "o'clock\\"), "_utf8mb4 X'6F27636C6F636B5C'");
        let timestamp = Kind::Timestamp { fraction: 0 };
        assert_eq!(
            literal(&timestamp, "2026-01-02 03:04:05+00"),
            "'2026-01-02 03:04:05'"
        );
    }

    #[test]
    fn what_the_server_would_read_as_another_value_is_none() {
        assert_eq!(literal(&Kind::Year, "2024"), "2024");
        assert_eq!(literal(&Kind::Year, "0"), "0");
        assert_eq!(literal(&Kind::Year, "24"), "10024");
        let set = Kind::Set(vec!["a".into(), "b".into()]);
        assert_eq!(literal(&set, "b,a"), "'b,a'");
        assert_eq!(literal(&set, ""), "''");
        assert_eq!(literal(&set, "3"), "'3,3'");
        assert_eq!(
            literal(&Kind::Float, "3.4028235e+38"),
            "3.4028234663852886e38"
        );
        assert_eq!(literal(&Kind::Float, "NaN"), "'NaN'");
        assert_eq!(literal(&Kind::Double, "0.1"), "1e-1");
    }
}

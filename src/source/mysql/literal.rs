//! Values in statements: those that cartage prints, in the form that the
//! column's type takes.

use crate::mysql::sql;
use crate::mysql::types::Kind;

/// A value to compare a column with: a number as one, for a string would be compared as a float.
pub fn literal(kind: &Kind, text: &str) -> String {
    let number = |c: char| c.is_ascii_digit() || matches!(c, '-' | '+' | '.' | 'e');
    match kind {
        Kind::Integer { .. }
        | Kind::Year
        | Kind::Bit
        | Kind::Decimal
        | Kind::Float
        | Kind::Double
            if !text.is_empty() && text.chars().all(number) =>
        {
            text.to_owned()
        }
        Kind::Binary { .. } | Kind::Blob => match text.strip_prefix("\\x") {
            Some(hex) if hex.bytes().all(|b| b.is_ascii_hexdigit()) => format!("x'{hex}'"),
            _ => sql::text(text),
        },
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
}

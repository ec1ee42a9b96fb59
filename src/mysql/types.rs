//! What MySQL calls a column's type: the class that the mapping reasons about, and the kind by
//! which its values are read.

use super::charset::Charset;
use crate::sqltype::{Class, SqlType};

/// How a column's values are kept, in the log as in an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `TINYINT` to `BIGINT`. Whether it is unsigned is not in every log.
    Integer {
        bytes: u8,
        unsigned: bool,
    },
    Year,
    Bit,
    Decimal,
    Float,
    Double,
    Text(Charset),
    /// `BINARY(n)`, of which the log leaves out zeros at the end.
    Binary {
        length: usize,
    },
    /// `VARBINARY` and `BLOB`.
    Blob,
    Date,
    DateTime {
        fraction: u8,
    },
    Timestamp {
        fraction: u8,
    },
    Time {
        fraction: u8,
    },
    /// MySQL's own, which the log holds in binary. MariaDB's is a text.
    Json,
    /// The labels in order; the log holds their numbers.
    Enum(Vec<String>),
    /// The labels in order; the log holds a bit for each.
    Set(Vec<String>),
    Uuid,
    Inet4,
    Inet6,
    /// A type that cannot be a value of the new shop: geometry, vectors, and what is not known.
    Foreign,
}

/// A column as `information_schema.columns` describes it.
#[derive(Clone, Debug, Default)]
pub struct Declared<'a> {
    /// `data_type`, without length and signedness.
    pub data_type: &'a str,
    /// `column_type`, as written.
    pub column_type: &'a str,
    pub characters: Option<u64>,
    pub octets: Option<u64>,
    pub precision: Option<u64>,
    pub scale: Option<u64>,
    pub fraction: Option<u64>,
    pub charset: Option<&'a str>,
    pub collation: Option<&'a str>,
    /// MariaDB's JSON is a text with a check.
    pub json_check: bool,
}

pub fn read(declared: &Declared<'_>) -> (SqlType, Kind) {
    let name = declared.data_type.to_ascii_lowercase();
    let unsigned = declared.column_type.contains("unsigned");
    let integer = |bytes, class| (class, Kind::Integer { bytes, unsigned });
    let fraction = declared
        .fraction
        .and_then(|f| u8::try_from(f).ok())
        .unwrap_or(0);
    let (class, kind) = match (name.as_str(), unsigned) {
        ("tinyint", _) => integer(1, Class::Int2),
        ("smallint", false) => integer(2, Class::Int2),
        ("smallint", true) => integer(2, Class::Int4),
        ("mediumint", _) => integer(3, Class::Int4),
        ("int", false) => integer(4, Class::Int4),
        ("int", true) => integer(4, Class::Int8),
        ("bigint", false) => integer(8, Class::Int8),
        ("bigint", true) => integer(8, Class::Numeric),
        ("year", _) => (Class::Int2, Kind::Year),
        ("bit", _) if declared.precision.unwrap_or(1) <= 63 => (Class::Int8, Kind::Bit),
        ("bit", _) => (Class::Numeric, Kind::Bit),
        ("decimal", _) => (Class::Numeric, Kind::Decimal),
        ("float", _) => (Class::Float4, Kind::Float),
        ("double", _) => (Class::Float8, Kind::Double),
        ("char" | "varchar" | "tinytext" | "text" | "mediumtext" | "longtext", _) => {
            let class = match declared.json_check {
                true => Class::Json,
                false => Class::Text,
            };
            (
                class,
                Kind::Text(Charset::named(declared.charset.unwrap_or("utf8mb4"))),
            )
        }
        ("binary", _) => {
            let length = declared.octets.and_then(|n| usize::try_from(n).ok());
            (
                Class::Bytea,
                Kind::Binary {
                    length: length.unwrap_or(1),
                },
            )
        }
        ("varbinary" | "tinyblob" | "blob" | "mediumblob" | "longblob", _) => {
            (Class::Bytea, Kind::Blob)
        }
        ("date", _) => (Class::Date, Kind::Date),
        ("datetime", _) => (Class::Timestamp, Kind::DateTime { fraction }),
        ("timestamp", _) => (Class::TimestampTz, Kind::Timestamp { fraction }),
        ("time", _) => (Class::Interval, Kind::Time { fraction }),
        ("json", _) => (Class::Json, Kind::Json),
        ("enum", _) => (Class::Enum, Kind::Enum(labels(declared.column_type))),
        ("set", _) => (Class::Text, Kind::Set(labels(declared.column_type))),
        ("uuid", _) => (Class::Uuid, Kind::Uuid),
        ("inet4", _) => (Class::Inet, Kind::Inet4),
        ("inet6", _) => (Class::Inet, Kind::Inet6),
        _ => (Class::Other, Kind::Foreign),
    };
    (sql_type(declared, class, &kind), kind)
}

fn sql_type(declared: &Declared<'_>, class: Class, kind: &Kind) -> SqlType {
    let small = |n: Option<u64>| n.and_then(|n| u32::try_from(n).ok());
    let numeric = match kind {
        Kind::Integer { .. } => Some((20, 0)),
        Kind::Bit => Some((20, 0)),
        _ => small(declared.precision).map(|p| {
            let scale = declared.scale.and_then(|s| i32::try_from(s).ok());
            (p, scale.unwrap_or(0))
        }),
    };
    let text = matches!(kind, Kind::Text(_));
    SqlType {
        name: declared.column_type.to_owned(),
        base: match class {
            // As for Postgres, the type's own name.
            Class::Enum | Class::Other => declared.column_type.to_owned(),
            class => class.name().to_owned(),
        },
        // A `LONGTEXT` holds whatever there is.
        length: match class {
            Class::Text if text => small(declared.characters).filter(|n| *n < u32::MAX),
            _ => None,
        },
        numeric: numeric.filter(|_| class == Class::Numeric),
        fraction: match class {
            Class::Timestamp | Class::TimestampTz | Class::Interval => {
                Some(small(declared.fraction).unwrap_or(0))
            }
            _ => None,
        },
        labels: match kind {
            // What a statement that was not strict has stored in place of an unknown label.
            Kind::Enum(labels) => {
                let empty =
                    std::iter::once(String::new()).filter(|_| !labels.contains(&String::new()));
                labels.iter().cloned().chain(empty).collect()
            }
            _ => Vec::new(),
        },
        loose: text && !declared.collation.is_some_and(bytes_decide),
        class,
    }
}

/// Whether a collation compares the characters themselves, blanks at the end aside.
fn bytes_decide(collation: &str) -> bool {
    collation == "binary" || collation.ends_with("_bin")
}

/// Whether it takes two texts for equal only where all their bytes are. The older `_bin` ones ignore
/// blanks at the end (manual, "The binary Collation Compared to _bin Collations").
pub fn is_bytewise(collation: &str) -> bool {
    collation == "binary" || collation.ends_with("_0900_bin") || collation.ends_with("_nopad_bin")
}

/// The labels of `enum('a','it''s')`. A quote is doubled, and what would not print is escaped.
fn labels(column_type: &str) -> Vec<String> {
    let mut labels = Vec::new();
    let mut chars = column_type.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '\'' {
            continue;
        }
        let mut label = String::new();
        while let Some(c) = chars.next() {
            match c {
                '\'' if chars.peek() == Some(&'\'') => label.extend(chars.next()),
                '\'' => break,
                '\\' => label.extend(chars.next().map(unescaped)),
                c => label.push(c),
            }
        }
        labels.push(label);
    }
    labels
}

fn unescaped(c: char) -> char {
    match c {
        '0' => '\0',
        'n' => '\n',
        'r' => '\r',
        'Z' => '\u{1a}',
        c => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn declared(column_type: &str) -> (SqlType, Kind) {
        let data_type = column_type.split([' ', '(']).next().unwrap_or_default();
        read(&Declared {
            data_type,
            column_type,
            ..Declared::default()
        })
    }

    #[test]
    fn integers_have_room_for_what_is_unsigned() {
        for (name, class) in [
            ("tinyint(1)", Class::Int2),
            ("tinyint(3) unsigned", Class::Int2),
            ("smallint(6)", Class::Int2),
            ("smallint(5) unsigned zerofill", Class::Int4),
            ("mediumint(8) unsigned", Class::Int4),
            ("int(11)", Class::Int4),
            ("int unsigned", Class::Int8),
            ("bigint(20)", Class::Int8),
            ("bigint(20) unsigned", Class::Numeric),
            ("year(4)", Class::Int2),
        ] {
            assert_eq!(declared(name).0.class, class, "{name}");
        }
        let (ty, _) = declared("bigint(20) unsigned");
        assert_eq!((ty.base.as_str(), ty.numeric), ("numeric", Some((20, 0))));
        assert_eq!(ty.name, "bigint(20) unsigned");
    }

    #[test]
    fn labels_are_read_as_they_were_written() {
        let (ty, kind) = declared(r"enum('new','it''s','a,b','c\\d','')");
        let labels = ["new", "it's", "a,b", r"c\d", ""].map(String::from);
        assert_eq!(kind, Kind::Enum(labels.to_vec()));
        assert_eq!(ty.labels, labels);
        assert_eq!(declared("enum('a')").0.labels, ["a", ""]);
        assert_eq!(
            declared("set('a','b')").1,
            Kind::Set(vec!["a".into(), "b".into()])
        );
    }

    #[test]
    fn texts_are_loose_unless_bytes_decide() {
        for (collation, loose, bytewise) in [
            ("utf8mb4_general_ci", true, false),
            ("utf8mb4_0900_as_cs", true, false),
            ("utf8mb4_bin", false, false),
            ("utf8mb4_0900_bin", false, true),
            ("utf8mb4_nopad_bin", false, true),
        ] {
            let (ty, _) = read(&Declared {
                data_type: "varchar",
                column_type: "varchar(40)",
                characters: Some(40),
                collation: Some(collation),
                charset: Some("utf8mb4"),
                ..Declared::default()
            });
            assert_eq!((ty.loose, ty.length), (loose, Some(40)), "{collation}");
            assert_eq!(is_bytewise(collation), bytewise, "{collation}");
        }
    }

    #[test]
    fn what_is_not_known_is_foreign() {
        for name in ["geometry", "point", "vector(3)", "newtype"] {
            let (ty, kind) = declared(name);
            assert_eq!((ty.class, kind), (Class::Other, Kind::Foreign), "{name}");
        }
    }
}

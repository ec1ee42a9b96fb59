//! The type of a column, as both databases name it and as the mapping reasons about it.

use serde::{Deserialize, Serialize};

/// What a type can do: the mapping checks and converts by class, never by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Class {
    Bool,
    Int2,
    Int4,
    Int8,
    Numeric,
    Float4,
    Float8,
    /// `text`, `varchar`, `citext` and the like: any length up to [`SqlType::length`].
    Text,
    /// `character(n)`: blank-padded.
    Char,
    Bytea,
    Date,
    Time,
    TimeTz,
    Timestamp,
    TimestampTz,
    Interval,
    Uuid,
    Json,
    Jsonb,
    Enum,
    /// It passes through as its text, but for its cast to text.
    Inet,
    /// A type that only passes through as its text (arrays, ranges, composite …).
    Other,
}

/// A column's type.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SqlType {
    /// As written in a cast, with its modifier: `numeric(10,2)`, `character varying(40)`.
    pub name: String,
    /// The type below all domains without its modifier: `numeric`, `character varying`, `"bit"`. A
    /// cast to it neither cuts nor rounds.
    pub base: String,
    pub class: Class,
    /// Characters, for `varchar(n)` and `char(n)`.
    pub length: Option<u32>,
    /// Precision and scale, for `numeric(p,s)`.
    pub numeric: Option<(u32, i32)>,
    /// Fractional seconds digits, for times.
    pub fraction: Option<u32>,
    /// The labels of an enum in order.
    pub labels: Vec<String>,
    /// A text whose equal values may be spelled in several ways: citext, or a collation that is not
    /// deterministic.
    #[serde(default)]
    pub loose: bool,
}

impl SqlType {
    /// Reads a name as `format_type(oid, typmod)` prints it. A name that is not known passes
    /// through as [`Class::Other`].
    pub fn parse(name: &str) -> Self {
        let name = name.trim();
        let (base, modifier) = split_modifier(name);
        let mut numbers = modifier.split(',').map(|n| n.trim().parse::<i32>().ok());
        let first = numbers.next().flatten();
        let second = numbers.next().flatten();
        let positive = first.and_then(|n| u32::try_from(n).ok());
        let class = class_of(&base);
        Self {
            name: name.to_owned(),
            length: match class {
                Class::Text => positive,
                // `character` alone is one character; `bpchar` alone has no limit.
                Class::Char => {
                    positive.or(matches!(base.as_str(), "character" | "char").then_some(1))
                }
                _ => None,
            },
            numeric: match class {
                Class::Numeric => positive.map(|p| (p, second.unwrap_or(0))),
                _ => None,
            },
            fraction: match class {
                Class::Time
                | Class::TimeTz
                | Class::Timestamp
                | Class::TimestampTz
                | Class::Interval => positive,
                _ => None,
            },
            loose: class == Class::Text && base.ends_with("citext"),
            base: match class {
                // `character` alone would be one character.
                Class::Char => Class::Char.name().to_owned(),
                _ => base,
            },
            class,
            labels: Vec::new(),
        }
    }

    /// An enum of these labels in their order; `name` as `format_type` prints it.
    pub fn enumeration(name: impl std::convert::Into<String>, labels: Vec<String>) -> Self {
        let name = name.into();
        Self {
            base: name.clone(),
            name,
            class: Class::Enum,
            length: None,
            numeric: None,
            fraction: None,
            labels,
            loose: false,
        }
    }

    /// A domain: it has its own name and behaves as its base.
    pub fn domain(name: impl std::convert::Into<String>, base: Self) -> Self {
        Self {
            name: name.into(),
            ..base
        }
    }

    /// The plain type of a class, without a modifier.
    pub fn of(class: Class) -> Self {
        Self::parse(class.name())
    }
}

impl SqlType {
    /// The part of a value's text that equal values share: without the blanks of a `char`, and
    /// without the zeros that a number ends with.
    pub fn key_text<'a>(&self, text: &'a str) -> &'a str {
        match self.class {
            Class::Char => text.trim_end_matches(' '),
            Class::Numeric if text.contains('.') => {
                text.trim_end_matches('0').trim_end_matches('.')
            }
            Class::Float4 | Class::Float8 if text == "-0" => &text[1..],
            _ => text,
        }
    }

    /// Whether values that are equal to the database have one [`SqlType::key_text`]. Nobody knows
    /// that of a type made by somebody else.
    pub fn has_key_text(&self) -> bool {
        const PLAIN: &[&str] = &[
            "cidr",
            "macaddr",
            "macaddr8",
            "oid",
            "money",
            "\"bit\"",
            "bit varying",
            "\"char\"",
        ];
        match self.class {
            Class::Interval | Class::Json | Class::Jsonb => false,
            Class::Other => PLAIN.contains(&self.base.as_str()),
            _ => !self.loose,
        }
    }
}

impl Class {
    /// The class' plain type, as Postgres spells it.
    pub fn name(self) -> &'static str {
        match self {
            Class::Bool => "boolean",
            Class::Int2 => "smallint",
            Class::Int4 => "integer",
            Class::Int8 => "bigint",
            Class::Numeric => "numeric",
            Class::Float4 => "real",
            Class::Float8 => "double precision",
            Class::Text => "text",
            Class::Char => "bpchar",
            Class::Bytea => "bytea",
            Class::Date => "date",
            Class::Time => "time without time zone",
            Class::TimeTz => "time with time zone",
            Class::Timestamp => "timestamp without time zone",
            Class::TimestampTz => "timestamp with time zone",
            Class::Interval => "interval",
            Class::Uuid => "uuid",
            Class::Json => "json",
            Class::Jsonb => "jsonb",
            Class::Enum => "enum",
            Class::Inet => "inet",
            Class::Other => "other",
        }
    }

    pub fn is_integer(self) -> bool {
        matches!(self, Class::Int2 | Class::Int4 | Class::Int8)
    }

    pub fn is_float(self) -> bool {
        matches!(self, Class::Float4 | Class::Float8)
    }

    pub fn is_number(self) -> bool {
        self.is_integer() || self.is_float() || self == Class::Numeric
    }
}

/// Takes `timestamp(3) without time zone` apart into the name and what stands in parentheses.
fn split_modifier(name: &str) -> (String, &str) {
    match (name.find('('), name.find(')')) {
        (Some(open), Some(close)) if open < close && !name.ends_with(']') => {
            let base = format!("{}{}", name[..open].trim_end(), &name[close + 1..]);
            (base, &name[open + 1..close])
        }
        _ => (name.to_owned(), ""),
    }
}

fn class_of(base: &str) -> Class {
    match base.to_ascii_lowercase().as_str() {
        "boolean" | "bool" => Class::Bool,
        "smallint" | "int2" => Class::Int2,
        "integer" | "int" | "int4" => Class::Int4,
        "bigint" | "int8" => Class::Int8,
        "numeric" | "decimal" | "dec" => Class::Numeric,
        "real" | "float4" => Class::Float4,
        "double precision" | "float8" | "float" => Class::Float8,
        "text" | "character varying" | "varchar" | "citext" | "name" => Class::Text,
        // An extension may live in any schema.
        name if name.ends_with(".citext") => Class::Text,
        "character" | "char" | "bpchar" => Class::Char,
        "bytea" => Class::Bytea,
        "date" => Class::Date,
        "time" | "time without time zone" => Class::Time,
        "timetz" | "time with time zone" => Class::TimeTz,
        "timestamp" | "timestamp without time zone" => Class::Timestamp,
        "timestamptz" | "timestamp with time zone" => Class::TimestampTz,
        "interval" => Class::Interval,
        // Reduced to some of its fields.
        name if name.starts_with("interval ") => Class::Interval,
        "uuid" => Class::Uuid,
        "json" => Class::Json,
        "jsonb" => Class::Jsonb,
        "inet" => Class::Inet,
        _ => Class::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_format_type_prints() {
        let t = SqlType::parse("numeric(10,2)");
        assert_eq!(
            (t.class, t.numeric, t.base.as_str()),
            (Class::Numeric, Some((10, 2)), "numeric")
        );
        let t = SqlType::parse("numeric(3,-2)");
        assert_eq!(t.numeric, Some((3, -2)));
        let t = SqlType::parse("timestamp(3) without time zone");
        assert_eq!((t.class, t.fraction), (Class::Timestamp, Some(3)));
        assert_eq!(t.base, "timestamp without time zone");
        let t = SqlType::parse("character varying(40)");
        assert_eq!((t.class, t.length), (Class::Text, Some(40)));
        assert_eq!(SqlType::parse("character(3)").length, Some(3));
        assert_eq!(SqlType::parse("bpchar").length, None);
    }

    #[test]
    fn unknown_types_pass_through() {
        for name in [
            "integer[]",
            "numeric(10,2)[]",
            "bit(3)",
            "money",
            "int4range",
            "shop.\"Odd\"",
            ")(",
        ] {
            assert_eq!(SqlType::parse(name).class, Class::Other, "{name}");
        }
    }

    #[test]
    fn equal_values_have_one_key_text() {
        for (ty, texts, key) in [
            ("character(8)", ["ab", "ab      "], "ab"),
            ("numeric", ["1", "1.000"], "1"),
            ("numeric", ["100", "100.0"], "100"),
            ("numeric", ["0", "0.00"], "0"),
            ("double precision", ["0", "-0"], "0"),
            ("text", ["ab ", "ab "], "ab "),
        ] {
            let ty = SqlType::parse(ty);
            assert!(ty.has_key_text());
            assert_eq!(texts.map(|text| ty.key_text(text)), [key; 2]);
        }
        for ty in ["citext", "interval", "jsonb", "numeric[]", "shop.mine"] {
            assert!(!SqlType::parse(ty).has_key_text(), "{ty}");
        }
    }

    #[test]
    fn a_domain_behaves_as_its_base() {
        let t = SqlType::domain("shop.price", SqlType::parse("numeric(12,4)"));
        assert_eq!(
            (t.name.as_str(), t.base.as_str()),
            ("shop.price", "numeric")
        );
        assert_eq!(t.class, Class::Numeric);
        assert_eq!(t.numeric, Some((12, 4)));
    }
}

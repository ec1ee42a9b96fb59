//! The type of a column, as both databases name it and as the mapping reasons about it.

/// What a type can do: the mapping checks and converts by class, never by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
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
    /// A type that only passes through as its text (arrays, ranges, inet, composite …).
    Other,
}

/// A column's type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SqlType {
    /// As written in a cast, with its modifier: `numeric(10,2)`, `character varying(40)`.
    pub name: String,
    /// The same without the modifier: `numeric`, `character varying`.
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
}

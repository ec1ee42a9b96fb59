//! The kinds of drift, and how many carts of each there are in a run.

use serde::Serialize;

/// What is done to a cart of the new shop behind cartage's back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A value of a mapped column, each column in its turn.
    Value,
    /// One bit of one letter of a text.
    FlippedByte,
    LineDeleted,
    /// The header with all its lines.
    CartDeleted,
    /// A second line of the same product, under a key of its own.
    LineDuplicated,
    /// Bought in the old shop, and open again in the new one.
    ReopenedEnded,
    /// Deleted in the old shop, and back in the new one with all its lines.
    RevivedDeleted,
    /// Two lines of a cart exchange their quantities, or their products.
    SwappedWithin,
    /// Two carts exchange a line; both have drifted.
    SwappedBetween,
}

impl Kind {
    /// With its share of all drifts, in hundredths.
    pub const ALL: [(Kind, usize); 9] = [
        (Kind::Value, 34),
        (Kind::FlippedByte, 10),
        (Kind::LineDeleted, 10),
        (Kind::CartDeleted, 8),
        (Kind::LineDuplicated, 10),
        (Kind::ReopenedEnded, 6),
        (Kind::RevivedDeleted, 6),
        (Kind::SwappedWithin, 8),
        (Kind::SwappedBetween, 8),
    ];

    /// Lines that a cart must have for it.
    pub fn lines(self) -> i64 {
        match self {
            Kind::Value | Kind::FlippedByte | Kind::CartDeleted => 0,
            Kind::SwappedWithin => 2,
            _ => 1,
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Kind::Value => "value",
            Kind::FlippedByte => "flipped_byte",
            Kind::LineDeleted => "line_deleted",
            Kind::CartDeleted => "cart_deleted",
            Kind::LineDuplicated => "line_duplicated",
            Kind::ReopenedEnded => "reopened_ended",
            Kind::RevivedDeleted => "revived_deleted",
            Kind::SwappedWithin => "swapped_within",
            Kind::SwappedBetween => "swapped_between",
        }
    }
}

/// A column that drifts, and what becomes of its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    pub table: &'static str,
    pub name: &'static str,
    pub postgres: &'static str,
    pub mysql: &'static str,
}

const fn header(name: &'static str, value: &'static str) -> Column {
    Column {
        table: "cart",
        name,
        postgres: value,
        mysql: value,
    }
}

const fn line(name: &'static str, value: &'static str) -> Column {
    Column {
        table: "cart_line",
        ..header(name, value)
    }
}

/// Every mapped column that cartage keeps as the source has it: those that are written `once` are the
/// new backend's from then on, keys are the row itself, and the lock is what tells who wrote.
pub const COLUMNS: [Column; 17] = [
    NOTE,
    header("token", "concat('drift-', token)"),
    header(
        "email",
        "CASE WHEN email IS NULL THEN 'drift@example.com' END",
    ),
    header(
        "customer_ref",
        "CASE WHEN customer_ref IS NULL THEN 'customer-0' END",
    ),
    header(
        "channel",
        "CASE channel WHEN 'guest' THEN 'account' ELSE 'guest' END",
    ),
    header(
        "currency_code",
        "CASE currency_code WHEN 'eur' THEN 'usd' ELSE 'eur' END",
    ),
    header("item_count", "item_count + 1"),
    header("item_total", "item_total - 1"),
    header("metadata", "'{\"number\": \"R0\", \"order\": 0}'"),
    Column {
        table: "cart",
        name: "updated_at",
        postgres: "updated_at + interval '1 microsecond'",
        mysql: "updated_at + INTERVAL 1 MICROSECOND",
    },
    line("sku", "concat('X-', sku)"),
    NAME,
    line("quantity", "quantity + 1"),
    line("unit_minor", "unit_minor + 1"),
    line("line_minor", "line_minor - 1"),
    Column {
        table: "cart_line",
        name: "options",
        postgres: "CASE WHEN options IS NULL THEN CAST('{\"size\": \"drift\"}' AS jsonb) END",
        mysql: "CASE WHEN options IS NULL THEN '{\"size\": \"drift\"}' END",
    },
    line("source_id", "source_id + 1000000"),
];

/// A blank more at the end. What the new shop's customers write when they come by.
pub const NOTE: Column = header("note", "concat(coalesce(note, ''), ' ')");
/// Of a line: a customer of the old shop who comes back for the note does not touch it.
pub const NAME: Column = line("name", "concat(name, ' ')");

/// Texts of which one byte may flip. A currency has too few neighbours that pass its check.
pub const TEXTS: [(&str, &str); 5] = [
    ("cart", "token"),
    ("cart", "email"),
    ("cart", "channel"),
    ("cart_line", "sku"),
    ("cart_line", "name"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shares_are_all_of_it() {
        let all: usize = Kind::ALL.iter().map(|(_, share)| share).sum();
        assert_eq!(all, 100);
        for (kind, _) in Kind::ALL {
            assert_eq!(serde_json::json!(kind), kind.name());
        }
    }

    /// A mapped column that is added to the demo must be able to drift.
    #[test]
    fn every_mapped_column_drifts() {
        let mapping = include_str!("../pipeline.toml");
        let mut table = "";
        let mut mapped = Vec::new();
        for line in mapping.lines() {
            let Some((name, value)) = line.split_once(" = ") else {
                continue;
            };
            let (name, is_column) = (name.trim(), name.starts_with("  "));
            match name {
                "table" => table = value.trim_matches('"'),
                _ if is_column && !value.contains("once =") && !value.contains("key =") => {
                    mapped.push((table.to_owned(), name.to_owned()));
                }
                _ => {}
            }
        }
        // What a line belongs to drifts where carts exchange lines.
        mapped.retain(|(_, name)| name != "cart_id");
        let mut drifting: Vec<_> = COLUMNS
            .iter()
            .map(|column| (column.table.to_owned(), column.name.to_owned()))
            .collect();
        mapped.sort();
        drifting.sort();
        assert_eq!(mapped, drifting);
    }
}

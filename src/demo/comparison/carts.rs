//! What a cart should be in the new shop, and what it is.

use serde::Serialize;
use serde_json::Value;

/// Everything that the new shop says of a cart, but for what is known only there.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Cart {
    pub metadata: Value,
    pub email: Option<String>,
    pub customer_ref: Option<String>,
    pub channel: String,
    pub currency_code: String,
    pub note: Option<String>,
    pub created_at: i64,
    /// Of a live cart.
    pub updated_at: Option<i64>,
    pub item_count: i64,
    pub item_total: i64,
    pub sales_region: String,
    pub reminded_at: Option<i64>,
    pub lines: Vec<Line>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Line {
    pub source_id: i64,
    pub sku: String,
    pub name: String,
    pub quantity: i64,
    pub added_at: i64,
    pub unit_minor: i64,
    pub line_minor: i64,
    pub options: Option<Value>,
    pub gift: bool,
}

/// What the old shop demands. All times are in microseconds since 1970.
#[derive(Debug, Clone, Serialize)]
pub struct Expected {
    pub live: bool,
    pub completed_at: Option<i64>,
    /// How exactly the old shop's log tells when a transaction was committed, in microseconds.
    pub clock: i64,
    /// The log alone does not prove that all of a new cart is in it: a session of MySQL may write
    /// without foreign keys.
    pub born_unproved: bool,
    /// As many as the ledger counts, if it knows the cart.
    pub patches: Option<i64>,
    pub cart: Cart,
}

/// What the new shop holds.
#[derive(Debug, Clone, Serialize)]
pub struct Found {
    /// Identifiers cannot be computed again here, for they are keyed; but they have one shape.
    pub well_named: bool,
    pub version: i64,
    pub completed_at: Option<i64>,
    pub cart: Cart,
}

const MINUTE: i64 = 60_000_000;

impl Expected {
    pub fn is_met_by(&self, found: &Found) -> bool {
        // The commit comes after the statement that set the old shop's own time.
        let ended_well = match (self.live, self.completed_at, found.completed_at) {
            (true, _, completed) => completed.is_none(),
            (false, Some(bought), Some(closed)) => {
                let earliest = bought - bought.rem_euclid(self.clock);
                (earliest..=bought + MINUTE).contains(&closed)
            }
            (false, _, _) => false,
        };
        found.well_named && ended_well && self.cart == found.cart
    }
}

/// An amount in the smallest unit of its currency, of one in thousandths; halves go away from zero.
pub fn minor(thousandths: i64, currency: &str) -> i64 {
    let unit = match currency {
        "JPY" => 1_000,
        "KWD" => 1,
        _ => 10,
    };
    let half = thousandths.signum() * (unit / 2);
    (thousandths + half) / unit
}

/// `cart_` and the like, with 26 letters and digits of base 32.
pub fn is_named(id: &str, prefix: &str) -> bool {
    id.strip_prefix(prefix).is_some_and(|rest| {
        let base_32 = |b: u8| matches!(b, b'a'..=b'z' | b'2'..=b'7');
        rest.len() == 26 && rest.bytes().all(base_32)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_go_away_from_zero() {
        assert_eq!(minor(12_345, "EUR"), 1_235);
        assert_eq!(minor(12_344, "EUR"), 1_234);
        assert_eq!(minor(-12_345, "EUR"), -1_235);
        assert_eq!(minor(12_500, "JPY"), 13);
        assert_eq!(minor(12_499, "JPY"), 12);
        assert_eq!(minor(12_345, "KWD"), 12_345);
    }

    #[test]
    fn names_have_one_shape() {
        assert!(is_named(&format!("cart_{}", "a2".repeat(13)), "cart_"));
        assert!(!is_named(&format!("cart_{}", "a2".repeat(12)), "cart_"));
        assert!(!is_named(&format!("cart_{}", "a1".repeat(13)), "cart_"));
        assert!(!is_named(&format!("line_{}", "a2".repeat(13)), "cart_"));
    }
}

//! What the storefront knows of its carts: kept from its own actions alone, and mapped without SQL.

use std::collections::BTreeMap;

use serde_json::{Value, json};

#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    pub sku: u32,
    pub quantity: i64,
    /// In thousandths.
    pub price: i64,
    pub options: BTreeMap<&'static str, String>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Cart {
    pub token: String,
    pub email: Option<String>,
    pub currency: &'static str,
    pub note: Option<String>,
    pub bought: bool,
    /// It has to be read whole from the source, and nobody knows whether it was.
    pub unread: bool,
    /// It was bought before it was certain that it had been read: the read may have come too late
    /// for it.
    pub early: bool,
    pub lines: BTreeMap<i64, Line>,
    pub perks: BTreeMap<i64, String>,
    /// Transactions that changed what the new shop should hold of it, its birth included.
    pub effects: i64,
}

/// A storefront's carts by number.
pub type Carts = BTreeMap<i64, Cart>;

impl Cart {
    /// What the new shop should hold, in the form of `target_carts.sql`.
    pub fn mapped(&self, id: i64, upper: bool) -> Value {
        let lines: Vec<Value> = self
            .lines
            .iter()
            .map(|(line, it)| {
                let options = match it.options.is_empty() {
                    true => Value::Null,
                    false => json!(it.options),
                };
                json!([
                    line,
                    format!("SKU-{}", it.sku),
                    it.quantity,
                    minor(it.price, self.currency),
                    minor(it.price * it.quantity, self.currency),
                    options
                ])
            })
            .collect();
        let pieces: i64 = self.lines.values().map(|it| it.quantity).sum();
        let total: i64 = self
            .lines
            .values()
            .map(|it| minor(it.price * it.quantity, self.currency))
            .sum();
        let note = self.note.as_ref().map(|note| match upper {
            true => note.to_uppercase(),
            false => note.clone(),
        });
        json!([
            id.to_string(),
            self.token,
            self.email.as_ref().map(|it| it.trim().to_lowercase()),
            self.currency.to_lowercase(),
            note,
            self.perks.len().to_string(),
            pieces.to_string(),
            total.to_string(),
            lines
        ])
    }
}

/// Thousandths in minor units, halves away from zero.
fn minor(thousandths: i64, currency: &str) -> i64 {
    match currency {
        "JPY" => (thousandths + 500) / 1000,
        "KWD" => thousandths,
        _ => (thousandths + 5) / 10,
    }
}

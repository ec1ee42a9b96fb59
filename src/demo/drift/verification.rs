//! What `cartage verify` calls different, held against what the injector noted.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::Value;

use super::injector::Drift;

/// So many carts are named that are not as they should be.
const EXAMPLES: usize = 10;

/// Counts of carts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Count {
    /// Named otherwise than the sums of all kinds, for readers that look for a name alone.
    #[serde(rename = "drifted")]
    pub injected: usize,
    #[serde(rename = "noticed")]
    pub found: usize,
}

/// What was found of what was injected.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// Carts that were called missing, extra or different.
    pub found: usize,
    /// The same by the document's own count.
    pub counted: u64,
    pub missed: usize,
    pub false_alarms: usize,
    pub by_kind: BTreeMap<&'static str, Count>,
    pub examples: Vec<String>,
}

/// Findings that stand beside any verdict: of such a cart nothing is said.
const BESIDE: [&str; 5] = [
    "stale_lookup",
    "sum_mismatch",
    "quantity_of_source",
    "own_lines",
    "target_only",
];

/// The carts, by their keys in the old shop, that the document of `verify --json` calls other than they
/// should be, each with one of its differences.
pub fn named(document: &Value) -> BTreeMap<String, &Value> {
    let differences = document["differences"].as_array().into_iter().flatten();
    let against = differences.filter(|difference| {
        let kind = difference["kind"].as_str().unwrap_or_default();
        !BESIDE.contains(&kind)
    });
    let carts = against.filter_map(|difference| Some((difference["cart"].as_str()?, difference)));
    carts
        .map(|(cart, difference)| (cart.to_owned(), difference))
        .collect()
}

/// How many carts the document counts as missing, extra or different.
pub fn counted(document: &Value) -> u64 {
    let counts = ["missing", "extra", "different"].map(|verdict| document[verdict].as_u64());
    counts.into_iter().flatten().sum()
}

/// Holds one against the other, cart by cart.
pub fn hold_against(injected: &BTreeMap<i64, Drift>, document: &Value) -> Found {
    let found = named(document);
    let keys: BTreeSet<String> = injected.keys().map(i64::to_string).collect();
    let mut outcome = Found {
        found: found.len(),
        counted: counted(document),
        ..Found::default()
    };
    for (cart, difference) in &found {
        if !keys.contains(cart) {
            outcome.false_alarms += 1;
            outcome.example(format!("cart {cart}: a false alarm: {difference}"));
        }
    }
    for (cart, drift) in injected {
        let is_found = found.contains_key(&cart.to_string());
        let count = outcome.by_kind.entry(drift.kind.name()).or_default();
        count.injected += 1;
        count.found += usize::from(is_found);
        if !is_found {
            outcome.missed += 1;
            outcome.example(format!("cart {cart}: not found: {}", drift.what));
        }
    }
    outcome
}

impl Found {
    /// All that had drifted was found, and nothing else.
    pub fn all_well(&self) -> bool {
        self.missed == 0 && self.false_alarms == 0 && self.counted == self.found as u64
    }

    fn example(&mut self, text: String) {
        if self.examples.len() < EXAMPLES {
            self.examples.push(text);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::demo::drift::kinds::Kind;

    #[test]
    fn sets_of_keys_are_compared_and_not_their_sizes() {
        let drift = |kind| Drift {
            kind,
            what: "what".to_owned(),
        };
        let injected = BTreeMap::from([
            (1, drift(Kind::Value)),
            (2, drift(Kind::Value)),
            (3, drift(Kind::LineDeleted)),
        ]);
        let document = json!({"different": 2, "missing": 1, "differences": [
            {"kind": "value", "cart": "1"},
            {"kind": "value", "cart": "1"},
            {"kind": "missing_row", "cart": "3"},
            {"kind": "value", "cart": "4"},
            {"kind": "stale_lookup", "cart": "2"},
            {"kind": "sum_mismatch", "cart": "5"},
        ]});
        let found = hold_against(&injected, &document);
        assert_eq!((found.found, found.missed, found.false_alarms), (3, 1, 1));
        assert_eq!(found.counted, 3);
        assert!(!found.all_well());
        let of_value = found.by_kind["value"];
        assert_eq!((of_value.injected, of_value.found), (2, 1));
        assert_eq!(found.by_kind["line_deleted"].found, 1);
        assert_eq!(found.examples.len(), 2);
    }

    #[test]
    fn nothing_is_found_in_nothing() {
        let injected = BTreeMap::new();
        let found = hold_against(&injected, &Value::Null);
        assert_eq!(found, Found::default());
        assert!(found.all_well());
    }
}

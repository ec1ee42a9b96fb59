//! What cartage recorded of the conflicts, read as the documents that they are.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::params;
use crate::target::error::TargetError;
use crate::target::session::Target;
use crate::target::words::Words;

const PAGE: usize = 500;
/// What the storefronts change. Versions and times move anyway.
const COLUMNS: [&str; 5] = ["email", "remark", "note", "sku", "quantity"];

/// Counts of records and of carts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Evidence {
    /// Merges of carts that both shops had written since cartage last looked, by its own count.
    pub merge_conflicts: i64,
    /// Lines of these whose quantity both had changed.
    pub merged_items: i64,
    /// Records of merges.
    pub records: i64,
    /// Those in which what cartage had left there differs from what the old shop says and also from
    /// what was found, in a product, a quantity or a value.
    pub conflicts: i64,
    pub conflicted_carts: i64,
    /// Carts with a record of a quantity that both shops had changed.
    pub quantity_carts: i64,
    /// Records of carts that were held on the way.
    pub held_ever: i64,
}

pub async fn read(new: &Target) -> Result<Evidence, TargetError> {
    let counts = Words::each(
        "SELECT CAST(sum(merge_conflicts) AS bigint), CAST(sum(merged_items) AS bigint)
         FROM cartage.checkpoint",
        "SELECT sum(merge_conflicts), sum(merged_items) FROM cartage_checkpoint",
    );
    let counts = new.one(counts, &[]).await?;
    let held = "SELECT count(*) FROM cartage.conflict WHERE kind = 'held'";
    let mut evidence = Evidence {
        merge_conflicts: counts.get(0)?,
        merged_items: counts.get(1)?,
        held_ever: new.one(held, &[]).await?.get(0)?,
        ..Evidence::default()
    };
    let (mut carts, mut quantities) = (BTreeSet::new(), BTreeSet::new());
    let mut beyond = 0_i64;
    let text = |kind: &str| {
        format!(
            "SELECT id, cart, CAST(base AS {kind}), CAST(ours AS {kind}), CAST(theirs AS {kind}),
                    CAST(decisions AS {kind})
             FROM cartage.conflict WHERE kind = 'merged' AND id > $1 ORDER BY id LIMIT {PAGE}"
        )
    };
    let page = Words::each(text("text"), text("char").replace("cartage.", "cartage_"));
    loop {
        let rows = new.query(page.clone(), params![beyond]).await?;
        for row in &rows {
            beyond = row.get(0)?;
            let cart: String = row.get(1)?;
            let side = |at: usize| -> Result<BTreeSet<String>, TargetError> {
                let document: Option<String> = row.get(at)?;
                Ok(values(&document.unwrap_or_default()))
            };
            let (base, ours, theirs) = (side(2)?, side(3)?, side(4)?);
            let decisions: Option<String> = row.get(5)?;
            evidence.records += 1;
            if base != ours && base != theirs {
                evidence.conflicts += 1;
                if both_changed_a_quantity(&decisions.unwrap_or_default()) {
                    quantities.insert(cart.clone());
                }
                carts.insert(cart);
            }
        }
        if rows.len() < PAGE {
            break;
        }
    }
    evidence.conflicted_carts = carts.len() as i64;
    evidence.quantity_carts = quantities.len() as i64;
    Ok(evidence)
}

/// The rows of one side: a document holds a number as a number, or as its text.
fn values(document: &str) -> BTreeSet<String> {
    let document: Value = serde_json::from_str(document).unwrap_or_default();
    let rows = document.as_array().into_iter().flatten();
    rows.map(|entry| {
        let cells = COLUMNS.iter().filter_map(|column| {
            let cell = entry["row"].get(column)?;
            let text = cell
                .as_str()
                .map_or_else(|| cell.to_string(), str::to_owned);
            Some(format!("{column}={text}"))
        });
        cells.collect::<Vec<_>>().join(" ")
    })
    .collect()
}

fn both_changed_a_quantity(decisions: &str) -> bool {
    let decisions: Value = serde_json::from_str(decisions).unwrap_or_default();
    let mut decisions = decisions.as_array().into_iter().flatten();
    decisions.any(|decision| {
        decision["column"] == "quantity"
            && decision["base"] != decision["ours"]
            && decision["base"] != decision["theirs"]
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sides_are_compared_by_their_values() {
        let base =
            r#"[{"table": "s.cart_line", "row": {"id": "a", "sku": "sku-1", "quantity": "2"}}]"#;
        let same = r#"[{"table": "s.cart_line", "row": {"sku": "sku-1", "quantity": 2, "id": "a", "at": 3}}]"#;
        assert_eq!(values(base), values(same));
        let other = same.replace(": 2,", ": 3,");
        assert_ne!(values(base), values(&other));
        assert_ne!(values(base), values(""));
    }

    #[test]
    fn a_quantity_that_one_side_changed_is_no_conflict_of_quantities() {
        let of = |ours: &str| {
            let decision = serde_json::json!([{
                "column": "quantity", "base": "2", "ours": ours, "theirs": "5", "rule": "both"
            }]);
            both_changed_a_quantity(&decision.to_string())
        };
        assert!(of("3"));
        assert!(!of("2"));
        assert!(!both_changed_a_quantity("[]"));
    }
}

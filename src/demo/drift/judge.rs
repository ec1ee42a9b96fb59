//! The demo's own judge after the repair: what the old shop demands, with what the new shop's customers
//! wrote over it.

use std::collections::BTreeMap;

use super::cast::Known;
use super::injector::Drift;
use super::new_shop::{self, Written, Wrote};
use crate::demo::DemoError;
use crate::demo::comparison::{Comparison, Expected, Found, Line, compare_with};
use crate::params;
use crate::target::session::Target;

#[derive(Debug, Clone, Default)]
pub struct Judgement {
    pub comparison: Comparison,
    /// Carts of which something that the new shop's customers wrote is not there.
    pub new_backend_lost: i64,
}

impl Judgement {
    pub fn all_well(&self) -> bool {
        self.comparison.all_well() && self.new_backend_lost == 0
    }
}

/// Judges both shops, to which nobody writes any more.
pub async fn judge(
    old: &Target,
    new: &Target,
    injected: &BTreeMap<i64, Drift>,
    carts: &[Known],
    written: &Written,
) -> Result<Judgement, DemoError> {
    let mut places = BTreeMap::new();
    for wrote in written.values() {
        for line in wrote.quantities.keys().chain(&wrote.gifts) {
            let place = "SELECT source_id FROM cart_line WHERE id = $1";
            if let Some(row) = new.first(place, params![line]).await? {
                places.insert(line.as_str(), row.get::<i64>(0)?);
            }
        }
    }
    let amend = |expected: &mut Expected, found: &Found| {
        let order = expected.cart.metadata["order"].as_i64();
        let Some(order) = order else { return };
        if let Some(wrote) = written.get(&order) {
            overlay(order, expected, found, wrote, &places);
        }
        // How many writes made it whole again is the repair's matter.
        if injected.contains_key(&order) {
            expected.patches = Some(found.version);
        }
    };
    let mut comparison = compare_with(old, new, &amend).await?;
    let (new_backend_lost, example) = new_shop::lost(new, carts, written).await?;
    comparison.examples.extend(example);
    Ok(Judgement {
        comparison,
        new_backend_lost,
    })
}

/// Lays what the new shop's customers wrote over what the old shop demands.
fn overlay(
    order: i64,
    expected: &mut Expected,
    found: &Found,
    wrote: &Wrote,
    places: &BTreeMap<&str, i64>,
) {
    expected.patches = expected.patches.map(|patches| patches + wrote.writes);
    let cart = &mut expected.cart;
    // Both shops set it, and who came later is told by the servers' clocks.
    cart.updated_at = found.cart.updated_at;
    cart.note = wrote.note.clone().or_else(|| cart.note.take());
    if let Some(region) = &wrote.region {
        cart.sales_region.clone_from(region);
    }
    if let Some((_, sku)) = &wrote.own {
        let there = found.cart.lines.iter().find(|line| line.sku == *sku);
        let own = Line {
            source_id: -order,
            sku: sku.clone(),
            name: "A new article".to_owned(),
            quantity: 0,
            added_at: there.map_or(0, |line| line.added_at),
            unit_minor: 100,
            line_minor: 0,
            options: None,
            gift: false,
        };
        cart.lines.insert(0, own);
    }
    for line in &mut cart.lines {
        let is = |id: &str| places.get(id) == Some(&line.source_id);
        if let Some((_, quantity)) = wrote.quantities.iter().find(|(id, _)| is(id)) {
            line.quantity = *quantity;
            line.line_minor = line.unit_minor * quantity;
        }
        line.gift |= wrote.gifts.iter().any(|id| is(id));
    }
    cart.item_count = cart.lines.iter().map(|line| line.quantity).sum();
    cart.item_total = cart.lines.iter().map(|line| line.line_minor).sum();
}

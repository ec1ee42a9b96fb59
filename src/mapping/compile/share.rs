//! Whether two carts could give one target row: each target row belongs to one cart.

use crate::cart::layout::Layout;
use crate::mapping::plan::Into;

/// A target key that holds the key of the source row, or that of its cart, is no other cart's: a
/// source row belongs to one cart. Of another key nothing is known.
pub(super) fn mark(layout: &Layout, intos: &mut [Into]) {
    let fed_twice: Vec<bool> = intos
        .iter()
        .map(|into| {
            let same = |other: &Into| {
                (&other.schema, &other.table) == (&into.schema, &into.table)
                    && other.per != into.per
            };
            intos.iter().any(same)
        })
        .collect();
    for (into, fed_twice) in intos.iter_mut().zip(fed_twice) {
        into.shareable = fed_twice || !holds_own_key(layout, into);
    }
}

fn holds_own_key(layout: &Layout, into: &Into) -> bool {
    let (mut own, mut header) = (Vec::new(), Vec::new());
    for column in &into.key {
        column.expr.holds(&column.ty, &mut |table, column| {
            if table == into.per {
                own.push(column);
            }
            if table == Layout::HEADER {
                header.push(column);
            }
        });
    }
    let table = &layout.tables[into.per];
    let all = |columns: &[usize], held: &[usize]| {
        !columns.is_empty() && columns.iter().all(|c| held.contains(c))
    };
    let names_cart = |columns: &Option<Vec<usize>>, held: &[usize]| {
        columns.as_ref().is_some_and(|columns| all(columns, held))
    };
    all(&table.key, &own)
        || names_cart(&table.cart, &own)
        || names_cart(&layout.header().cart, &header)
}

//! Reading whole carts in one short snapshot: their rows become images.

use chrono::{DateTime, NaiveDateTime, Utc};

use crate::cart::image::{Image, Row};
use crate::cart::key::CartKey;
use crate::cart::layout::{Layout, Table};
use crate::hash::HashMap;
use crate::lanes::item::Read;
use crate::source::change::Position;
use crate::source::{AskError, Source};
use crate::switch::{self, Mutant};

/// Reads these carts whole, in the open snapshot. Returns the number of rows too.
pub async fn carts(
    source: &Source,
    layout: &Layout,
    changed_at: Option<usize>,
    carts: &[CartKey],
) -> Result<(Vec<Read>, u64), AskError> {
    let keys: Vec<Vec<String>> = carts.iter().filter_map(CartKey::values).collect();
    if keys.is_empty() {
        return Ok((Vec::new(), 0));
    }
    let now = Utc::now().timestamp_micros();
    let mut images: HashMap<CartKey, Image> = HashMap::default();
    images.reserve(carts.len());
    let mut rows = 0;
    // Parents come before their children, so that children find their cart.
    let mut owners: HashMap<(usize, CartKey), CartKey> = HashMap::default();
    let leads: Vec<bool> = (0..layout.tables.len())
        .map(|table| leads(layout, table))
        .collect();
    for table in parents_first(layout) {
        let this = &layout.tables[table];
        if this.is_made() {
            continue;
        }
        let found = source.rows(layout, table, &keys).await?;
        rows += found.len() as u64;
        for cells in found {
            let cart = match (&this.cart, &this.parent) {
                (Some(columns), _) => this.cart_key(&cells, columns),
                (None, Some((Layout::HEADER, by))) => this.cart_key(&cells, by),
                (None, Some((parent, by))) => this
                    .cart_key(&cells, by)
                    .and_then(|key| owners.get(&(*parent, key)).cloned()),
                (None, None) => None,
            };
            let Some(cart) = cart else { continue };
            if leads[table]
                && let Some(key) = this.cart_key(&cells, &this.key)
            {
                owners.insert((table, key), cart.clone());
            }
            let stamp = now;
            let image = images.entry(cart).or_insert_with(|| Image::empty(layout));
            if layout.carrier() == Some(table) {
                let cells = layout.made_header(&cells);
                image.put(layout, Layout::HEADER, Row { cells, stamp });
            }
            image.put(layout, table, Row { cells, stamp });
        }
    }
    let reads = carts
        .iter()
        .map(|cart| {
            let mut image = images.remove(cart).filter(|i| i.header().is_some());
            let stamp = image
                .as_ref()
                .filter(|_| !switch::mutant(Mutant::ChangedAtUnread))
                .and_then(|image| {
                    let dated = image.tables[layout.dated_in()].iter();
                    let text = |row: &Row| row.cells.get(changed_at?)?.text().and_then(moment);
                    dated.filter_map(text).max()
                })
                .unwrap_or(now);
            if let Some(image) = &mut image {
                for row in image.tables.iter_mut().flatten() {
                    row.stamp = stamp;
                }
            }
            Read {
                cart: cart.clone(),
                image,
                at: Position::default(),
                stamp,
                repair: None,
            }
        })
        .collect();
    Ok((reads, rows))
}

/// Rows of some table find their cart by a row of this one.
fn leads(layout: &Layout, table: usize) -> bool {
    let by_it = |t: &Table| t.cart.is_none() && t.parent.as_ref().is_some_and(|p| p.0 == table);
    table != Layout::HEADER && layout.tables.iter().any(by_it)
}

fn parents_first(layout: &Layout) -> Vec<usize> {
    let depth = |mut table: usize| {
        let mut depth = 0;
        while let Some((parent, _)) = &layout.tables[table].parent {
            if *parent == table || depth > layout.tables.len() {
                break;
            }
            table = *parent;
            depth += 1;
        }
        depth
    };
    let mut order: Vec<usize> = (0..layout.tables.len()).collect();
    order.sort_by_key(|&table| (table != Layout::HEADER, depth(table)));
    order
}

/// A timestamp's text in microseconds since 1970 UTC; none for infinity and dates beyond reach.
fn moment(text: &str) -> Option<i64> {
    let aware = ["%Y-%m-%d %H:%M:%S%.f%#z"]
        .iter()
        .find_map(|f| DateTime::parse_from_str(text, f).ok())
        .map(|t| t.timestamp_micros());
    aware.or_else(|| {
        NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f")
            .ok()
            .map(|t| t.and_utc().timestamp_micros())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_read_with_and_without_a_zone() {
        assert_eq!(moment("1970-01-01 00:00:01.5+00"), Some(1_500_000));
        assert_eq!(moment("1970-01-01 00:00:01"), Some(1_000_000));
        assert_eq!(moment("infinity"), None);
    }
}

//! Carts without a header row: one begins with the first row of its carrier and ends with the last.

use super::rows::complete;
use super::{At, Folding, Rules};
use crate::cart::image::{Cell, Cells, Image, Life, Row};
use crate::cart::key::CartKey;
use crate::cart::layout::Layout;
use crate::cart::owner::Wish;
use crate::switch::{Mutant, mutant};

/// A row of the carrier, for a cart that has no live image. Nothing says that it is the cart's first:
/// others may stand in the source that the log told of before anyone listened. But a cart whose last
/// row is gone has none.
pub(super) fn appear(rules: &Rules<'_>, cart: &mut Folding, at: At, row: Cells) {
    let whole = !row.contains(&Cell::Missing);
    let image = begun(rules.layout, at, row);
    match lives(rules, &image) {
        Some(false) => {}
        Some(true) if whole && (is_empty(rules.layout, cart) || mutant(Mutant::TrustBirths)) => {
            begin(cart, at, image);
        }
        _ => {
            cart.wish = Some(match cart.image {
                None => Wish::BornUnproved,
                Some(_) => Wish::BecameLive,
            });
        }
    }
}

/// A row of the carrier that comes from another cart, with what hangs below it, for a cart that has
/// no live image. It has at least that row, whatever a read finds besides.
pub(super) fn arrive(
    rules: &Rules<'_>,
    cart: &mut Folding,
    at: At,
    from: &CartKey,
    [old, new]: [&Cells; 2],
    taken: Vec<(usize, Row)>,
) {
    let known = taken.first().map(|(_, row)| row);
    let Some(cells) = complete(new.clone(), known, Some(old.as_ref())) else {
        cart.wish = Some(Wish::Toast);
        return;
    };
    let mut image = begun(rules.layout, at, cells);
    for (table, row) in taken.into_iter().skip(1) {
        image.put(rules.layout, table, row);
    }
    match lives(rules, &image) {
        Some(false) => {}
        Some(true) => {
            let whole = is_empty(rules.layout, cart);
            begin(cart, at, image);
            cart.heir_of = Some(from.clone());
            if !whole && !mutant(Mutant::ArrivalUnread) {
                cart.wish = Some(Wish::Arrival);
            }
        }
        None => cart.wish = Some(Wish::BecameLive),
    }
}

/// Whether the cart would have no row of its carrier without this one, as far as is known: one that
/// waits to be read may turn out to have more.
pub(super) fn is_last(layout: &Layout, cart: &Folding, table: usize, row: &[Cell]) -> bool {
    let holds =
        |image: &Image| image.tables[table].len() == 1 && image.row(layout, table, row).is_some();
    let carries = layout.carrier() == Some(table) && !mutant(Mutant::HeaderIsARow);
    carries && cart.lives() && cart.image.as_ref().is_some_and(holds)
}

/// The last row of the carrier goes, and with it the cart. The image keeps the row: what `deleted`
/// leaves in the target is the cart as it last was.
pub(super) fn end(cart: &mut Folding, at: At, table: usize) {
    let Some(image) = &mut cart.image else { return };
    let last = image.tables[table].iter();
    let last = last.map(|row| (table, row.cells.clone(), at.time));
    cart.removed.extend(last);
    image.life = Life::Deleted { stamp: at.time };
    cart.time = Some(at.time);
    cart.touched = true;
}

fn begun(layout: &Layout, at: At, cells: Cells) -> Image {
    let mut image = Image::empty(layout);
    let stamp = at.time;
    let header = layout.made_header(&cells);
    image.put(
        layout,
        Layout::HEADER,
        Row {
            cells: header,
            stamp,
        },
    );
    if let Some(carrier) = layout.carrier() {
        image.put(layout, carrier, Row { cells, stamp });
    }
    image
}

/// Whether the cart of this key is live; none where that takes more than its key.
fn lives(rules: &Rules<'_>, image: &Image) -> Option<bool> {
    match rules.live_reads.contains(&true) {
        true => None,
        false => (rules.live)(image).ok(),
    }
}

/// The source has no row of it: it is known to have ended with its last, and since then a row would
/// have begun it again. Of other tables there could be rows that were let go.
fn is_empty(layout: &Layout, cart: &Folding) -> bool {
    let alone = layout
        .carrier()
        .is_some_and(|at| at + 1 == layout.tables.len());
    let over = |image: &Image| matches!(image.life, Life::Deleted { .. });
    alone && cart.image.as_ref().is_some_and(over)
}

fn begin(cart: &mut Folding, at: At, image: Image) {
    cart.came_back |= cart.image.is_some();
    cart.image = Some(image);
    cart.fault = None;
    cart.time = Some(at.time);
    cart.touched = true;
}

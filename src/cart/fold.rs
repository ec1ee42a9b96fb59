//! How changes alter images: the old image and the changes of a cart give the new image.
//!
//! A cart that has no complete image lets its changes go: either it is not live, or it will be
//! read whole from the source by a snapshot that sees them.

mod headless;
mod life;
mod rows;
mod transfer;

use super::image::{Cell, Cells, Image, Life, Row};
use super::key::CartKey;
use super::layout::Layout;
use super::owner::{Action, Routed, Wish};
use crate::hash::HashMap;
use crate::source::change::Position;
use crate::switch::{self, Mutant};
use life::{arrive, judge};
use rows::complete;
use transfer::transfer;

/// What folding must know of the mapping.
pub struct Rules<'a> {
    pub layout: &'a Layout,
    /// Whether the cart of this image is live; the message says why that cannot be told.
    pub live: &'a dyn Fn(&Image) -> Result<bool, String>,
    /// Tables other than the header that `live` names.
    pub live_reads: &'a [bool],
    /// A header's insert in the log proves that no child of it passed before.
    pub trusted_births: bool,
}

/// One cart while changes are folded into it.
#[derive(Clone, Debug)]
pub struct Folding {
    /// None: cartage knows nothing of it.
    pub image: Option<Image>,
    /// Changes up to here are in the image already.
    pub position: Position,
    /// It waits to be read whole; until then its changes are let go.
    pub wish: Option<Wish>,
    /// The new backend has finished with it: changes are only counted.
    pub handed_over: bool,
    /// It had ended and was found alive again, whatever became of it since.
    pub came_back: bool,
    /// The cart that it was before its header's key changed.
    pub heir_of: Option<CartKey>,
    pub late: u64,
    /// Why `live` cannot be evaluated.
    pub fault: Option<String>,
    /// Rows removed on the way, with the commit time of their removal.
    pub removed: Vec<(usize, Cells, i64)>,
    /// Commit time of the last change that altered something.
    pub time: Option<i64>,
    /// A row of it passed before its header: an INSERT of both in one statement may log it first.
    pub let_go: bool,
    /// Whether anything at all happened to it, if only that it was let go.
    pub touched: bool,
}

impl Folding {
    pub fn new(image: Option<Image>, position: Position) -> Self {
        Self {
            image,
            position,
            wish: None,
            handed_over: false,
            came_back: false,
            heir_of: None,
            late: 0,
            fault: None,
            removed: Vec::new(),
            time: None,
            let_go: false,
            touched: false,
        }
    }

    /// Its image is complete and the cart is live, so that changes can be put into it.
    fn whole(&self) -> bool {
        self.wish.is_none()
            && !self.handed_over
            && matches!(&self.image, Some(image) if image.life == Life::Live)
    }

    /// It has rows in the target, complete or not.
    fn lives(&self) -> bool {
        !self.handed_over && matches!(&self.image, Some(image) if image.life == Life::Live)
    }

    /// What its life was before it came to what it is now: a cart that ends again has lived since.
    pub fn was(&self, before: Option<Life>, now: Life) -> Option<Life> {
        let again = match (before, now) {
            (Some(Life::Ended { stamp }), Life::Ended { stamp: later }) => stamp != later,
            _ => false,
        };
        match self.came_back || again {
            true => Some(Life::Live),
            false => before,
        }
    }

    fn holds(&self, layout: &Layout, table: usize, cells: &[Cell]) -> bool {
        let image = self.image.as_ref();
        image.is_some_and(|image| image.row(layout, table, cells).is_some())
    }

    fn skips(&self, position: Position) -> bool {
        position <= self.position
            || switch::mutant(Mutant::SkipCommit) && position.lsn <= self.position.lsn
    }
}

/// Carts by key while a batch is folded.
pub type Foldings = HashMap<CartKey, Folding>;

/// Applies one change. Every cart that it names must be in `carts`.
pub fn apply(rules: &Rules<'_>, carts: &mut Foldings, change: Routed) {
    let Routed {
        position,
        time,
        action,
        ..
    } = change;
    let at = At { position, time };
    match action {
        Action::Move {
            from,
            to,
            table,
            old,
            new,
        } => transfer(rules, carts, at, [from, to], table, old, new),
        Action::Put {
            cart,
            table,
            old,
            new,
            insert,
        } => one(carts, &cart, at, |c| {
            put(rules, c, at, table, old, new, insert)
        }),
        Action::Remove { cart, table, old } => {
            passing(carts, &cart, at, |c| remove(rules, c, at, table, &old));
        }
        Action::Clear { cart, tables } => {
            passing(carts, &cart, at, |c| clear(rules, c, at, &tables));
        }
        // Never done already: it is no change, but what follows from one.
        Action::Refresh { cart, why } => {
            if let Some(cart) = carts.get_mut(&cart).filter(|c| !c.handed_over) {
                cart.wish = cart.wish.or(Some(why));
            }
        }
        Action::Touch { cart, .. } => {
            if let Some(cart) = carts.get_mut(&cart) {
                cart.touched = true;
                // It may be held because `live` could not be told.
                let header = cart.image.as_ref().and_then(Image::header);
                let time = header.map_or(time, |row| row.stamp);
                if cart.lives() && cart.wish.is_none() {
                    judge(rules, cart, At { position, time });
                }
            }
        }
    }
}

#[derive(Clone, Copy)]
struct At {
    position: Position,
    time: i64,
}

fn one(carts: &mut Foldings, key: &CartKey, at: At, change: impl FnOnce(&mut Folding)) {
    let Some(cart) = carts.get_mut(key) else {
        return;
    };
    if cart.skips(at.position) {
        return;
    }
    cart.position = at.position;
    if cart.handed_over {
        cart.late += 1;
        cart.touched = true;
    } else if cart.wish.is_none() {
        change(cart);
    }
}

/// The same for a row that leaves or moves: a target row has one owner, so it leaves even a cart that
/// waits to be read anew.
fn passing(carts: &mut Foldings, key: &CartKey, at: At, change: impl FnOnce(&mut Folding)) {
    let wish = carts.get_mut(key).and_then(|cart| cart.wish.take());
    let mut wished = wish;
    one(carts, key, at, |cart| {
        cart.wish = wished.take();
        change(cart);
    });
    if let Some(cart) = carts.get_mut(key) {
        cart.wish = cart.wish.or(wish);
    }
}

fn put(
    rules: &Rules<'_>,
    cart: &mut Folding,
    at: At,
    table: usize,
    old: Option<Cells>,
    new: Cells,
    insert: bool,
) {
    if table == Layout::HEADER && !cart.whole() {
        arrive(rules, cart, at, new, insert);
        return;
    }
    if rules.layout.carrier() == Some(table) && !cart.whole() {
        headless::appear(rules, cart, at, new);
        return;
    }
    if !cart.whole() {
        cart.let_go |= cart.image.is_none();
        if rules.live_reads[table] {
            cart.wish = Some(Wish::BecameLive);
        }
        return;
    }
    let Some(image) = &mut cart.image else { return };
    let order = &rules.layout.tables[table];
    let before = old.as_deref().unwrap_or(&new);
    let Some(cells) = complete(
        new.clone(),
        image.row(rules.layout, table, before),
        old.as_deref(),
    ) else {
        cart.wish = Some(Wish::Toast);
        return;
    };
    let mut changed = switch::mutant(Mutant::SavesAreChanges);
    if order.compare_keys(before, &cells).is_ne() && !switch::mutant(Mutant::KeysStay) {
        changed |= image.remove(rules.layout, table, before).is_some();
    }
    let stamp = at.time;
    changed |= image.put(rules.layout, table, Row { cells, stamp });
    if changed {
        cart.time = Some(at.time);
        cart.touched = true;
    }
    if table == Layout::HEADER || rules.live_reads[table] {
        judge(rules, cart, at);
    }
}

fn remove(rules: &Rules<'_>, cart: &mut Folding, at: At, table: usize, old: &[Cell]) {
    if table == Layout::HEADER && !switch::mutant(Mutant::HeaderIsARow) {
        if let Some(image) = &mut cart.image
            && !matches!(image.life, Life::Deleted { .. })
        {
            // One action for all rows, whatever the log says of the others.
            image.life = Life::Deleted { stamp: at.time };
            cart.time = Some(at.time);
            cart.touched = true;
        }
        return;
    }
    if !cart.lives() {
        // What an ended cart has left is not known, and with its last row it is gone.
        let ended = matches!(&cart.image, Some(image) if matches!(image.life, Life::Ended { .. }));
        if rules.live_reads[table] || ended && rules.layout.carrier() == Some(table) {
            cart.wish = cart.wish.or(Some(Wish::BecameLive));
        }
        return;
    }
    if headless::is_last(rules.layout, cart, table, old) {
        headless::end(cart, at, table);
        return;
    }
    for (table, row) in cart.take(rules.layout, table, old) {
        cart.removed.push((table, row.cells, at.time));
        cart.time = Some(at.time);
        cart.touched = true;
    }
    if rules.live_reads[table] && cart.whole() {
        judge(rules, cart, at);
    }
}

/// All rows of these tables are gone: as if each had been deleted.
fn clear(rules: &Rules<'_>, cart: &mut Folding, at: At, tables: &[usize]) {
    for &table in tables {
        let rows = cart
            .image
            .as_ref()
            .and_then(|image| image.tables.get(table));
        for row in rows.cloned().unwrap_or_default() {
            remove(rules, cart, at, table, &row.cells);
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;

//! Moves: a row leaves one cart for another, or the header's key changes and with it the cart.

use std::sync::Arc;

use super::headless;
use super::life::{arrive, judge};
use super::rows::complete;
use super::{At, Folding, Foldings, Rules, one, passing};
use crate::cart::image::{Cell, Cells, Image, Life, Row};
use crate::cart::key::CartKey;
use crate::cart::layout::{Layout, Table};
use crate::cart::owner::Wish;
use crate::switch::{self, Mutant};

/// The row that left one cart, with all below it, enters the other.
pub(super) fn transfer(
    rules: &Rules<'_>,
    carts: &mut Foldings,
    at: At,
    [from, to]: [CartKey; 2],
    table: usize,
    old: Cells,
    new: Cells,
) {
    let layout = rules.layout;
    let mut taken = Vec::new();
    if table == Layout::HEADER {
        let finished = carts.get(&from).is_some_and(|c| c.handed_over);
        if finished && finish(carts, at, &from, &to) {
            return;
        }
        one(carts, &from, at, |cart| {
            if cart.whole()
                && let Some(image) = &mut cart.image
            {
                for (table, rows) in image.tables.iter().enumerate() {
                    taken.extend(rows.iter().map(|row| (table, row.clone())));
                }
                image.life = Life::Deleted { stamp: at.time };
                cart.time = Some(at.time);
                cart.touched = true;
            }
        });
        one(carts, &to, at, |cart| {
            rekeyed(rules, cart, at, &taken, &old, new);
            cart.heir_of = Some(from);
        });
        return;
    }
    let carries = layout.carrier() == Some(table);
    let finished = carts.get(&from).is_some_and(|c| c.handed_over);
    // One that waits to be read has rows of its own.
    let unread = carts.get(&to).is_some_and(|c| c.wish.is_some());
    if carries && finished && !unread && finish(carts, at, &from, &to) {
        return;
    }
    // A target row has one owner: the row leaves its cart even where that waits to be read anew. An
    // ended cart's row is given up where it arrives; if it does not arrive now, by a read.
    let arrives = carts.get(&to).is_some_and(Folding::lives);
    let mut complete_below = true;
    passing(carts, &from, at, |cart| {
        if cart.lives() {
            complete_below = cart.whole();
            if headless::is_last(layout, cart, table, &old) {
                taken = cart.clone().take(layout, table, &old);
                headless::end(cart, at, table);
                return;
            }
            taken = match switch::mutant(Mutant::MoveStays) {
                true => Vec::new(),
                false => cart.take(layout, table, &old),
            };
            for (table, row) in &taken {
                cart.removed.push((*table, row.cells.clone(), at.time));
            }
            cart.time = Some(at.time);
            cart.touched = true;
            if rules.live_reads[table] && cart.whole() {
                judge(rules, cart, at);
            }
        } else if rules.live_reads[table] || !arrives && cart.holds(layout, table, &old) {
            cart.wish = cart.wish.or(Some(Wish::BecameLive));
        }
    });
    passing(carts, &to, at, |cart| {
        if !cart.lives() {
            cart.let_go |= cart.image.is_none();
            if carries && cart.wish.is_none() {
                let taken = std::mem::take(&mut taken);
                headless::arrive(rules, cart, at, &from, [&old, &new], taken);
            } else if rules.live_reads[table] {
                cart.wish = cart.wish.or(Some(Wish::BecameLive));
            }
            return;
        }
        let Some(cells) = complete(new, taken.first().map(|(_, row)| row), Some(&old)) else {
            cart.wish = cart.wish.or(Some(Wish::Toast));
            return;
        };
        // Without the row's complete former image, what hangs below it is not known.
        let has_children = layout.children(table).next().is_some();
        let proved = !taken.is_empty() && complete_below;
        if has_children && !proved && !switch::mutant(Mutant::ArrivalUnread) {
            cart.wish = cart.wish.or(Some(Wish::Arrival));
        }
        let Some(image) = &mut cart.image else { return };
        let stamp = at.time;
        image.put(layout, table, Row { cells, stamp });
        // What is there already is newer: it was read after the move, or the log put it there. The
        // rows that come along may be old, where a change of theirs had no known owner.
        for (table, row) in taken.drain(..).skip(1) {
            if image.row(layout, table, &row.cells).is_none() {
                image.put(layout, table, row);
            }
        }
        cart.time = Some(at.time);
        cart.touched = true;
        if rules.live_reads[table] && cart.whole() {
            judge(rules, cart, at);
        }
    });
}

/// A cart that the new backend has finished with is the same cart under its new key. False where
/// another one lives there.
fn finish(carts: &mut Foldings, at: At, from: &CartKey, to: &CartKey) -> bool {
    let Some(heir) = carts.get_mut(to).filter(|c| !c.lives()) else {
        return false;
    };
    if !heir.skips(at.position) {
        heir.handed_over = true;
        heir.wish = None;
    }
    for key in [from, to] {
        one(carts, key, at, |_| ());
    }
    true
}

/// The header of `taken` has a new key: the same rows begin another cart.
fn rekeyed(
    rules: &Rules<'_>,
    cart: &mut Folding,
    at: At,
    taken: &[(usize, Row)],
    old: &[Cell],
    new: Cells,
) {
    let header = taken.iter().find(|(table, _)| *table == Layout::HEADER);
    let cells = match header {
        Some((_, row)) if cart.image.is_none() => complete(new.clone(), Some(row), Some(old)),
        _ => None,
    };
    let Some(cells) = cells else {
        arrive(rules, cart, at, new, false);
        return;
    };
    let before = header.map(|(_, row)| row.cells.clone()).unwrap_or_default();
    let mut image = Image::empty(rules.layout);
    for (table, row) in taken {
        let mut row = row.clone();
        if *table != Layout::HEADER {
            follow(rules.layout, *table, &mut row.cells, &before, &cells);
            image.put(rules.layout, *table, row);
        }
    }
    let stamp = at.time;
    image.put(rules.layout, Layout::HEADER, Row { cells, stamp });
    cart.image = Some(image);
    cart.time = Some(at.time);
    cart.touched = true;
    judge(rules, cart, at);
}

/// Gives a child that named its cart by the old key the new one, as the source's cascade does.
fn follow(layout: &Layout, table: usize, cells: &mut Cells, before: &[Cell], after: &[Cell]) {
    let this: &Table = &layout.tables[table];
    let columns = match (&this.cart, &this.parent) {
        (Some(columns), _) => columns,
        (None, Some((Layout::HEADER, by))) => by,
        _ => return,
    };
    let Some(key) = &layout.header().cart else {
        return;
    };
    for (&column, &key) in columns.iter().zip(key) {
        if this.agrees(cells, &[column], layout.header(), before, &[key]) {
            Arc::make_mut(cells)[column] = after[key].clone();
        }
    }
}

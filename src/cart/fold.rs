//! How changes alter images: the old image and the changes of a cart give the new image.
//!
//! A cart that has no complete image lets its changes go: either it is not live, or it will be
//! read whole from the source by a snapshot that sees them.

use std::collections::HashMap;

use super::image::{Cell, Cells, Image, Life, Row};
use super::key::CartKey;
use super::layout::{Layout, Table};
use super::owner::{Action, Routed, Wish};
use crate::source::change::Position;

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

    fn skips(&self, position: Position) -> bool {
        position <= self.position
    }

    /// Takes a row and all that hangs below it out of the image.
    fn take(&mut self, layout: &Layout, table: usize, key_of: &[Cell]) -> Vec<(usize, Row)> {
        let mut taken = Vec::new();
        let Some(image) = &mut self.image else {
            return taken;
        };
        if let Some(row) = image.remove(layout, table, key_of) {
            take_below(layout, image, table, &row.cells, &mut taken);
            taken.insert(0, (table, row));
        }
        taken
    }
}

fn take_below(
    layout: &Layout,
    image: &mut Image,
    table: usize,
    parent: &[Cell],
    taken: &mut Vec<(usize, Row)>,
) {
    let key = &layout.tables[table].key;
    for (child, by) in layout.children(table) {
        let hangs = |row: &Row| {
            let names = |(&b, &k): (&usize, &usize)| {
                let named = layout.tables[child].key_text(b, &row.cells[b]);
                named.is_some() && named == layout.tables[table].key_text(k, &parent[k])
            };
            by.len() == key.len() && by.iter().zip(key).all(names)
        };
        let (gone, stay): (Vec<Row>, Vec<Row>) = std::mem::take(&mut image.tables[child])
            .into_iter()
            .partition(hangs);
        image.tables[child] = stay;
        for row in gone {
            // A self-parent's children may hang below each other.
            take_below(layout, image, child, &row.cells, taken);
            taken.push((child, row));
        }
    }
}

impl Image {
    fn find(&self, layout: &Layout, table: usize, cells: &[Cell]) -> Result<usize, usize> {
        let order = &layout.tables[table];
        // The image of a cart that has nothing has no tables either.
        let rows = self.tables.get(table).ok_or(0usize)?;
        rows.binary_search_by(|row| order.compare_keys(&row.cells, cells))
    }

    pub fn row(&self, layout: &Layout, table: usize, key_of: &[Cell]) -> Option<&Row> {
        let at = self.find(layout, table, key_of).ok()?;
        self.tables[table].get(at)
    }

    fn remove(&mut self, layout: &Layout, table: usize, key_of: &[Cell]) -> Option<Row> {
        let at = self.find(layout, table, key_of).ok()?;
        Some(self.tables[table].remove(at))
    }

    /// Puts a row under its key; the stamp of an equal row stays. True if something changed.
    pub fn put(&mut self, layout: &Layout, table: usize, row: Row) -> bool {
        match self.find(layout, table, &row.cells) {
            Ok(at) if self.tables[table][at].cells == row.cells => false,
            Ok(at) => {
                self.tables[table][at] = row;
                true
            }
            Err(at) => {
                self.tables[table].insert(at, row);
                true
            }
        }
    }

    /// Gives rows that are equal in `before` the stamp that they have there.
    pub fn keep_stamps(&mut self, layout: &Layout, before: &Image) {
        for (table, rows) in self.tables.iter_mut().enumerate() {
            for row in rows {
                if let Some(known) = before.row(layout, table, &row.cells)
                    && known.cells == row.cells
                {
                    row.stamp = known.stamp;
                }
            }
        }
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
        Action::Touch { cart } => {
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
    let mut changed = false;
    if order.compare_keys(before, &cells).is_ne() {
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

/// A header row of a cart that has no live image.
fn arrive(rules: &Rules<'_>, cart: &mut Folding, at: At, new: Cells, insert: bool) {
    let mut image = Image::empty(rules.layout);
    let incomplete = new.contains(&Cell::Missing);
    image.put(
        rules.layout,
        Layout::HEADER,
        Row {
            cells: new,
            stamp: at.time,
        },
    );
    let reads_others = rules.live_reads.iter().any(|&reads| reads);
    let live = if incomplete || reads_others && !insert {
        // It can only be told from the whole cart.
        Ok(true)
    } else {
        (rules.live)(&image)
    };
    match live {
        Ok(false) => {}
        // A key seen before may have left rows that the log no longer tells of.
        Ok(true) if cart.image.is_some() || !insert || incomplete => {
            cart.wish = Some(Wish::BecameLive);
        }
        Ok(true) if !rules.trusted_births || cart.let_go => cart.wish = Some(Wish::BornUnproved),
        Ok(true) => {
            cart.image = Some(image);
            cart.time = Some(at.time);
            cart.touched = true;
        }
        Err(why) => {
            if !insert || cart.image.is_some() || cart.let_go || !rules.trusted_births {
                cart.wish = Some(Wish::BecameLive);
            }
            cart.image = Some(image);
            cart.fault = Some(why);
            cart.touched = true;
        }
    }
}

fn remove(rules: &Rules<'_>, cart: &mut Folding, at: At, table: usize, old: &[Cell]) {
    if table == Layout::HEADER {
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
        if rules.live_reads[table] {
            cart.wish = cart.wish.or(Some(Wish::BecameLive));
        }
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

/// Ends the cart if it is no longer live.
fn judge(rules: &Rules<'_>, cart: &mut Folding, at: At) {
    let Some(image) = &mut cart.image else { return };
    match (rules.live)(image) {
        Ok(true) => cart.fault = None,
        Ok(false) => {
            image.life = Life::Ended { stamp: at.time };
            cart.fault = None;
            cart.time = Some(at.time);
            cart.touched = true;
        }
        Err(why) => {
            cart.fault = Some(why);
            cart.touched = true;
        }
    }
}

/// The row that left one cart, with all below it, enters the other.
fn transfer(
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
        });
        return;
    }
    // A target row has one owner: the row leaves its cart even where that waits to be read anew.
    let mut complete_below = true;
    passing(carts, &from, at, |cart| {
        if cart.lives() {
            complete_below = cart.whole();
            taken = cart.take(layout, table, &old);
            for (table, row) in &taken {
                cart.removed.push((*table, row.cells.clone(), at.time));
            }
            cart.time = Some(at.time);
            cart.touched = true;
            if rules.live_reads[table] && cart.whole() {
                judge(rules, cart, at);
            }
        } else if rules.live_reads[table] {
            cart.wish = cart.wish.or(Some(Wish::BecameLive));
        }
    });
    passing(carts, &to, at, |cart| {
        if !cart.lives() {
            if rules.live_reads[table] {
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
        if has_children && (taken.is_empty() || !complete_below) {
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
        let named = this.key_text(column, &cells[column]);
        if named.is_some() && named == layout.header().key_text(key, &before[key]) {
            cells[column] = after[key].clone();
        }
    }
}

/// Fills what the log did not carry from the row as we know it, else from the full old row.
fn complete(mut new: Cells, known: Option<&Row>, old: Option<&[Cell]>) -> Option<Cells> {
    for (i, cell) in new.iter_mut().enumerate() {
        if *cell == Cell::Missing {
            *cell = known
                .map(|row| &row.cells[i])
                .filter(|c| **c != Cell::Missing)
                .or_else(|| old.map(|old| &old[i]).filter(|c| **c != Cell::Missing))?
                .clone();
        }
    }
    Some(new)
}

#[cfg(test)]
pub(crate) mod tests;

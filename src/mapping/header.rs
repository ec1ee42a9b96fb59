//! The keys of a cart's header rows alone: what a target row is known by whose cart is not mapped.

use super::map::{Mapper, RowKey};
use super::plan::Role;
use super::row::{At, row_key};
use crate::cart::image::{Cell, Image, Row};
use crate::cart::key::CartKey;
use crate::cart::layout::Layout;
use crate::hash::HashSet;

/// A header row of the target, by its `[[into]]` and key.
pub type HeaderKey = (usize, RowKey);

impl Mapper {
    /// Those that the image gives, or that it knows of rows which an end has kept. What cannot be
    /// told is left out.
    pub fn header_keys(&self, image: &Image) -> Vec<HeaderKey> {
        let mut keys = Vec::new();
        for (index, into) in self.headers() {
            let rows = image.tables.get(into.per).into_iter().flatten();
            for row in rows {
                let at = At::from(self.env(image, row, row.stamp));
                keys.extend(row_key(into, &at, None).ok().map(|key| (index, key)));
            }
        }
        let ghosts = image.ghosts.iter().map(|g| (g.into, g.key.clone()));
        keys.extend(ghosts.filter(|(into, _)| self.mapping.intos[*into].role == Role::Header));
        keys
    }

    /// That of a cart of which nothing but its key is known; none where its header's key in the
    /// target is made of anything else.
    pub fn header_of(&self, cart: &CartKey) -> Option<HeaderKey> {
        let layout = self.layout();
        let (index, into) = self.headers().next()?;
        let header = layout.header();
        let mut read = HashSet::default();
        for key in &into.key {
            key.expr.reads(&mut |table, column| {
                read.insert((table, column));
            });
            if key.expr.calls_lookups() {
                return None;
            }
        }
        let is_key = |(table, column): &(usize, usize)| {
            *table == Layout::HEADER && header.key.contains(column)
        };
        if into.per != Layout::HEADER || !read.iter().all(is_key) {
            return None;
        }
        let values = cart.values()?;
        let mut cells = vec![Cell::Null; header.columns.len()];
        for (column, value) in header.key.iter().zip(&values) {
            *cells.get_mut(*column)? = Cell::Text(value.as_str().into());
        }
        let row = Row {
            cells: cells.into(),
            stamp: 0,
        };
        let image = Image::empty(layout);
        let at = At::from(self.env(&image, &row, 0));
        Some((index, row_key(into, &at, None).ok()?))
    }

    fn headers(&self) -> impl Iterator<Item = (usize, &super::plan::Into)> {
        let intos = self.mapping.intos.iter().enumerate();
        let headers = intos.filter(|(_, into)| into.role == Role::Header);
        headers.map(|(index, into)| (index, &**into))
    }
}

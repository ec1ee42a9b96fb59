//! What `deleted` makes of a living row that a merge takes out of its cart.

use std::sync::Arc;

use super::expr::{Env, bind};
use super::map::{Mapper, TargetRow};
use super::plan::Fate;
use crate::cart::image::{Cell, Cells, Image};

impl Mapper {
    /// The row with the columns that its `deleted` sets. None where it sets nothing, or where that
    /// cannot be told from this image.
    pub fn fated(&self, image: &Image, row: &TargetRow) -> Option<Cells> {
        let into = &self.mapping.intos[row.into];
        let Fate::Set(sets) = &into.deleted else {
            return None;
        };
        let (table, at) = row.origin?;
        let source = image.tables.get(table)?.get(at)?;
        let env = Env {
            layout: self.layout(),
            image,
            row: source,
            stamp: source.stamp,
            secret: &self.secret,
            time_zone: self.mapping.time_zone,
        };
        let mut cells = row.cells.clone();
        for (column, expr) in sets {
            let value = expr.evaluate(&env).ok()?;
            let ty = &into.columns[*column].ty;
            let text = bind(&value, ty, self.mapping.time_zone).ok()?;
            let cell = text.map_or(Cell::Null, |text| Cell::Text((*text).into()));
            Arc::make_mut(&mut cells)[*column] = cell;
        }
        Some(cells)
    }
}

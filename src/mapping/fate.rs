//! What `deleted` makes of a living row that a merge takes out of its cart.

use std::sync::Arc;

use super::expr::bind;
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
        row.origin?;
        let members = self.behind(image, row);
        let at = self.at(image, into, &members, members.first()?.row);
        let mut cells = row.cells.clone();
        for (column, expr) in sets {
            let value = expr.evaluate_shaped(&at.env, at.parts).ok()?;
            let ty = &into.columns[*column].ty;
            let text = bind(&value, ty, self.mapping.time_zone).ok()?;
            let cell = text.map_or(Cell::Null, |text| Cell::Text((*text).into()));
            Arc::make_mut(&mut cells)[*column] = cell;
        }
        Some(cells)
    }
}

//! The rows of an image by key: found, put, and taken out with all that hangs below them.

use super::Folding;
use crate::cart::image::{Cell, Cells, Image, Row};
use crate::cart::layout::Layout;
use crate::switch::{self, Mutant};

impl Folding {
    /// Takes a row and all that hangs below it out of the image.
    pub(super) fn take(
        &mut self,
        layout: &Layout,
        table: usize,
        key_of: &[Cell],
    ) -> Vec<(usize, Row)> {
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
    let above = &layout.tables[table];
    for (child, by) in layout.children(table) {
        let this = &layout.tables[child];
        let hangs = |row: &Row| this.agrees(&row.cells, by, above, parent, &above.key);
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
        self.tables[table].binary_search_by(|row| order.compare_keys(&row.cells, cells))
    }

    pub fn row(&self, layout: &Layout, table: usize, key_of: &[Cell]) -> Option<&Row> {
        let at = self.find(layout, table, key_of).ok()?;
        self.tables[table].get(at)
    }

    /// An ended cart stays as it was, but rows that have left it since may be another cart's by now.
    pub fn drop_rows_that_left(&mut self, layout: &Layout, now: &Image) {
        let children = self.tables.iter_mut().enumerate().skip(Layout::HEADER + 1);
        for (table, rows) in children {
            rows.retain(|row| now.row(layout, table, &row.cells).is_some());
        }
    }

    pub(super) fn remove(&mut self, layout: &Layout, table: usize, key_of: &[Cell]) -> Option<Row> {
        let at = self.find(layout, table, key_of).ok()?;
        Some(self.tables[table].remove(at))
    }

    /// Puts a row under its key; the stamp of an equal row stays. True if something changed.
    pub fn put(&mut self, layout: &Layout, table: usize, row: Row) -> bool {
        match self.find(layout, table, &row.cells) {
            Ok(at)
                if self.tables[table][at].cells == row.cells
                    && !switch::mutant(Mutant::SaveStamps) =>
            {
                false
            }
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
        if switch::mutant(Mutant::ReadStamps) {
            return;
        }
        self.moments.clone_from(&before.moments);
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

/// Fills what the log did not carry from the row as we know it, else from the full old row.
pub(super) fn complete(new: Cells, known: Option<&Row>, old: Option<&[Cell]>) -> Option<Cells> {
    if !new.contains(&Cell::Missing) {
        return Some(new);
    }
    let there = |cell: &&Cell| **cell != Cell::Missing;
    let known = |i: usize| known.map(|row| &row.cells[i]).filter(there);
    let old = |i: usize| old.map(|old| &old[i]).filter(there);
    let cells = new.iter().enumerate().map(|(i, cell)| {
        let cell = Some(cell).filter(there);
        cell.or_else(|| known(i)).or_else(|| old(i)).cloned()
    });
    cells.collect()
}

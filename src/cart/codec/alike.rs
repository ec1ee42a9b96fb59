//! Whether an image as the ledger keeps it holds what was read of a cart, without making an image of
//! it: of equal carts nothing else is asked.

use super::{Input, VERSION};
use crate::cart::image::{Cell, Image, Life};

/// Holds a live cart as it was read against the bytes of its image. Where both have the same rows, the
/// image that was read gets their stamps, which the ledger alone remembers. False of images that hold
/// anything beside rows, of other rows, and of what is damaged: these are to be read.
pub fn alike(bytes: &[u8], image: &mut Image) -> bool {
    let bare = image.moments.is_empty() && image.ghosts.is_empty() && image.answers.is_empty();
    if image.life != Life::Live || !bare || same_rows(bytes, image).is_none() {
        return false;
    }
    take_stamps(bytes, image).is_some()
}

fn same_rows(bytes: &[u8], image: &Image) -> Option<()> {
    let mut input = tables(bytes, image)?;
    for rows in &image.tables {
        holds(input.number().ok()? == rows.len() as u64)?;
        for row in rows {
            input.signed().ok()?;
            holds(input.number().ok()? == row.cells.len() as u64)?;
            for cell in &*row.cells {
                let kept = match input.size().ok()? {
                    0 => *cell == Cell::Null,
                    1 => *cell == Cell::Missing,
                    length => {
                        let text = input.take(length - 2)?;
                        matches!(cell, Cell::Text(cell) if cell.as_bytes() == text)
                    }
                };
                holds(kept)?;
            }
        }
    }
    // No ghosts, and nothing after them.
    holds(input.number().ok()? == 0 && input.0.is_empty())
}

/// Of an image with the same rows.
fn take_stamps(bytes: &[u8], image: &mut Image) -> Option<()> {
    let mut input = tables(bytes, image)?;
    for rows in &mut image.tables {
        input.number().ok()?;
        for row in rows {
            row.stamp = input.signed().ok()?;
            for _ in 0..input.number().ok()? {
                let length = input.size().ok()?.saturating_sub(2);
                input.take(length)?;
            }
        }
    }
    Some(())
}

/// The tables of a live cart, as many as the image has; none of other images.
fn tables<'a>(bytes: &'a [u8], image: &Image) -> Option<Input<'a>> {
    const LIVE: u8 = 0;
    let mut input = Input(bytes);
    holds(input.byte().ok()? == VERSION && input.byte().ok()? == LIVE)?;
    holds(input.number().ok()? == image.tables.len() as u64)?;
    Some(input)
}

fn holds(condition: bool) -> Option<()> {
    condition.then_some(())
}

impl<'a> Input<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }
}

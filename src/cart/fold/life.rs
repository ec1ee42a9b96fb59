//! The life of a cart in the log: its header arrives, and it ends where `live` no longer holds.

use super::{At, Folding, Rules};
use crate::cart::image::{Cell, Cells, Image, Life, Row};
use crate::cart::layout::Layout;
use crate::cart::owner::Wish;
use crate::switch::{self, Mutant};

/// A header row of a cart that has no live image.
pub(super) fn arrive(rules: &Rules<'_>, cart: &mut Folding, at: At, new: Cells, insert: bool) {
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
    let trust = switch::mutant(Mutant::TrustBirths);
    match live {
        Ok(false) => {}
        // A key seen before may have left rows that the log no longer tells of.
        Ok(true) if (cart.image.is_some() || !insert || incomplete) && !trust => {
            cart.wish = Some(Wish::BecameLive);
        }
        Ok(true) if (!rules.trusted_births || cart.let_go) && !trust => {
            cart.wish = Some(Wish::BornUnproved);
        }
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

/// Ends the cart if it is no longer live.
pub(super) fn judge(rules: &Rules<'_>, cart: &mut Folding, at: At) {
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

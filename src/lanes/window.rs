//! A window: while carts are read from the source, their changes are kept, in order.

use std::collections::HashMap;

use super::item::Read;
use crate::cart::key::CartKey;
use crate::cart::owner::{Action, Routed};
use crate::source::change::Position;
use crate::source::snapshot::Snapshot;
use crate::switch::{self, Bound, Mutant};

/// More kept changes, or more bytes of them, abort the window; its carts are read again later.
pub const MAX_KEPT: u64 = 100_000;
const MAX_KEPT_BYTES: usize = 32 << 20;

#[derive(Debug, Default)]
pub struct Window {
    /// Carts of the window; true for those that a move brought in, which are not read.
    members: HashMap<CartKey, bool>,
    kept: Vec<Routed>,
    bytes: usize,
}

impl Window {
    pub fn over(carts: Vec<CartKey>) -> Self {
        Self {
            members: carts.into_iter().map(|cart| (cart, false)).collect(),
            kept: Vec::new(),
            bytes: 0,
        }
    }

    /// Keeps the change if it concerns the window; else gives it back.
    pub fn keep(&mut self, change: Routed) -> Option<Routed> {
        let inside = change.action.carts().any(|c| self.members.contains_key(c));
        if !inside || switch::mutant(Mutant::WindowLetsPass) {
            return Some(change);
        }
        if let Action::Touch { .. } = change.action {
            // The read looks at the cart anyway.
            return None;
        }
        // A row moves into the window or out of it: the other cart joins.
        let joining = match switch::mutant(Mutant::MoveAlone) {
            true => None,
            false => Some(change.action.carts()),
        };
        for cart in joining.into_iter().flatten() {
            self.members.entry(cart.clone()).or_insert(true);
        }
        self.bytes += change.footprint();
        self.kept.push(change);
        None
    }

    /// No checkpoint may pass a kept change.
    pub fn first_kept(&self) -> Option<Position> {
        self.kept.first().map(|c| c.position)
    }

    pub fn overflows(&self) -> bool {
        let most = switch::bound(Bound::Kept, MAX_KEPT);
        let overflows = self.kept.len() as u64 > most || self.bytes > MAX_KEPT_BYTES;
        overflows && !switch::mutant(Mutant::WindowUnbounded)
    }

    pub fn members(&self) -> impl Iterator<Item = &CartKey> {
        self.members.keys()
    }

    pub fn has(&self, cart: &CartKey) -> bool {
        self.members.contains_key(cart)
    }

    /// Gives the kept changes up: those of carts with an image apply as if there had been no
    /// window, and the others are let go as they would have been.
    pub fn abandon(self) -> Vec<Routed> {
        match switch::mutant(Mutant::AbandonForgets) {
            true => Vec::new(),
            false => self.kept,
        }
    }

    /// What to apply on top of the reads. Changes that the snapshot saw are in the images already;
    /// where a cart joined that was not read, all are applied: putting a row twice is putting it once.
    pub fn close(self, reads: Vec<Read>, snapshot: &Snapshot) -> (Vec<Read>, Vec<Routed>) {
        let joined = self.members.values().any(|joined| *joined);
        let joined = joined && !switch::mutant(Mutant::JoinedAsRead);
        let kept = self
            .kept
            .into_iter()
            .filter(|change| joined || !snapshot.sees(&change.transaction))
            .collect();
        (reads, kept)
    }
}

//! A change on its way to its cart: what is to be done there, and why a cart must be read again.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::cart::image::{Cells, footprint};
use crate::cart::key::CartKey;
use crate::source::change::{Position, TransactionId};

/// Why a cart must be read again from the source. The names are stored in `cartage.wish`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Wish {
    /// It was let go and may be live now.
    BecameLive,
    /// It appeared in the log, but its children may have passed before its header.
    BornUnproved,
    /// A row came from a cart whose image is not complete.
    Arrival,
    /// The log did not carry a large value that did not change.
    Toast,
    /// A change of a row whose owner only the source knows.
    Owner,
    /// The mapping reads columns that the image does not hold.
    Mapping,
}

impl Wish {
    pub fn name(self) -> &'static str {
        match self {
            Wish::BecameLive => "became_live",
            Wish::BornUnproved => "born_unproved",
            Wish::Arrival => "arrival",
            Wish::Toast => "toast",
            Wish::Owner => "owner",
            Wish::Mapping => "mapping",
        }
    }
}

/// A change on its way to its cart.
#[derive(Clone, Debug, PartialEq)]
pub struct Routed {
    pub position: Position,
    /// Commit time, microseconds since 1970 UTC.
    pub time: i64,
    pub transaction: TransactionId,
    pub action: Action,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Action {
    Put {
        cart: CartKey,
        table: usize,
        old: Option<Cells>,
        new: Cells,
        insert: bool,
    },
    Remove {
        cart: CartKey,
        table: usize,
        old: Cells,
    },
    /// A row leaves one cart for another; of the header: the cart's key changes.
    Move {
        from: CartKey,
        to: CartKey,
        table: usize,
        old: Cells,
        new: Cells,
    },
    Refresh {
        cart: CartKey,
        why: Wish,
    },
    /// These source tables were emptied.
    Clear {
        cart: CartKey,
        tables: Arc<[usize]>,
    },
    /// Look at the cart again: its mapping changed, or it is held and due.
    Touch {
        cart: CartKey,
        take: Option<Take>,
    },
}

/// Whose rows a held cart is to have, by the word of a human.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Take {
    Source,
    Target,
}

impl Take {
    pub fn name(self) -> &'static str {
        match self {
            Take::Source => "source",
            Take::Target => "target",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        [Take::Source, Take::Target]
            .into_iter()
            .find(|take| take.name() == name)
    }
}

impl Routed {
    /// About how many bytes it takes in memory.
    pub fn footprint(&self) -> usize {
        self.action.footprint()
    }
}

impl Action {
    fn footprint(&self) -> usize {
        let cells = match self {
            Action::Put { old, new, .. } => old.as_deref().map_or(0, footprint) + footprint(new),
            Action::Remove { old, .. } => footprint(old),
            Action::Move { old, new, .. } => footprint(old) + footprint(new),
            Action::Refresh { .. } | Action::Clear { .. } | Action::Touch { .. } => 0,
        };
        size_of::<Routed>() + cells
    }

    /// The carts concerned: one, or two for a move.
    pub fn carts(&self) -> impl Iterator<Item = &CartKey> {
        let (first, second) = match self {
            Action::Put { cart, .. }
            | Action::Remove { cart, .. }
            | Action::Refresh { cart, .. }
            | Action::Clear { cart, .. }
            | Action::Touch { cart, .. } => (cart, None),
            Action::Move { from, to, .. } => (from, Some(to)),
        };
        std::iter::once(first).chain(second)
    }
}

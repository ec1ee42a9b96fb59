//! What the ledger knows of a cart, in the terms of the mapping in force.

use std::collections::HashMap;
use std::sync::Arc;

use crate::cart::image::{Ghost, Image, footprint};
use crate::mapping::convert::{convert, convert_kept};
use crate::mapping::difference::{Left, RowWrite};
use crate::mapping::map::{MapError, Mapper};
use crate::merge::Kept;
use crate::switch::{self, Mutant};
use crate::target::ledger::{Entry, Loaded, State};

/// The mapping in force, and those that ledger rows may still refer to.
#[derive(Debug)]
pub struct Mappers {
    pub current: Arc<Mapper>,
    pub former: HashMap<i32, Arc<Mapper>>,
    /// Tables that `live` names beside the header.
    pub live_reads: Vec<bool>,
    pub trusted_births: bool,
}

/// A cart as the ledger has it, in the terms of the mapping in force.
#[derive(Clone, Debug, Default)]
pub struct Known {
    pub entry: Option<Entry>,
    pub wished: bool,
    pub left: Vec<Left>,
    /// Target rows that a merge has left other than the image says.
    pub kept: Vec<Kept>,
    /// Rows of tables that the mapping in force no longer has.
    pub dropped: Vec<RowWrite>,
    /// Its image or its target rows are of an older mapping.
    pub older: bool,
    /// The image lacks columns that the mapping in force reads.
    pub lacking: bool,
}

impl Known {
    pub fn of(mappers: &Mappers, loaded: Loaded) -> Result<Self, MapError> {
        let mut known = Known {
            wished: loaded.wished,
            ..Known::default()
        };
        let Some(mut entry) = loaded.entry else {
            return Ok(known);
        };
        let current = &mappers.current;
        known.kept = std::mem::take(&mut entry.kept);
        let former = mappers
            .former
            .get(&entry.mapping)
            .filter(|_| entry.mapping != current.id);
        if let Some(former) = former {
            let tokens = std::mem::take(&mut entry.tokens);
            let converted = convert(former, current, &entry.image, tokens)?;
            known.older = true;
            known.kept = convert_kept(former, current, std::mem::take(&mut known.kept));
            known.lacking = converted.image.is_none() || entry.pending.is_some();
            known.left = converted.left;
            known.dropped = converted.dropped;
            entry.image = converted.image.unwrap_or_else(|| Image {
                life: entry.image.life,
                ..Image::empty(current.layout())
            });
            if known.lacking {
                entry.pending = entry.pending.map(|(_, unit)| (entry.image.clone(), unit));
            }
        } else {
            let strange = entry.pending_mapping != current.id;
            if entry.pending.is_some() && strange && !switch::mutant(Mutant::PendingIsOurs) {
                // It was held on under another mapping, which has been taken back.
                known.lacking = true;
                entry.pending = entry.pending.map(|(_, unit)| (entry.image.clone(), unit));
            }
            let tokens = std::mem::take(&mut entry.tokens).into_iter();
            let rows = current.map(&entry.image)?.into_iter();
            known.left = rows
                .zip(tokens.chain(std::iter::repeat(None)))
                .map(|(row, token)| Left { row, token })
                .collect();
        }
        known.entry = Some(entry);
        Ok(known.bounded())
    }

    /// Forgets the oldest ghosts, with their rows. Not for loading alone: a cart that changes day by
    /// day never leaves the cache.
    pub fn bounded(mut self) -> Self {
        let Some(entry) = self.entry.as_mut() else {
            return self;
        };
        let forgotten = Mapper::forget_old_ghosts(&mut entry.image);
        if !forgotten.is_empty() {
            let is = |ghost: &Ghost, left: &Left| (ghost.into, &ghost.key) == left.row.id();
            self.left
                .retain(|left| !forgotten.iter().any(|ghost| is(ghost, left)));
        }
        self
    }

    /// About how many bytes it takes in memory.
    pub fn footprint(&self) -> usize {
        let images = self.entry.iter().map(|entry| {
            let pending = entry.pending.as_ref();
            entry.image.footprint() + pending.map_or(0, |(image, _)| image.footprint())
        });
        let left = self.left.iter().map(|left| {
            let key = left.row.key.iter().map(|part| part.len() + 32);
            size_of::<Left>() + footprint(&left.row.cells) + key.sum::<usize>()
        });
        let kept = self.kept.iter().map(|kept| {
            let cells = kept.cells.as_ref().map_or(0, |cells| footprint(cells));
            size_of::<Kept>() + cells + kept.key.iter().map(|part| part.len() + 32).sum::<usize>()
        });
        size_of::<Self>() + kept.sum::<usize>() + images.sum::<usize>() + left.sum::<usize>()
    }

    pub fn state(&self) -> Option<State> {
        self.entry.as_ref().map(|e| e.state)
    }

    /// The carts that it is held with.
    pub fn held_unit(&self) -> Option<&str> {
        let (_, unit) = self.entry.as_ref()?.pending.as_ref()?;
        unit.as_deref()
    }
}

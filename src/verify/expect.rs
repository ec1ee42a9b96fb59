//! What the target should hold of a cart, by the source and by what the ledger remembers.

use super::memory::Memory;
use crate::cart::image::{Image, Life};
use crate::hash::HashSet;
use crate::mapping::map::{MapError, Mapper, TargetRow};
use crate::target::ledger::State;

/// A cart's target rows as they should be.
#[derive(Debug)]
pub enum Expected {
    /// Live in the source.
    Live {
        rows: Vec<TargetRow>,
        /// Rows that the ledger knows of, and that the source no longer gives.
        gone: Vec<TargetRow>,
        /// The ledger's image is what the source holds: nothing of it is still in the log.
        ledger_agrees: bool,
    },
    /// Live by the ledger, and no longer by the source: none of these rows should be there.
    Gone {
        rows: Vec<TargetRow>,
    },
    /// Over in both: what `ended` and `deleted` kept.
    Over {
        rows: Vec<TargetRow>,
    },
    /// It cannot be mapped, and is not held; the message holds no values.
    Unmappable(String),
    /// Something of it has no key yet, for the lane allocates one when it writes the row: so the target
    /// has no such row.
    Unallocated {
        table: String,
        /// The ledger knows the cart, so that it is not the whole of it that is missing.
        known: bool,
    },
    /// A walk or a wish has still to bring it.
    Awaited,
    Held,
    /// Both sides have written it: what is in the target is not the source's alone.
    Merged {
        /// Nothing of it is still in the log.
        ledger_agrees: bool,
    },
    /// Neither live nor known, or the new backend's by now.
    NotOurs,
}

impl Expected {
    /// The rows that the target is asked for: those given, then those that are gone, each of them
    /// sorted by table and key.
    pub fn rows(&self) -> [&[TargetRow]; 2] {
        match self {
            Expected::Live { rows, gone, .. } => [rows, gone],
            Expected::Gone { rows } | Expected::Over { rows } => [rows, &[]],
            _ => [&[], &[]],
        }
    }
}

/// `image` is the cart as the source has it; `filling` says that a walk over all carts is not through.
pub fn expect(mapper: &Mapper, image: Option<Image>, memory: Memory, filling: bool) -> Expected {
    let state = memory.entry.as_ref().map(|entry| entry.state);
    match state {
        Some(State::Held) => return Expected::Held,
        Some(State::HandedOver) => return Expected::NotOurs,
        _ if memory.wished => return Expected::Awaited,
        // Until the walk of a changed mapping arrives, its rows are of the former one.
        Some(_)
            if memory
                .entry
                .as_ref()
                .is_some_and(|e| e.mapping != mapper.id) =>
        {
            return Expected::Awaited;
        }
        _ => {}
    }
    let live = match &image {
        None => Ok(false),
        Some(image) => mapper.live(image),
    };
    let known = memory.entry.is_some();
    let expected = match (live, image, memory.entry) {
        (Ok(true), Some(image), Some(entry)) if state == Some(State::Merged) => {
            let agrees = |kept| agrees(mapper, image, &kept);
            let ledger_agrees = entry.image.is_none_or(agrees);
            Ok(Expected::Merged { ledger_agrees })
        }
        (Ok(true), Some(_), None) if filling => Ok(Expected::Awaited),
        (Ok(true), Some(image), None) => mapper.map(&image).map(|rows| Expected::Live {
            rows,
            gone: Vec::new(),
            ledger_agrees: false,
        }),
        (Ok(true), Some(image), Some(entry)) => living(mapper, image, entry.image),
        (Ok(_), _, None) => Ok(Expected::NotOurs),
        (Ok(_), image, Some(entry)) => match entry.image.or(image) {
            Some(kept) => over(mapper, &kept),
            None => Ok(Expected::NotOurs),
        },
        (Err(why), _, _) => return Expected::Unmappable(why),
    };
    expected.unwrap_or_else(|why| match why.unallocated() {
        Some(table) => Expected::Unallocated {
            table: table.to_owned(),
            known,
        },
        None => Expected::Unmappable(why.to_string()),
    })
}

/// Of a cart that the source no longer has live.
fn over(mapper: &Mapper, kept: &Image) -> Result<Expected, MapError> {
    let rows = mapper.map(kept)?;
    Ok(match kept.life {
        Life::Live => Expected::Gone {
            rows: rows
                .into_iter()
                .filter(|row| row.origin.is_some())
                .collect(),
        },
        Life::Ended { .. } | Life::Deleted { .. } => Expected::Over { rows },
    })
}

/// Whether the ledger's image holds what the source does.
fn agrees(mapper: &Mapper, mut image: Image, kept: &Image) -> bool {
    image.keep_stamps(mapper.layout(), kept);
    image.ghosts = kept.ghosts.clone();
    image == *kept
}

/// Stamps and ghosts are no one's memory but the ledger's: `kept`, where that is not the image itself.
fn living(mapper: &Mapper, mut image: Image, kept: Option<Image>) -> Result<Expected, MapError> {
    let Some(mut kept) = kept else {
        return Ok(Expected::Live {
            rows: mapper.map(&image)?,
            gone: Vec::new(),
            ledger_agrees: true,
        });
    };
    Mapper::forget_old_ghosts(&mut kept);
    image.keep_stamps(mapper.layout(), &kept);
    image.ghosts = kept.ghosts.clone();
    let ledger_agrees = image == kept;
    let rows = mapper.map(&image)?;
    let gone = match ledger_agrees {
        true => Vec::new(),
        false => {
            let given: HashSet<_> = rows.iter().map(TargetRow::id).collect();
            let known = mapper.map(&kept)?.into_iter();
            known.filter(|row| !given.contains(&row.id())).collect()
        }
    };
    Ok(Expected::Live {
        rows,
        gone,
        ledger_agrees,
    })
}

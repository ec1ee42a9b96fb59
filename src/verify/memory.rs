//! What the ledger remembers of a cart that was read. Most often it is what the source holds, and then
//! no image is made of it.

use crate::cart::codec;
use crate::cart::image::Image;
use crate::lanes::item::Read;
use crate::mapping::map::Mapper;
use crate::source::change::Position;
use crate::switch::{self, Mutant};
use crate::target::ledger::{Brief, Briefed, LedgerError, State};

#[derive(Debug)]
pub struct Memory {
    pub entry: Option<Entry>,
    pub wished: bool,
}

#[derive(Debug)]
pub struct Entry {
    pub state: State,
    pub position: Position,
    pub mapping: i32,
    /// None: it is the image that was read, to which it gave its stamps.
    pub image: Option<Image>,
}

impl Memory {
    /// Of a cart as it was read.
    pub fn of(mapper: &Mapper, read: &mut Read, briefed: Briefed) -> Result<Self, LedgerError> {
        let entry = match briefed.entry {
            None => None,
            Some(brief) => Some(Entry {
                state: brief.state,
                position: brief.position,
                mapping: brief.mapping,
                image: match is_as_read(mapper, read, &brief) {
                    true => None,
                    false => Some(brief.read(&read.cart)?),
                },
            }),
        };
        Ok(Self {
            entry,
            wished: briefed.wished,
        })
    }
}

/// Answers of lookups are the ledger's: where there are such, it is read.
fn is_as_read(mapper: &Mapper, read: &mut Read, brief: &Brief) -> bool {
    let comparable = brief.mapping == mapper.id && mapper.mapping.lookups.is_empty();
    let image = read.image.as_mut().filter(|_| comparable);
    let kept = !switch::mutant(Mutant::ReadStamps);
    kept && image.is_some_and(|image| codec::alike(&brief.image, image))
}

//! What a merge looked at, as it is kept with the record of it: all that another policy needs to
//! decide the same case again.

use serde::{Deserialize, Serialize};

use super::{Inputs, Kept, Link, Merged, Part, Side, Theirs, Unmergeable, merge};
use crate::cart::codec::CodecError;
use crate::cart::image::Cells;
use crate::mapping::difference::Left;
use crate::mapping::map::{RowKey, TargetRow};
use crate::mapping::plan::{Fate, Mapping};

/// First byte of what is stored.
const VERSION: u8 = 1;

/// The inputs of one merge, without the mapping that numbers its tables and columns.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stored {
    links: Vec<Link>,
    parts: Vec<StoredPart>,
    theirs: Vec<Theirs>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct StoredPart {
    base: Vec<Left>,
    ours: Vec<TargetRow>,
    kept: Vec<Kept>,
    time: Option<i64>,
    /// What `deleted` would make of its living rows. The images from which that is told are not kept.
    fated: Vec<Fated>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Fated {
    side: Side,
    into: usize,
    key: RowKey,
    cells: Cells,
}

pub fn encode_inputs(inputs: &Inputs<'_>) -> Vec<u8> {
    let mut out = vec![VERSION];
    // Nothing in a row can fail to be written.
    out.extend(serde_json::to_vec(&Stored::of(inputs)).unwrap_or_default());
    out
}

impl Stored {
    fn of(inputs: &Inputs<'_>) -> Self {
        let parts = inputs.parts.iter().enumerate().map(|(at, part)| {
            let base = part.base.iter().map(|left| (Side::Base, &left.row));
            let ours = part.ours.iter().map(|row| (Side::Ours, row));
            let fated = base.chain(ours).filter_map(|(side, row)| {
                let into = &inputs.mapping.intos[row.into];
                if !matches!(into.deleted, Fate::Set(_)) {
                    return None;
                }
                Some(Fated {
                    side,
                    into: row.into,
                    key: row.key.clone(),
                    cells: (inputs.fated)(at, side, row)?,
                })
            });
            StoredPart {
                fated: fated.collect(),
                base: part.base.to_vec(),
                ours: part.ours.to_vec(),
                kept: part.kept.to_vec(),
                time: part.time,
            }
        });
        Self {
            links: inputs.links.to_vec(),
            parts: parts.collect(),
            theirs: inputs.theirs.to_vec(),
        }
    }

    pub fn decode(bytes: &[u8]) -> Result<Self, CodecError> {
        match bytes.split_first() {
            None => Err(CodecError::Short),
            Some((&VERSION, rest)) => serde_json::from_slice(rest)
                .map_err(|_| CodecError::Damaged("what a merge looked at cannot be read")),
            Some((&other, _)) => Err(CodecError::Version(other)),
        }
    }

    /// The same case by the rules of this mapping, whose tables and columns must be those of the
    /// mapping that it was kept under.
    pub fn merge(&self, mapping: &Mapping) -> Result<Merged, Unmergeable> {
        let parts: Vec<Part<'_>> = self
            .parts
            .iter()
            .map(|part| Part {
                base: &part.base,
                ours: &part.ours,
                kept: &part.kept,
                time: part.time,
            })
            .collect();
        let fated = |part: usize, side: Side, row: &TargetRow| {
            let is = |fated: &&Fated| {
                fated.side == side && fated.into == row.into && fated.key == row.key
            };
            let found = self.parts[part].fated.iter().find(is);
            found.map(|fated| fated.cells.clone())
        };
        merge(&Inputs {
            mapping,
            links: &self.links,
            parts: &parts,
            theirs: &self.theirs,
            fated: &fated,
        })
    }

    /// The rows as they were found.
    pub fn theirs(&self) -> &[Theirs] {
        &self.theirs
    }
}

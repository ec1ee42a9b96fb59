//! Rows that a merge has left other than `map` says, as the ledger keeps them. They tell a write of
//! the new backend from what an earlier merge made.

use serde::{Deserialize, Serialize};

use crate::cart::codec::CodecError;
use crate::cart::image::Cells;
use crate::mapping::map::RowKey;

/// One such row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// Index of its `[[into]]`.
    pub into: usize,
    pub key: RowKey,
    /// None: it is not there, as where a line is part of another row.
    pub cells: Option<Cells>,
    pub token: Option<Box<str>>,
    /// When the new backend last wrote it, microseconds since 1970 UTC.
    pub time: Option<i64>,
    /// Its quantity holds the whole quantities of both sides.
    pub joined: bool,
}

/// First byte of what is stored.
const VERSION: u8 = 1;

pub fn encode(rows: &[Kept]) -> Vec<u8> {
    let mut out = vec![VERSION];
    // Nothing in a row can fail to be written.
    out.extend(serde_json::to_vec(rows).unwrap_or_default());
    out
}

pub fn decode(bytes: &[u8]) -> Result<Vec<Kept>, CodecError> {
    match bytes.split_first() {
        None => Err(CodecError::Short),
        Some((&VERSION, rest)) => serde_json::from_slice(rest)
            .map_err(|_| CodecError::Damaged("the rows that a merge left cannot be read")),
        Some((&other, _)) => Err(CodecError::Version(other)),
    }
}

//! A cart as it is looked at beyond its rows: its header in the target, and all rows that are known to
//! be its own.

use std::borrow::Cow;

use super::super::expect::Expected;
use super::super::report::{Difference, Kind};
use crate::cart::image::Image;
use crate::cart::key::CartKey;
use crate::mapping::header::HeaderKey;
use crate::mapping::map::{Mapper, TargetRow};
use crate::mapping::plan::{Mapping, Role};
use crate::target::beside::{self, Wanted};
use crate::target::error::TargetError;
use crate::target::session::Target;

/// One cart of a chunk.
#[derive(Debug)]
pub struct Subject<'e> {
    pub cart: &'e CartKey,
    /// The header of a cart that lives in both ends.
    pub header: Option<HeaderKey>,
    /// The rows that the source gives, with what an end has kept.
    pub rows: Cow<'e, [TargetRow]>,
    /// Rows that the ledger knows of, and that the source no longer gives.
    pub gone: &'e [TargetRow],
    /// Both sides have written it: values are not held against the source.
    pub merged: bool,
    /// The header that a cart which is over must not have.
    pub over: Option<HeaderKey>,
}

impl<'e> Subject<'e> {
    /// `merged` is the cart as the source has it, where both sides have written it.
    pub fn of(
        mapper: &Mapper,
        cart: &'e CartKey,
        merged: Option<&Image>,
        expected: &'e Expected,
    ) -> Self {
        let mut subject = Self {
            cart,
            header: None,
            rows: Cow::default(),
            gone: &[],
            merged: false,
            over: None,
        };
        match expected {
            Expected::Live { rows, gone, .. } => {
                subject.rows = Cow::from(rows);
                subject.gone = gone;
            }
            Expected::Merged { .. } => {
                let rows = merged.map(|image| mapper.map(image));
                subject.rows = Cow::from(rows.and_then(Result::ok).unwrap_or_default());
                subject.merged = true;
            }
            Expected::Over { rows } => {
                let kept = |key: &HeaderKey| rows.iter().any(|row| row.id() == (key.0, &key.1));
                subject.over = mapper.header_of(cart).filter(|key| !kept(key));
            }
            _ => {}
        }
        let header = |row: &&TargetRow| {
            row.origin.is_some() && mapper.mapping.intos[row.into].role == Role::Header
        };
        let found = subject.rows.iter().find(header);
        subject.header = found.map(|row| (row.into, row.key.clone()));
        subject
    }

    /// All rows that are not the new backend's.
    pub fn known(&self) -> impl Iterator<Item = &TargetRow> {
        self.rows.iter().chain(self.gone)
    }
}

/// Carts that are over in the source and by the ledger, and whose header is in the target again.
pub(super) async fn resurrected(
    target: &Target,
    mapping: &Mapping,
    subjects: &[Subject<'_>],
    found: &mut [Vec<Difference>],
) -> Result<(), TargetError> {
    for (index, into) in mapping.intos.iter().enumerate() {
        let over = subjects.iter().enumerate().filter_map(|(at, subject)| {
            let (_, key) = subject.over.as_ref().filter(|(of, _)| *of == index)?;
            Some((at, key))
        });
        let over: Vec<_> = over.collect();
        let values = over
            .iter()
            .map(|(_, key)| key.iter().map(|part| &**part).collect());
        let wanted = Wanted {
            into,
            columns: into.key.iter().map(|key| key.name.as_str()).collect(),
            values: values.collect(),
        };
        for row in beside::rows(target, &wanted, &[]).await? {
            let Some((at, key)) = over.get(row.nth) else {
                continue;
            };
            let (cart, key) = (subjects[*at].cart, key.iter().map(|part| &**part));
            let told = Difference::of_key(Kind::Resurrected, mapping, cart, index, key);
            found[*at].push(told);
        }
    }
    Ok(())
}

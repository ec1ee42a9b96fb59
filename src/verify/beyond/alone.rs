//! Carts that only the target has: the headers there, less those that any cart gives.
//!
//! The target's headers are read before the first cart is looked at. Whatever cartage has written by
//! then is in its ledger, so each of them is met among the carts that are looked at later, unless it
//! is nobody's.

use super::super::expect::Expected;
use super::super::memory::Memory;
use super::super::report::{Difference, Kind, Report};
use super::super::{Verifier, VerifyError};
use super::Subject;
use super::buckets::Buckets;
use crate::cart::key::CartKey;
use crate::lanes::item::Read;
use crate::mapping::header::HeaderKey;
use crate::mapping::map::{Mapper, RowKey};
use crate::mapping::plan::{Mapping, Role};
use crate::switch::{self, Mutant};
use crate::target::beside::{self, Wanted};
use crate::target::ledger::{Briefed, LedgerError, State};

/// Headers read at once.
const PAGE: usize = 5_000;
/// Headers that are looked for once more in one statement.
const AGAIN: usize = 500;

/// A look at all headers of the target that has not come to its end.
#[derive(Debug)]
pub struct Alone {
    buckets: Buckets,
    /// The `[[into]]` of the headers.
    header: usize,
    /// There is a cart of which it cannot be told which header is its own.
    untold: bool,
}

/// The headers that a chunk of carts gives.
#[derive(Debug, Default)]
pub struct Claims {
    keys: Vec<HeaderKey>,
    untold: bool,
}

impl Claims {
    /// Of the carts that are not compared row by row, by what the ledger holds of them.
    pub fn of(mapper: &Mapper, reads: &[Read], memories: &[Memory]) -> Self {
        let mut claims = Self::default();
        for (read, memory) in reads.iter().zip(memories) {
            let Some(entry) = &memory.entry else { continue };
            let strange = entry.mapping != mapper.id;
            let plain = matches!(entry.state, State::Mirror | State::Ended);
            if plain && !strange && !memory.wished {
                continue;
            }
            let before = claims.keys.len();
            claims.add(mapper, read.image.as_ref());
            if !strange {
                claims.add(mapper, entry.image.as_ref());
            }
            claims.keys.extend(mapper.header_of(&read.cart));
            claims.untold |= strange && claims.keys.len() == before;
        }
        claims
    }

    /// Of all carts of the ledger, by what it holds of them. `reads` are those that it holds by another
    /// mapping.
    pub fn recalled(
        mapper: &Mapper,
        carts: &[CartKey],
        briefed: &[Briefed],
        reads: &[Read],
    ) -> Result<Self, LedgerError> {
        let mut claims = Self::default();
        let is_header = |into: usize| mapper.mapping.intos[into].role == Role::Header;
        for (cart, briefed) in carts.iter().zip(briefed) {
            let Some(brief) = &briefed.entry else {
                continue;
            };
            let before = claims.keys.len();
            claims.keys.extend(mapper.header_of(cart));
            if brief.mapping == mapper.id {
                let image = brief.read(cart)?;
                claims.add(mapper, Some(&image));
                let rows = mapper.map(&image).unwrap_or_default().into_iter();
                let headers = rows.filter(|row| is_header(row.into));
                claims.keys.extend(headers.map(|row| (row.into, row.key)));
            } else {
                let read = reads.iter().find(|read| read.cart == *cart);
                claims.add(mapper, read.and_then(|read| read.image.as_ref()));
                claims.untold |= claims.keys.len() == before;
            }
        }
        Ok(claims)
    }

    fn add(&mut self, mapper: &Mapper, image: Option<&crate::cart::image::Image>) {
        let keys = image.map(|image| mapper.header_keys(image));
        self.keys.extend(keys.into_iter().flatten());
    }

    /// Of the others.
    pub fn expected(
        mut self,
        mapper: &Mapper,
        expected: &[Expected],
        subjects: &[Subject<'_>],
    ) -> Self {
        let header = |into: usize| mapper.mapping.intos[into].role == Role::Header;
        for (expected, subject) in expected.iter().zip(subjects) {
            let rows = expected.rows().into_iter().flatten();
            let rows = rows.filter(|row| header(row.into));
            self.keys
                .extend(rows.map(|row| (row.into, row.key.clone())));
            self.keys.extend(subject.over.clone());
            if let Expected::Unmappable(_) | Expected::Unallocated { .. } = expected {
                let before = self.keys.len();
                self.keys.extend(mapper.header_of(subject.cart));
                self.untold |= self.keys.len() == before;
            }
        }
        self
    }
}

impl Verifier<'_> {
    /// Reads the headers of the target, before the first cart is looked at.
    pub(in crate::verify) async fn begin_alone(&self) -> Result<(), VerifyError> {
        let Some((index, into)) = header(&self.mapper.mapping) else {
            return Ok(());
        };
        let mut buckets = Buckets::create(&self.beyond.scratch)?;
        let own = self.beyond.own.as_deref();
        let mut after = None;
        loop {
            let page = beside::page(self.target, into, after.as_ref(), own, PAGE).await?;
            for key in &page {
                buckets.there(text(key.iter().map(String::as_str)).as_str())?;
            }
            let Some(last) = page.into_iter().next_back() else {
                break;
            };
            after = Some(last);
        }
        *self.alone.lock().await = Some(Alone {
            buckets,
            header: index,
            untold: false,
        });
        Ok(())
    }

    pub(in crate::verify) async fn is_looking_for_alone(&self) -> bool {
        self.alone.lock().await.is_some()
    }

    /// These headers are somebody's.
    pub(in crate::verify) async fn know(&self, claims: Claims) -> Result<(), VerifyError> {
        let mut guard = self.alone.lock().await;
        let Some(alone) = guard.as_mut() else {
            return Ok(());
        };
        alone.untold |= claims.untold;
        let keys = claims.keys.iter().filter(|(into, _)| *into == alone.header);
        let keys: Vec<&RowKey> = keys.map(|(_, key)| key).collect();
        let into = &self.mapper.mapping.intos[alone.header];
        for key in beside::normal(self.target, into, &keys).await? {
            alone
                .buckets
                .know(text(key.iter().map(String::as_str)).as_str())?;
        }
        Ok(())
    }

    /// Tells the headers that no cart gives, as far as they are still there.
    pub(in crate::verify) async fn finish_alone(
        &self,
        report: &mut Report,
    ) -> Result<(), VerifyError> {
        let Some(mut alone) = self.alone.lock().await.take() else {
            return Ok(());
        };
        report.beyond.own_are_told = self.beyond.own.is_some();
        if alone.untold {
            let why = "some carts are still as a former mapping made them, or cannot be mapped";
            report.beyond.not_alone = Some(why.to_owned());
            return Ok(());
        }
        report.beyond.looked_for_alone = true;
        let mapping = &self.mapper.mapping;
        let into = &mapping.intos[alone.header];
        let columns: Vec<&str> = into.key.iter().map(|key| key.name.as_str()).collect();
        for bucket in 0.. {
            let Some(texts) = alone.buckets.alone(bucket)? else {
                break;
            };
            let keys = texts
                .into_iter()
                .filter_map(|text| CartKey::stored(&text).values());
            let keys: Vec<Vec<String>> = keys.collect();
            for keys in keys.chunks(AGAIN) {
                let values = keys
                    .iter()
                    .map(|key| key.iter().map(String::as_str).collect());
                let wanted = Wanted {
                    into,
                    columns: columns.clone(),
                    values: values.collect(),
                };
                for row in beside::rows(self.target, &wanted, &[]).await? {
                    let Some(key) = keys.get(row.nth) else {
                        continue;
                    };
                    if !switch::mutant(Mutant::AloneUntold) {
                        report.told(alone_in_target(mapping, alone.header, key));
                    }
                }
            }
        }
        Ok(())
    }
}

fn alone_in_target(mapping: &Mapping, header: usize, key: &[String]) -> Difference {
    let key = key.iter().map(String::as_str);
    // No cart of the source has to do with it.
    let nobody = CartKey::of([]);
    Difference::of_key(Kind::TargetOnly, mapping, &nobody, header, key)
}

fn header(mapping: &Mapping) -> Option<(usize, &crate::mapping::plan::Into)> {
    let mut intos = mapping.intos.iter().enumerate();
    let (index, into) = intos.find(|(_, into)| into.role == Role::Header)?;
    Some((index, into))
}

/// One text for a key of several columns.
fn text<'k>(key: impl IntoIterator<Item = &'k str>) -> CartKey {
    CartKey::of(key)
}

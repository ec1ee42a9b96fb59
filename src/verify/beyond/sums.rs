//! Totals that the target keeps, held against the sum of its lines: a total may be what the mapping
//! says, and wrong.

use super::super::report::{Difference, Kind};
use super::Subject;
use super::plan::CheckedSum;
use crate::mapping::map::RowKey;
use crate::mapping::plan::Mapping;
use crate::target::beside;
use crate::target::error::TargetError;
use crate::target::session::Target;

pub(super) async fn look(
    target: &Target,
    mapping: &Mapping,
    sums: &[CheckedSum],
    subjects: &[Subject<'_>],
    found: &mut [Vec<Difference>],
) -> Result<(), TargetError> {
    for checked in sums {
        let index = checked.header;
        let of = subjects.iter().enumerate().filter_map(|(at, subject)| {
            let (_, key) = subject.header.as_ref().filter(|(of, _)| *of == index)?;
            Some((at, key))
        });
        let (carts, keys): (Vec<usize>, Vec<&RowKey>) = of.unzip();
        if keys.is_empty() {
            continue;
        }
        let header = &mapping.intos[index];
        for mismatch in beside::sums(target, header, &checked.sum, &keys).await? {
            let (Some(&at), Some(key)) = (carts.get(mismatch.nth), keys.get(mismatch.nth)) else {
                continue;
            };
            let key = key.iter().map(|part| &**part);
            let cart = &subjects[at].cart;
            let mut told = Difference::of_key(Kind::SumMismatch, mapping, cart, index, key);
            told.column = Some(checked.sum.total.clone());
            told.source = Some(mismatch.sum);
            told.target = Some(mismatch.total);
            found[at].push(told);
        }
    }
    Ok(())
}

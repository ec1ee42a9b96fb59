//! Carts that the new backend has written since cartage left them: what differs there is its own.

use std::collections::HashMap;

use super::super::judge::{Looked, Outcome};
use super::super::report::Kind;
use super::super::{Verifier, VerifyError};
use super::Subject;
use crate::mapping::map::TargetRow;
use crate::mapping::plan::{Lock, Mapping, Role};
use crate::params;
use crate::target::error::TargetError;
use crate::target::found::{self, Ask, FoundRows};
use crate::target::ledger::{self, State};
use crate::target::session::Target;
use crate::target::shape::has_token;
use crate::target::words::Param;

impl Kind {
    /// What a write of the new backend explains.
    fn is_excused(self) -> bool {
        matches!(
            self,
            Kind::Value
                | Kind::MissingRow
                | Kind::ExtraRow
                | Kind::ForeignLines
                | Kind::TokenMissing
                | Kind::QuantityOutOfBounds
        )
    }
}

/// A cart that differs in nothing but what the new backend may have written, and whose header it did
/// write, or has finished with, is told as written.
pub(super) async fn look(
    verifier: &Verifier<'_>,
    subjects: &[Subject<'_>],
    looked: &mut [Looked],
) -> Result<(), VerifyError> {
    let mapper = verifier.mapper;
    let (target, mapping) = (verifier.target, &mapper.mapping);
    let excusable = |(subject, cart): &(&Subject<'_>, &mut Looked)| match &cart.outcome {
        Outcome::Different(list) => {
            subject.header.is_some() && list.iter().all(|d| d.kind.is_excused())
        }
        _ => false,
    };
    let pairs = subjects.iter().zip(looked.iter_mut());
    let differing: Vec<(&Subject<'_>, &mut Looked)> = pairs.filter(excusable).collect();
    if differing.is_empty() {
        return Ok(());
    }
    let carts: Vec<&Subject<'_>> = differing.iter().map(|(subject, _)| *subject).collect();
    let found = headers(target, mapping, &carts).await?;
    let keys: Vec<_> = carts.iter().map(|subject| subject.cart).collect();
    let loaded = ledger::load(target, verifier.pipeline, &keys).await?;
    for ((subject, cart), loaded) in differing.into_iter().zip(loaded) {
        let Some(key) = &subject.header else { continue };
        let (Some(there), Some(entry)) = (found.get(key), loaded.entry) else {
            continue;
        };
        if entry.state != State::Mirror || entry.mapping != mapper.id {
            continue;
        }
        let Ok(rows) = mapper.map(&entry.image) else {
            continue;
        };
        let Some(at) = rows.iter().position(|row| row.id() == (key.0, &key.1)) else {
            continue;
        };
        let into = &mapping.intos[key.0];
        let left = entry.tokens.get(at).and_then(Option::as_deref);
        let moved = tells(&into.lock) && left.is_some() && there.token.as_deref() != left;
        if moved || there.finished(into, &rows[at].cells) {
            let outcome = std::mem::replace(&mut cart.outcome, Outcome::Equal);
            if let Outcome::Different(list) = outcome {
                cart.outcome = Outcome::Written(list);
            }
        }
    }
    Ok(())
}

/// Whether the lock tells a write of the new backend from any other: every write moves a row's `xmin`.
fn tells(lock: &Lock) -> bool {
    has_token(lock) && !matches!(lock, Lock::Xmin)
}

/// The headers of these carts with their tokens.
pub(super) async fn headers(
    target: &Target,
    mapping: &Mapping,
    subjects: &[&Subject<'_>],
) -> Result<FoundRows, TargetError> {
    let is_header = |row: &&TargetRow| mapping.intos[row.into].role == Role::Header;
    let rows = subjects.iter().flat_map(|subject| subject.rows.iter());
    match subjects.is_empty() {
        true => Ok(FoundRows::default()),
        false => found::find(target, mapping, rows.filter(is_header), Ask::State).await,
    }
}

/// How many patches cartage has committed of these carts since it inserted their headers.
pub(super) async fn patches(
    target: &Target,
    pipeline: i32,
    subjects: &[&Subject<'_>],
) -> Result<HashMap<String, i64>, TargetError> {
    if subjects.is_empty() {
        return Ok(HashMap::new());
    }
    let places: Vec<String> = (2..subjects.len() + 2).map(|n| format!("${n}")).collect();
    let sql = format!(
        "SELECT cart, patches FROM cartage.ledger WHERE pipeline = $1 AND cart IN ({})",
        places.join(", ")
    );
    let carts = subjects.iter().map(|s| Param::from(s.cart.as_str()));
    let first = params![pipeline];
    let params: Vec<Param<'_>> = first.iter().cloned().chain(carts).collect();
    let rows = target.query(sql.as_str(), &params).await?;
    rows.iter()
        .map(|row| Ok((row.get(0)?, row.get(1)?)))
        .collect()
}

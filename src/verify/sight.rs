//! One cart looked at for `explain`: as `verify` would judge it, with what it was judged by.

use std::time::Duration;

use super::judge::{self, Outcome};
use super::look::Looker;
use super::report::Difference;
use super::{Verifier, VerifyError};
use crate::cart::key::CartKey;
use crate::lanes::item::Read;
use crate::source::change::Lsn;

/// So long a change that is on its way is waited for: idle lanes note every few seconds how far the
/// log has come.
const PATIENCE: Duration = Duration::from_secs(4);

#[derive(Debug)]
pub struct Sight {
    pub read: Read,
    /// The point that the log has to pass to bring what was read.
    pub upto: Lsn,
    /// Every lane has.
    pub passed: bool,
    /// The cart was another one when it was read once more.
    pub moving: bool,
    pub outcome: Outcome,
    /// The ledger holds what the source holds.
    pub ledger_agrees: bool,
    /// What stands beside any verdict.
    pub beside: Vec<Difference>,
}

impl Verifier<'_> {
    /// The cart read, the log let pass for a moment where that may explain what is found, and compared.
    pub async fn sight(&self, cart: &CartKey) -> Result<Option<Sight>, VerifyError> {
        let look = Looker::new(self).await?;
        let one = std::slice::from_ref(cart);
        let (reads, _, upto) = look.read_between(one).await?;
        let mut passed = look.wait_for(upto, Duration::ZERO).await?;
        let mut looked = look.compare(reads.clone()).await?;
        let mut moving = false;
        if looked.iter().any(|cart| cart.doubtful()) {
            passed = look.wait_for(upto, PATIENCE).await?;
            looked = look.compare(reads.clone()).await?;
            let (after, _) = look.read(one).await?;
            moving = !reads
                .iter()
                .zip(&after)
                .all(|(a, b)| judge::same_rows(a, b));
        }
        let both = reads.into_iter().zip(looked).next();
        Ok(both.map(|(read, looked)| Sight {
            read,
            upto,
            passed,
            moving,
            outcome: looked.outcome,
            ledger_agrees: looked.ledger_agrees,
            beside: looked.stale,
        }))
    }
}

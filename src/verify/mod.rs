//! Comparing source carts, mapped, with target carts: cart by cart, column by column.
//!
//! A cart that differs is looked at again once the log has passed the point at which it was read;
//! only what still differs then is a difference.

mod expect;
mod judge;
mod report;
mod walk;

use std::time::Duration;

pub use judge::Outcome;
pub use report::{Difference, Kind, Report};

use crate::cart::key::CartKey;
use crate::lookup::{Asker, LookupError};
use crate::mapping::map::Mapper;
use crate::params;
use crate::source::change::Lsn;
use crate::source::{AskError, Source};
use crate::target::error::TargetError;
use crate::target::ledger::LedgerError;
use crate::target::session::Target;

/// How long a difference waits for the log to pass.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often a cart that changes while it is compared is read again.
const ROUNDS: usize = 3;
/// Carts read at once.
const CHUNK: usize = 500;

#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    #[error("source: {0}")]
    Source(#[from] AskError),
    #[error("target: {0}")]
    Target(#[from] TargetError),
    #[error("target: {0}")]
    Ledger(#[from] LedgerError),
    #[error(transparent)]
    Lookup(#[from] LookupError),
}

/// Both ends, and the mapping between them.
#[derive(Debug)]
pub struct Verifier<'a> {
    pub source: &'a Source,
    pub target: &'a Target,
    pub pipeline: i32,
    pub mapper: &'a Mapper,
    pub asker: &'a Asker,
    /// Differences kept in the report; all of them are counted.
    pub limit: usize,
}

impl Verifier<'_> {
    /// Compares these carts, or all.
    pub async fn run(
        &self,
        carts: Option<&[CartKey]>,
        progress: &dyn Fn(u64),
    ) -> Result<Report, VerifyError> {
        let mut report = Report::new(self.limit);
        let mut doubtful = Vec::new();
        match carts {
            Some(carts) => {
                for chunk in carts.chunks(CHUNK) {
                    let looked = self.look(chunk).await?;
                    self.sort(looked, &mut report, &mut doubtful);
                    progress(report.looked_at());
                }
            }
            None => self.walk(&mut report, &mut doubtful, progress).await?,
        }
        self.look_again(doubtful, &mut report).await?;
        Ok(report)
    }

    fn sort(&self, looked: Vec<judge::Looked>, report: &mut Report, doubtful: &mut Vec<CartKey>) {
        for cart in looked {
            match cart.outcome.doubtful() {
                true => doubtful.push(cart.key),
                false => report.count(cart.outcome, cart.stale),
            }
        }
    }

    /// Reads the carts that differed once more, lets the log pass, and compares what it brought.
    async fn look_again(
        &self,
        mut doubtful: Vec<CartKey>,
        report: &mut Report,
    ) -> Result<(), VerifyError> {
        for round in 1..=ROUNDS {
            let mut moving = Vec::new();
            for chunk in doubtful.chunks(CHUNK) {
                let (reads, upto) = self.read(chunk).await?;
                let passed = self.wait_for(upto).await?;
                let looked = self.compare(&reads).await?;
                let (after, _) = self.read(chunk).await?;
                for (cart, (before, after)) in looked.into_iter().zip(reads.iter().zip(&after)) {
                    if !cart.outcome.doubtful() {
                        report.count(cart.outcome, cart.stale);
                    } else if !judge::same_rows(before, after) {
                        moving.push(cart.key);
                    } else if passed || cart.ledger_agrees {
                        report.count(cart.outcome, cart.stale);
                    } else {
                        report.count(Outcome::Pending, Vec::new());
                    }
                }
            }
            doubtful = moving;
            if round == ROUNDS {
                for _ in &doubtful {
                    report.count(Outcome::Pending, Vec::new());
                }
            }
        }
        Ok(())
    }

    /// Waits until every lane has passed `upto`. False where that takes too long.
    async fn wait_for(&self, upto: Lsn) -> Result<bool, VerifyError> {
        let begun = tokio::time::Instant::now();
        loop {
            let row = self
                .target
                .one(
                    "SELECT coalesce(min(lsn) >= $2, false) FROM cartage.checkpoint \
                     WHERE pipeline = $1",
                    params![self.pipeline, upto],
                )
                .await?;
            if row.get(0)? {
                return Ok(true);
            }
            if begun.elapsed() > PATIENCE {
                return Ok(false);
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

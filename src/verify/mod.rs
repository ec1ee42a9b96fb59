//! Comparing source carts, mapped, with target carts: cart by cart, column by column, on the moving
//! system.
//!
//! A cart that differs is parked, and looked at again once the log has passed the point at which it
//! was read; only what still differs then is a difference. All carts are walked without remembering
//! any: those that the source has live, in the order of its keys; then those of the ledger, of which
//! the source is asked whether it has them live.

mod again;
pub mod beyond;
mod expect;
mod feed;
mod judge;
mod look;
mod memory;
mod notes;
pub mod order;
pub mod pace;
mod pick;
pub mod progress;
mod report;
mod sight;
pub mod runs;
mod since;
mod walk;

pub use judge::Outcome;
pub use order::{Order, Scope};
pub use report::{Difference, Kind, Report};
pub use sight::Sight;
pub use since::moment;

use tokio_postgres::error::SqlState;

use crate::cart::key::CartKey;
use crate::lookup::{Asker, LookupError};
use crate::mapping::map::Mapper;
use crate::source::{AskError, Source};
use crate::target::error::TargetError;
use crate::target::ledger::LedgerError;
use crate::target::session::Target;

/// Carts read at once.
const CHUNK: usize = 1_000;

#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    #[error("source: {0}")]
    Source(#[from] AskError),
    #[error("target: {0}")]
    Target(#[from] TargetError),
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    #[error(transparent)]
    Lookup(#[from] LookupError),
    #[error("there is no verification to resume; start one with: cartage verify")]
    NothingToResume,
    #[error(
        "verification {run} compares by another mapping than the one in force; start a new one with: \
         cartage verify"
    )]
    OtherMapping { run: i32 },
    #[error("verification {run} is of a kind that this version does not know; start a new one")]
    Unknown { run: i32 },
    #[error(
        "--since needs the column that dates a change: [cart] changed_at is not in the configuration"
    )]
    Undated,
    #[error("the scratch folder: {0}")]
    Scratch(#[from] std::io::Error),
}

impl VerifyError {
    /// It only says that another question of the same transaction has failed before.
    fn is_echo(&self) -> bool {
        let (Self::Target(why) | Self::Ledger(LedgerError::Database(why))) = self else {
            return false;
        };
        let failed = Some(&SqlState::IN_FAILED_SQL_TRANSACTION);
        matches!(why, TargetError::Postgres(why) if why.code() == failed)
    }
}

/// Both ends, and the mapping between them.
#[derive(Debug)]
pub struct Verifier<'a> {
    pub source: &'a Source,
    pub target: &'a Target,
    pub pipeline: i32,
    pub mapper: &'a Mapper,
    pub asker: &'a Asker,
    /// What is looked at beside rows.
    pub beyond: &'a beyond::Plan,
    /// The headers of the target, while all carts are looked at.
    pub alone: tokio::sync::Mutex<Option<beyond::Alone>>,
    /// Differences kept in the report; all of them are counted.
    pub limit: usize,
}

impl Verifier<'_> {
    /// Compares these carts, or all, at once and without a word in the control tables.
    pub async fn run(
        &self,
        carts: Option<&[CartKey]>,
        progress: &(dyn Fn(u64) + Sync),
    ) -> Result<Report, VerifyError> {
        let tell = |p: &progress::Progress| progress(p.carts_done);
        let mut walk = walk::Walk::new(self, &tell).await?;
        match carts {
            Some(carts) => walk.feed(feed::Feed::of(carts)).await?,
            None => {
                let start = self.source.committed().await?;
                self.begin_alone().await?;
                walk.feed(feed::Feed::source(None)).await?;
                walk.feed(feed::Feed::ledger(None, start)).await?;
                self.finish_alone(&mut walk.report).await?;
            }
        }
        walk.finish(carts.is_none()).await
    }
}

//! One connection that writes batches: checkpoint first, then guarded rows, then the ledger, one
//! commit. COMMIT is sent only after every guard has answered (protocol rule 1).

use std::sync::Arc;

use super::checkpoint::{self, Durable};
use super::claim::{self, Claimed, Claims};
use super::error::TargetError;
use super::ledger::{LedgerError, Loaded, Records};
use super::session::Target;
use super::tables::Tables;
use super::{mysql, postgres};
use crate::cart::key::CartKey;
use crate::mapping::difference::Patch;
use crate::source::change::Position;
use crate::switch::{self, Place};

/// Why a batch was not written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    #[error("target: {0}")]
    Database(#[from] TargetError),
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// A row was not as we left it, or an inserted row was there already.
    #[error("{table}: {missed} of {rows} rows were not as cartage left them")]
    Guard {
        table: String,
        missed: u64,
        rows: u64,
    },
    /// A row belongs to another cart.
    #[error(transparent)]
    Claimed(Claimed),
    /// Another daemon has taken the pipeline over.
    #[error(
        "lane {lane} was taken over by another daemon of this pipeline; this one has stopped writing"
    )]
    FencedOff { lane: i32 },
}

/// Counters that a commit adds to its checkpoint row.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tally {
    pub patches: u64,
    pub conflicts: u64,
    pub late: u64,
    pub merged_items: u64,
    pub merge_conflicts: u64,
    /// Commit time of the last source transaction, microseconds since 1970 UTC.
    pub commit_time: Option<i64>,
}

impl From<tokio_postgres::Error> for WriteError {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Database(error.into())
    }
}

impl From<mysql_async::Error> for WriteError {
    fn from(error: mysql_async::Error) -> Self {
        Self::Database(error.into())
    }
}

/// For each patch, the tokens that its writes left, in their order.
pub type Tokens = Vec<Vec<Option<Box<str>>>>;

/// How a lane's checkpoint moves with a batch.
pub struct Step {
    pub pipeline: i32,
    pub lane: i32,
    pub epoch: i64,
    pub from: Position,
    pub to: Position,
    pub tally: Tally,
}

/// A transaction whose rows are written and whose guards have matched, not yet committed.
pub struct Written {
    to: Position,
    pub tokens: Tokens,
}

/// A lane's connection to the target.
pub struct Writer {
    target: Target,
    tables: Arc<Tables>,
    words: Words,
    pipeline: i32,
    lane: i32,
    epoch: i64,
    position: Position,
}

enum Words {
    Postgres(postgres::writer::Session),
    Mysql(mysql::writer::Session),
}

impl Writer {
    /// Begins at the lane's checkpoint, if it belongs to `epoch`.
    pub async fn new(
        target: Target,
        tables: Arc<Tables>,
        pipeline: i32,
        lane: i32,
        epoch: i64,
    ) -> Result<Self, WriteError> {
        let words = match &target {
            Target::Postgres(client) => Words::Postgres(
                postgres::writer::Session::new(client.clone(), tables.clone()).await?,
            ),
            Target::Mysql(session) => {
                Words::Mysql(mysql::writer::Session::new(session.clone(), tables.clone()))
            }
        };
        let at = checkpoint::read(&target, pipeline, lane, epoch)
            .await?
            .ok_or(WriteError::FencedOff { lane })?;
        Ok(Self {
            target,
            tables,
            words,
            pipeline,
            lane,
            epoch,
            position: at.position(),
        })
    }

    pub fn target(&self) -> &Target {
        &self.target
    }

    pub fn tables(&self) -> &Tables {
        &self.tables
    }

    pub fn durable(&self) -> Durable {
        Durable::committed(self.position)
    }

    pub fn position(&self) -> Position {
        self.position
    }

    /// Whether one of these rows belongs to another cart.
    pub async fn owned(&self, claims: &[Claims]) -> Result<Option<Claimed>, WriteError> {
        Ok(claim::owned(&self.target, self.pipeline, claims).await?)
    }

    pub async fn load(&mut self, carts: &[&CartKey]) -> Result<Vec<Loaded>, WriteError> {
        Ok(match &mut self.words {
            Words::Postgres(session) => session.load(self.pipeline, carts).await?,
            Words::Mysql(session) => session.load(self.pipeline, carts).await?,
        })
    }

    /// Opens a transaction, moves the checkpoint to `to`, and writes the patches under their
    /// guards. After an error the transaction is rolled back and nothing has happened.
    pub async fn write(
        &mut self,
        patches: &[&Patch],
        claims: &[Claims],
        to: Position,
        tally: Tally,
    ) -> Result<Written, WriteError> {
        let step = Step {
            pipeline: self.pipeline,
            lane: self.lane,
            epoch: self.epoch,
            from: self.position,
            to,
            tally,
        };
        let tokens = match &mut self.words {
            Words::Postgres(session) => session.write(patches, claims, &step).await?,
            Words::Mysql(session) => session.write(patches, claims, &step).await?,
        };
        Ok(Written { to, tokens })
    }

    /// Writes the records and commits. After an error nothing has happened, unless the connection
    /// was lost on the way: then only the checkpoint row can tell, and the lane begins anew from it.
    pub async fn commit(
        &mut self,
        written: Written,
        records: &Records,
    ) -> Result<Durable, WriteError> {
        let (pipeline, lane) = (self.pipeline, self.lane);
        match &mut self.words {
            Words::Postgres(session) => session.commit(pipeline, lane, records).await?,
            Words::Mysql(session) => session.commit(pipeline, lane, records).await?,
        }
        switch::place(Place::AfterCommit);
        self.position = written.to;
        Ok(self.durable())
    }
}

/// A counter after one more write.
pub(super) fn next(token: &str) -> Option<Box<str>> {
    let value: i64 = token.parse().ok()?;
    Some(value.checked_add(1)?.to_string().into())
}

pub(super) fn count(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

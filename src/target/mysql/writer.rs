//! A lane's batches on MySQL or MariaDB. The driver waits for each answer, so what needs none of its
//! own goes in one message: the server stops at the first statement that fails.

use std::sync::Arc;

use mysql_async::prelude::Queryable as _;

use super::session::{Session as Target, State};
use super::{arrays, claim, ledger, records, rows};
use crate::cart::key::CartKey;
use crate::mapping::difference::Patch;
use crate::switch::{self, Mutant, Place};
use crate::target::claim::Claims;
use crate::target::error::TargetError;
use crate::target::group::{group, rows_applied};
use crate::target::ledger::{LedgerError, Loaded, Records};
use crate::target::tables::Tables;
use crate::target::writer::{Step, Tokens, WriteError, count};

/// A lane's connection.
pub struct Session {
    target: Arc<Target>,
    tables: Arc<Tables>,
}

impl Session {
    pub fn new(target: Arc<Target>, tables: Arc<Tables>) -> Self {
        Self { target, tables }
    }

    pub async fn load(
        &mut self,
        pipeline: i32,
        carts: &[&CartKey],
    ) -> Result<Vec<Loaded>, LedgerError> {
        let mut state = self.target.lock().await;
        let loaded = ledger::load(&mut state, pipeline, carts);
        self.target.hold(loaded).await
    }

    /// Opens a transaction, moves the checkpoint, and writes the patches under their guards. After an
    /// error the transaction is rolled back and nothing has happened.
    pub async fn write(
        &mut self,
        patches: &[&Patch],
        claims: &[Claims],
        step: &Step,
    ) -> Result<Tokens, WriteError> {
        let mut state = self.target.lock().await;
        let written = self.try_write(&mut state, patches, claims, step);
        let written = self.target.hold(written).await;
        if written.is_err() {
            self.roll_back(&mut state).await;
        }
        written
    }

    async fn try_write(
        &self,
        state: &mut State,
        patches: &[&Patch],
        claims: &[Claims],
        step: &Step,
    ) -> Result<Tokens, WriteError> {
        let groups = group(patches, &self.tables);
        let conn = &mut state.session.conn;
        let moved = move_checkpoint(step, rows_applied(&groups));
        // A BEGIN alone would commit what an earlier transaction has left.
        conn.query_drop(format!("ROLLBACK; BEGIN; {moved}")).await?;
        if conn.affected_rows() != 1 && !switch::mutant(Mutant::NoFence) {
            return Err(WriteError::FencedOff { lane: step.lane });
        }
        let many = groups.iter().any(|g| g.rows.len() >= arrays::FEWEST);
        let arrays = many && state.takes_arrays(step.pipeline, step.lane).await?;
        let tokens = rows::write(state, patches, &groups, &self.tables, arrays).await?;
        if !claims.is_empty()
            && let Some(claimed) = claim::check(state, step.pipeline, claims).await?
        {
            return Err(WriteError::Claimed(claimed));
        }
        Ok(tokens)
    }

    /// Writes the records and commits.
    pub async fn commit(
        &mut self,
        pipeline: i32,
        lane: i32,
        records: &Records,
    ) -> Result<(), WriteError> {
        let mut state = self.target.lock().await;
        let committed = self.try_commit(&mut state, pipeline, lane, records);
        let committed: Result<(), TargetError> = self.target.hold(committed).await;
        if committed.is_err() {
            self.roll_back(&mut state).await;
        }
        Ok(committed?)
    }

    async fn try_commit(
        &self,
        state: &mut State,
        pipeline: i32,
        lane: i32,
        records: &Records,
    ) -> Result<(), TargetError> {
        let packet = state.packet().await?;
        let rows = &records.ledger[..];
        let arrays = rows.len() >= arrays::FEWEST && state.takes_arrays(pipeline, lane).await?;
        let texts = match arrays {
            true => {
                for arrays in records::arrays(rows, pipeline) {
                    arrays.execute(state, packet).await?;
                }
                &[]
            }
            false => rows,
        };
        let statements = records::statements(records, texts, pipeline, lane, packet);
        let conn = &mut state.session.conn;
        let mut message = String::new();
        for statement in statements {
            if message.len() + statement.len() > packet && !message.is_empty() {
                conn.query_drop(std::mem::take(&mut message)).await?;
            }
            message.push_str(&statement);
            message.push_str("; ");
        }
        switch::place(Place::BeforeCommit);
        message.push_str("COMMIT");
        let answer = conn.query_drop(message);
        Ok(switch::asked(Place::CommitSent, answer).await?)
    }

    /// Where the connection is gone there is nothing to roll back.
    async fn roll_back(&self, state: &mut State) {
        let rolled_back = async { Ok(state.session.conn.query_drop("ROLLBACK").await?) };
        let _: Result<(), TargetError> = self.target.hold(rolled_back).await;
    }
}

fn move_checkpoint(step: &Step, rows: i64) -> String {
    // From microseconds: no number of seconds holds them exactly.
    let commit_time = match step.tally.commit_time {
        Some(t) => format!("TIMESTAMPADD(MICROSECOND, {t}, '1970-01-01 00:00:00')"),
        None => "commit_time".to_owned(),
    };
    format!(
        "UPDATE cartage_checkpoint SET lsn = {}, seq = {}, patches = patches + {}, \
             rows_applied = rows_applied + {rows}, conflicts = conflicts + {}, late = late + {}, \
             merged_items = merged_items + {}, merge_conflicts = merge_conflicts + {}, \
             commit_time = {commit_time}, updated_at = CURRENT_TIMESTAMP(6) \
         WHERE pipeline = {} AND lane = {} AND epoch = {} AND lsn = {} AND seq = {}",
        step.to.lsn.0,
        step.to.seq,
        count(step.tally.patches),
        count(step.tally.conflicts),
        count(step.tally.late),
        count(step.tally.merged_items),
        count(step.tally.merge_conflicts),
        step.pipeline,
        step.lane,
        step.epoch,
        step.from.lsn.0,
        step.from.seq,
    )
}

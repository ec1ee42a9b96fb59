//! A walk over all carts: chunk by chunk through windows, as fast as the source likes it.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::{Instant, sleep};
use tracing::info;

use super::refresher::{LOOK, PATIENCE, RefreshError, Refresher};
use super::runs::{self, Kind, Run, Stage};
use super::window::Pending;
use crate::cart::key::CartKey;
use crate::hash::HashMap;
use crate::params;
use crate::source::change::Lsn;
use crate::switch::{self, Mutant, Place};

impl Refresher {
    /// Walks a run to the end of its stage, chunk by chunk, a few chunks under way at a time.
    pub(super) async fn walk(&mut self, mut run: Run) -> Result<(), RefreshError> {
        info!(kind = run.kind.name(), run = run.id, "reading carts");
        if run.stage == Stage::Read && run.total.is_none() {
            let total = self
                .source
                .estimate(&self.layout, self.live.as_ref())
                .await?;
            runs::set_total(&self.control, run.id, total).await?;
        }
        if run.kind == Kind::All && run.stage == Stage::Read && run.cursor.is_none() {
            self.outlast_writers(run.id).await?;
            // What was read before now is old, whatever the lanes' positions said when the run was
            // asked for: else the sweep would take a cart that vanished since for one just read.
            run.start = self.source.committed().await?;
            runs::set_start(&self.control, run.id, run.start).await?;
        }
        if run.stage == Stage::Sweep {
            self.wait_for_lanes(run.start).await?;
        }
        let mut under_way: VecDeque<Pending> = VecDeque::new();
        let none = HashMap::default();
        loop {
            self.tend().await?;
            self.wait_until_welcome(&run).await?;
            let keys = self.next_chunk(&run).await?;
            let Some(last) = keys.last().cloned() else {
                break;
            };
            run.cursor = Some(last.clone());
            let carts = i64::try_from(keys.len()).unwrap_or(i64::MAX);
            if run.kind == Kind::Mapping {
                let groups = keys.into_iter().map(|key| vec![key]).collect();
                self.touch(groups, HashMap::default()).await?;
                switch::place(Place::MappingTouched);
                runs::advance(&self.control, run.id, &last, carts, 0).await?;
            } else {
                let (mut pending, rows) = loop {
                    if let Some(read) = self.window(keys.clone(), Some(run.id), &none).await? {
                        break read;
                    }
                };
                self.throttle.spend(rows);
                let rows = i64::try_from(rows).unwrap_or(i64::MAX);
                pending.run = Some((run.id, last, carts, rows));
                under_way.push_back(pending);
            }
            while under_way.len() >= self.throttle.parallel() {
                if let Some(pending) = under_way.pop_front() {
                    self.finish(pending).await?;
                }
            }
            // What has to be read again does not wait for the end of a long run.
            if self.wishes_wait().await? {
                while let Some(pending) = under_way.pop_front() {
                    self.finish(pending).await?;
                }
                self.wishes().await?;
            }
            self.repairs().await?;
        }
        for pending in under_way {
            self.finish(pending).await?;
        }
        switch::place(Place::StageWalked);
        runs::next_stage(&self.control, &run).await?;
        switch::place(Place::StageDone);
        info!(kind = run.kind.name(), run = run.id, stage = ?run.stage, "carts read");
        Ok(())
    }

    async fn wishes_wait(&self) -> Result<bool, RefreshError> {
        let row = self
            .control
            .one(
                "SELECT EXISTS (SELECT 1 FROM cartage.wish WHERE pipeline = $1 \
                 AND since < CURRENT_TIMESTAMP(6) - INTERVAL '1' SECOND)",
                params![self.pipeline],
            )
            .await?;
        Ok(row.get(0)?)
    }

    async fn next_chunk(&self, run: &Run) -> Result<Vec<CartKey>, RefreshError> {
        let limit = self.throttle.chunk_carts();
        match run.stage {
            Stage::Read => {
                let (live, after) = (self.live.as_ref(), run.cursor.as_ref());
                Ok(self
                    .source
                    .next_keys(&self.layout, live, after, limit)
                    .await?)
            }
            Stage::Sweep => {
                let limit = i64::try_from(limit).unwrap_or(i64::MAX);
                Ok(runs::sweep(&self.control, self.pipeline, run, self.mapping, limit).await?)
            }
        }
    }

    /// The rate, the load of the source, and the reader's lag say when the next chunk may be read.
    async fn wait_until_welcome(&mut self, run: &Run) -> Result<(), RefreshError> {
        self.throttle.rest().await;
        loop {
            let mut objection = self.throttle.objection(&self.source).await?;
            if objection.is_none() {
                objection = self.too_far_behind().await?;
            }
            runs::waits(&self.control, run.id, objection.as_deref()).await?;
            if objection.is_none() {
                return Ok(());
            }
            self.tend().await?;
            self.wishes().await?;
            sleep(Duration::from_secs(1)).await;
        }
    }

    /// All carts are read again mostly because the log did not tell everything for a while. What a
    /// transaction changed in that time is logged, or not, as it was then, even if it commits later;
    /// so those that are open now have to end before a snapshot can see all that is missing.
    async fn outlast_writers(&mut self, run: i32) -> Result<(), RefreshError> {
        let begun = Instant::now();
        let open = self.source.writers().await?;
        loop {
            let left = self.source.writers().await?.left_of(&open);
            if left == 0 || switch::mutant(Mutant::WritersUnawaited) {
                return Ok(());
            }
            if begun.elapsed() > PATIENCE {
                let why = format!("{left} open transactions of the source have to end first");
                runs::waits(&self.control, run, Some(&why)).await?;
            }
            self.tend().await?;
            self.wishes().await?;
            sleep(LOOK).await;
        }
    }

    /// A sweep reads the ledger, which must hold by then all that came before it in the log.
    async fn wait_for_lanes(&mut self, upto: Lsn) -> Result<(), RefreshError> {
        loop {
            let row = self
                .control
                .one(
                    "SELECT min(lsn) >= $2 FROM cartage.checkpoint WHERE pipeline = $1",
                    params![self.pipeline, upto],
                )
                .await?;
            if row.get::<Option<bool>>(0)? == Some(true) {
                return Ok(());
            }
            self.tend().await?;
            sleep(LOOK).await;
        }
    }
}

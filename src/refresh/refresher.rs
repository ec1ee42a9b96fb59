//! The refresher: reads carts from the source window by window, for backfills, sweeps and wishes,
//! and has held carts and changed mappings looked at again.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, sleep};
use tracing::{info, warn};

use super::read;
use super::runs::{self, Kind, Run, Stage};
use super::throttle::{Throttle, too_far_behind};
use crate::cart::key::CartKey;
use crate::cart::layout::Layout;
use crate::cart::owner::Take;
use crate::hash::HashMap;
use crate::lanes::reader::{Progress, Request};
use crate::mapping::expr::Expr;
use crate::params;
use crate::pulse::{Doing, Pulse};
use crate::repair::pace::Pace;
use crate::repair::{self, Repair};
use crate::source::change::{Lsn, TransactionId};
use crate::source::session::View;
use crate::source::{AskError, Source};
use crate::stop::told;
use crate::switch::{self, Mutant, Place};
use crate::target::error::TargetError;
use crate::target::session::Target;

/// How long a snapshot may miss a delivered transaction before the run says why it waits.
const PATIENCE: Duration = Duration::from_secs(2);
/// How often it is asked what is visible of transactions without ids: the source logs each question.
const ANONYMOUS: Duration = Duration::from_secs(1);
/// How often the control tables are asked for something to do.
const LOOK: Duration = Duration::from_millis(200);

#[derive(Debug, thiserror::Error)]
pub enum RefreshError {
    #[error("the source cannot be read: {0}")]
    Source(#[from] AskError),
    #[error("the control tables cannot be read: {0}")]
    Control(#[from] TargetError),
    /// The reader has stopped; its own error says why.
    #[error("the reader has stopped")]
    ReaderGone,
}

pub struct Refresher {
    pub source: Source,
    pub control: Target,
    pub pipeline: i32,
    pub mapping: i32,
    pub layout: Arc<Layout>,
    /// Which carts are live.
    pub live: Option<Expr>,
    pub changed_at: Option<usize>,
    pub throttle: Throttle,
    pub requests: mpsc::Sender<Request>,
    pub progress: watch::Receiver<Progress>,
    pub stop: watch::Receiver<bool>,
    pub pulse: Pulse,
    /// How fast carts are repaired.
    pub repairs: Pace,
    /// When it was last looked whether transactions have become visible.
    pub looked: Option<Instant>,
    /// When it was last looked which carts lack an answer; none while there are more to look at.
    pub asked: Option<Instant>,
}

/// Windows whose carts are on their way through the lanes.
struct Pending {
    parts: usize,
    done: mpsc::UnboundedReceiver<()>,
    /// The run that goes on after it, with its cursor, carts and rows.
    run: Option<(i32, CartKey, i64, i64)>,
}

impl Refresher {
    /// Works until told to stop.
    pub async fn run(mut self) -> Result<(), RefreshError> {
        let mut stop = self.stop.clone();
        tokio::select! {
            () = told(&mut stop) => Ok(()),
            done = self.work() => done,
        }
    }

    async fn work(&mut self) -> Result<(), RefreshError> {
        // The last cart of a repair may have been done by a daemon that then died.
        repair::close(&self.control, self.pipeline).await?;
        loop {
            let mut busy = self.wishes().await?;
            busy |= self.repairs().await?;
            busy |= self.tend().await?;
            if let Some(run) = runs::active(&self.control, self.pipeline).await? {
                self.walk(run).await?;
                busy = true;
            }
            if !busy {
                self.settle_phase().await?;
                sleep(LOOK).await;
            }
        }
    }

    /// What does not wait for the end of a long walk: transactions become known as seen, held carts
    /// are tried again, and what no lookup found is asked again.
    async fn tend(&mut self) -> Result<bool, RefreshError> {
        let unseen = self.progress.borrow().unseen;
        let rests = |oldest: TransactionId| {
            oldest.is_anonymous() && self.looked.is_some_and(|at| at.elapsed() < ANONYMOUS)
        };
        if unseen.is_some_and(|oldest| !rests(oldest)) {
            self.looked = Some(Instant::now());
            let snapshot = self.source.snapshot().await?;
            self.ask(Request::Seen(snapshot)).await?;
        }
        let busy = self.held().await?;
        Ok(busy | self.ask_again().await?)
    }

    async fn ask(&self, request: Request) -> Result<(), RefreshError> {
        self.requests
            .send(request)
            .await
            .map_err(|_| RefreshError::ReaderGone)
    }

    /// Nothing is being read: the pipeline follows.
    async fn settle_phase(&self) -> Result<(), RefreshError> {
        self.control
            .execute(
                "UPDATE cartage.pipeline SET phase = 'following' \
                 WHERE id = $1 AND phase = 'backfilling'",
                params![self.pipeline],
            )
            .await?;
        Ok(())
    }

    /// Carts that must be read again, the longest waiting first.
    async fn wishes(&mut self) -> Result<bool, RefreshError> {
        let limit = i64::try_from(self.throttle.chunk_carts()).unwrap_or(i64::MAX);
        let rows = self
            .control
            .query(
                "SELECT cart FROM cartage.wish WHERE pipeline = $1 ORDER BY since, cart LIMIT $2",
                params![self.pipeline, limit],
            )
            .await?;
        if rows.is_empty() || self.too_far_behind().await?.is_some() {
            return Ok(false);
        }
        let mut carts = Vec::with_capacity(rows.len());
        for row in &rows {
            carts.push(CartKey::stored(&row.get::<String>(0)?));
        }
        let none = HashMap::default();
        if let Some((pending, rows)) = self.window(carts, None, &none).await? {
            self.throttle.spend(rows);
            self.finish(pending).await?;
        }
        Ok(true)
    }

    /// Carts that are to be repaired are read whole, the longest waiting first. What becomes of each
    /// commits with its rows, so that a kill before that has it asked for still.
    async fn repairs(&mut self) -> Result<bool, RefreshError> {
        let room = self.repairs.room().min(self.throttle.chunk_carts());
        if room == 0 {
            return Ok(false);
        }
        let asked = repair::asked(&self.control, self.pipeline, room).await?;
        if asked.is_empty() || self.too_far_behind().await?.is_some() {
            return Ok(false);
        }
        self.repairs.spend(asked.len());
        let mut repairs = HashMap::default();
        for (cart, repair, why) in asked {
            match why {
                Some(why) => repair::refuse(&self.control, repair.run, &cart, why).await?,
                None => {
                    repairs.insert(cart, repair);
                }
            }
        }
        let carts: Vec<CartKey> = repairs.keys().cloned().collect();
        if !carts.is_empty()
            && let Some((pending, rows)) = self.window(carts, None, &repairs).await?
        {
            self.throttle.spend(rows);
            self.finish(pending).await?;
        }
        repair::close(&self.control, self.pipeline).await?;
        Ok(true)
    }

    /// Held carts whose time has come are tried again, those of one unit together.
    async fn held(&mut self) -> Result<bool, RefreshError> {
        let rows = self
            .control
            .query(
                "SELECT cart, unit, take FROM cartage.held WHERE pipeline = $1 \
                 AND (retry_at <= CURRENT_TIMESTAMP(6) OR take IS NOT NULL OR unit IN \
                      (SELECT unit FROM cartage.held WHERE pipeline = $1 AND unit IS NOT NULL \
                       AND (retry_at <= CURRENT_TIMESTAMP(6) OR take IS NOT NULL))) \
                 ORDER BY unit, cart LIMIT 500",
                params![self.pipeline],
            )
            .await?;
        if rows.is_empty() {
            return Ok(false);
        }
        let mut groups: Vec<(Option<String>, Vec<CartKey>)> = Vec::new();
        let mut takes = HashMap::default();
        for row in &rows {
            let cart = CartKey::stored(&row.get::<String>(0)?);
            let unit: Option<String> = row.get(1)?;
            let take: Option<String> = row.get(2)?;
            takes.extend(take.and_then(|take| Some((cart.clone(), Take::parse(&take)?))));
            match groups.last_mut() {
                Some((last, carts)) if unit.is_some() && *last == unit => carts.push(cart),
                _ => groups.push((unit, vec![cart])),
            }
        }
        let groups = groups.into_iter().map(|(_, carts)| carts).collect();
        self.touch(groups, takes).await?;
        Ok(true)
    }

    pub(super) async fn touch(
        &mut self,
        groups: Vec<Vec<CartKey>>,
        takes: HashMap<CartKey, Take>,
    ) -> Result<(), RefreshError> {
        let (done, finished) = mpsc::unbounded_channel();
        let (reply, parts) = oneshot::channel();
        self.ask(Request::Touch {
            groups,
            takes,
            done,
            reply,
        })
        .await?;
        let parts = parts.await.map_err(|_| RefreshError::ReaderGone)?;
        let pending = Pending {
            parts,
            done: finished,
            run: None,
        };
        self.finish(pending).await
    }

    /// Walks a run to the end of its stage, chunk by chunk, a few chunks under way at a time.
    async fn walk(&mut self, mut run: Run) -> Result<(), RefreshError> {
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
        sleep(self.throttle.pause()).await;
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

    async fn too_far_behind(&self) -> Result<Option<String>, RefreshError> {
        let delivered = self.progress.borrow().delivered;
        Ok(too_far_behind(&self.source, delivered).await?)
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

    /// Reads carts through a window. None: it was abandoned, and the carts are to be tried again.
    async fn window(
        &mut self,
        carts: Vec<CartKey>,
        run: Option<i32>,
        repairs: &HashMap<CartKey, Repair>,
    ) -> Result<Option<(Pending, u64)>, RefreshError> {
        let (reply, answer) = oneshot::channel();
        self.ask(Request::Open {
            carts: carts.clone(),
            reply,
        })
        .await?;
        let unseen = answer.await.map_err(|_| RefreshError::ReaderGone)?;
        switch::place(Place::WindowOpened);
        let view = self.see_all(&unseen, run).await?;
        switch::place(Place::SnapshotTaken);
        let (mut reads, rows) =
            read::carts(&self.source, &self.layout, self.changed_at, &carts).await?;
        self.source.close().await?;
        for read in &mut reads {
            read.repair = repairs.get(&read.cart).copied();
        }
        switch::place(Place::ChunkRead);
        let (done, finished) = mpsc::unbounded_channel();
        let (reply, answer) = oneshot::channel();
        self.ask(Request::Close {
            reads,
            snapshot: view.snapshot,
            upto: view.upto,
            done,
            reply,
        })
        .await?;
        switch::place(Place::CloseAsked);
        let parts = answer.await.map_err(|_| RefreshError::ReaderGone)?;
        Ok(parts.map(|parts| {
            let pending = Pending {
                parts,
                done: finished,
                run: None,
            };
            (pending, rows)
        }))
    }

    /// A snapshot that sees every transaction delivered before the window opened: their changes to
    /// these carts were let go or applied, and are not among those kept (protocol rule 16).
    async fn see_all(
        &mut self,
        unseen: &[TransactionId],
        run: Option<i32>,
    ) -> Result<View, RefreshError> {
        let begun = Instant::now();
        let mut told = false;
        loop {
            let view = self.source.open().await?;
            let missing = unseen.iter().filter(|id| !view.snapshot.sees(id)).count();
            if missing == 0 || switch::mutant(Mutant::ReadAtOnce) {
                return Ok(view);
            }
            self.source.close().await?;
            if begun.elapsed() > PATIENCE && !told {
                told = true;
                let why = format!(
                    "{missing} committed transactions of the source are not visible yet \
                     (is a synchronous standby missing?)"
                );
                warn!("{why}");
                if let Some(run) = run {
                    runs::waits(&self.control, run, Some(&why)).await?;
                }
            }
            sleep(Duration::from_millis(10)).await;
        }
    }

    /// Waits until all parts are durable, and lets the run go on after them.
    async fn finish(&self, mut pending: Pending) -> Result<(), RefreshError> {
        for _ in 0..pending.parts {
            let done = self.pulse.during(Doing::Lanes, pending.done.recv()).await;
            if done.is_none() {
                return Err(RefreshError::ReaderGone);
            }
        }
        if let Some((run, cursor, carts, rows)) = pending.run {
            switch::place(Place::ChunkDurable);
            runs::advance(&self.control, run, &cursor, carts, rows).await?;
            switch::place(Place::CursorAdvanced);
        }
        Ok(())
    }
}

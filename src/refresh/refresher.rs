//! The refresher: finds what is to be read again, wishes and repairs before walks, and has held carts
//! looked at again.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, sleep};

use super::runs;
use super::throttle::{Throttle, too_far_behind};
use super::window::Pending;
use crate::cart::key::CartKey;
use crate::cart::layout::Layout;
use crate::cart::owner::Take;
use crate::hash::HashMap;
use crate::lanes::reader::{Progress, Request};
use crate::mapping::expr::Expr;
use crate::params;
use crate::pulse::Pulse;
use crate::repair;
use crate::repair::pace::Pace;
use crate::source::change::TransactionId;
use crate::source::{AskError, Source};
use crate::stop::told;
use crate::target::error::TargetError;
use crate::target::session::Target;

/// How long a snapshot may miss a delivered transaction before the run says why it waits.
pub(super) const PATIENCE: Duration = Duration::from_secs(2);
/// How often it is asked what is visible of transactions without ids: the source logs each question.
const ANONYMOUS: Duration = Duration::from_secs(1);
/// How often the control tables are asked for something to do.
pub(super) const LOOK: Duration = Duration::from_millis(200);

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
    pub(super) async fn tend(&mut self) -> Result<bool, RefreshError> {
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

    pub(super) async fn ask(&self, request: Request) -> Result<(), RefreshError> {
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
    pub(super) async fn wishes(&mut self) -> Result<bool, RefreshError> {
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
    pub(super) async fn repairs(&mut self) -> Result<bool, RefreshError> {
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

    pub(super) async fn too_far_behind(&self) -> Result<Option<String>, RefreshError> {
        let delivered = self.progress.borrow().delivered;
        Ok(too_far_behind(&self.source, delivered).await?)
    }
}

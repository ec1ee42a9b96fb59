//! One window: carts are read in a snapshot, while the reader keeps what the log says of them.

use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep};
use tracing::warn;

use super::refresher::{PATIENCE, RefreshError, Refresher};
use super::{read, runs};
use crate::cart::key::CartKey;
use crate::hash::HashMap;
use crate::lanes::reader::Request;
use crate::pulse::Doing;
use crate::repair::Repair;
use crate::source::change::TransactionId;
use crate::source::session::View;
use crate::switch::{self, Mutant, Place};

/// Windows whose carts are on their way through the lanes.
pub(super) struct Pending {
    pub parts: usize,
    pub done: mpsc::UnboundedReceiver<()>,
    /// The run that goes on after it, with its cursor, carts and rows.
    pub run: Option<(i32, CartKey, i64, i64)>,
}

impl Refresher {
    /// Reads carts through a window. None: it was abandoned, and the carts are to be tried again.
    pub(super) async fn window(
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
    pub(super) async fn finish(&self, mut pending: Pending) -> Result<(), RefreshError> {
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

//! The task that owns the socket: it reads ahead as far as it may, and never falls silent.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, Semaphore, watch};
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep_until};

use crate::config::Endpoint;
use crate::postgres::lifeline::{at_work, end};
use crate::postgres::wire::{CopyStream, WireError};
use crate::source::ahead::{Batch, Outlet, offer, share_of};
use crate::source::change::Lsn;
use crate::switch::{self, Place};

/// Confirmations closer together than this share one status update.
const COALESCE: Duration = Duration::from_millis(50);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Silence {
    /// The server spoke since it was asked.
    Heard,
    /// It was asked, and has not spoken since.
    Asked,
}

pub(super) struct Feed {
    pub copy: CopyStream,
    pub batches: Outlet<WireError>,
    pub budget: Arc<Semaphore>,
    pub confirmed: watch::Receiver<Lsn>,
    pub ask: Arc<Notify>,
    /// The longest silence towards the server.
    pub beat: Duration,
    pub endpoint: Endpoint,
    /// The walsender's.
    pub pid: i32,
}

impl Feed {
    /// Runs until the stream is dropped or the connection breaks. While the pipeline is blocked
    /// nothing is read, so a slow target slows the server; but status updates go on, and the
    /// server counts each as a sign of life (`wal_sender_timeout`).
    pub async fn run(mut self) {
        match self.pump().await {
            Ok(()) => {
                let _ = self.report(false).await;
                self.copy.close().await;
            }
            Err(error) => {
                let _ = self.batches.send(Err(error)).await;
            }
        }
    }

    async fn pump(&mut self) -> Result<(), WireError> {
        let mut beat = interval_at(Instant::now() + self.beat, self.beat);
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // When the confirmed position that moved is reported; reading goes on until then.
        let mut due: Option<Instant> = None;
        let mut payloads = Vec::new();
        let mut waiting: Option<Batch> = None;
        let closed = self.batches.clone();
        let mut silence = Silence::Heard;
        let mut heard = Instant::now();
        loop {
            if !offer(&self.batches, &mut waiting) {
                return Ok(());
            }
            let share = share_of(&payloads);
            tokio::select! {
                () = closed.closed() => return Ok(()),
                _ = beat.tick() => self.report(false).await?,
                changed = self.confirmed.changed(), if due.is_none() => {
                    if changed.is_err() {
                        return Ok(());
                    }
                    due = Some(Instant::now() + COALESCE);
                }
                () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {
                    due = None;
                    self.report(false).await?;
                    beat.reset();
                }
                () = sleep_until(heard + self.endpoint.connect_timeout), if payloads.is_empty() => {
                    silence = self.silent(silence).await?;
                    heard = Instant::now();
                }
                () = self.ask.notified() => self.report(true).await?,
                read = self.copy.read(&mut payloads), if payloads.is_empty() => {
                    read?;
                    (silence, heard) = (Silence::Heard, Instant::now());
                    if payloads.iter().any(|p| asks(p)) {
                        self.report(false).await?;
                    }
                }
                granted = self.budget.clone().acquire_many_owned(share),
                    if !payloads.is_empty() && waiting.is_none() => {
                    let Ok(share) = granted else { return Ok(()) };
                    waiting = Some(Batch {
                        payloads: std::mem::take(&mut payloads),
                        share,
                    });
                    // Nobody listened while there was no room.
                    heard = Instant::now();
                }
                room = closed.reserve(), if waiting.is_some() => {
                    let Ok(room) = room else { return Ok(()) };
                    if let Some(batch) = waiting.take() {
                        room.send(Ok(batch));
                    }
                }
            }
        }
    }

    /// Nothing came for a while: the server is asked, and if that goes unanswered although it has
    /// nothing to do, the connection leads nowhere.
    async fn silent(&mut self, silence: Silence) -> Result<Silence, WireError> {
        if silence == Silence::Heard || at_work(&self.endpoint, self.pid).await {
            self.report(true).await?;
            return Ok(Silence::Asked);
        }
        end(&self.endpoint, self.pid).await;
        Err(io::Error::new(io::ErrorKind::TimedOut, "the server has fallen silent").into())
    }

    async fn report(&mut self, reply: bool) -> Result<(), WireError> {
        let confirmed = *self.confirmed.borrow_and_update();
        switch::place(Place::BeforeFeedback);
        self.copy.status(confirmed, reply).await?;
        switch::place(Place::AfterFeedback);
        Ok(())
    }
}

/// A keepalive whose last byte wants an answer at once.
fn asks(payload: &[u8]) -> bool {
    payload.first() == Some(&b'k') && payload.get(17) == Some(&1)
}

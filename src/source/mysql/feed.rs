//! The task that owns the socket: it reads ahead as far as it may.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::mpsc::{self, error::TrySendError};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep_until};

use super::dump::{Dump, WireError};

/// Bytes that may wait between the socket and the pipeline.
pub(super) const BUDGET: usize = 16 * 1024 * 1024;
/// Reads that may wait; each brought at least one event.
pub(super) const BATCHES: usize = 1024;

/// What one read brought, with its share of the budget.
pub(super) struct Batch {
    pub events: Vec<Bytes>,
    pub _share: OwnedSemaphorePermit,
}

pub(super) struct Feed {
    pub dump: Dump,
    pub batches: mpsc::Sender<Result<Batch, WireError>>,
    pub budget: Arc<Semaphore>,
    /// The server says something at each heartbeat; after such a silence it is not there.
    pub patience: Duration,
}

impl Feed {
    /// Runs until the stream is dropped or the connection breaks. While the pipeline is blocked
    /// nothing is read: the server waits with its writing for as long as the session allows.
    pub async fn run(mut self) {
        match self.pump().await {
            Ok(()) => self.dump.close().await,
            Err(error) => {
                let _ = self.batches.send(Err(error)).await;
            }
        }
    }

    async fn pump(&mut self) -> Result<(), WireError> {
        let mut events = Vec::new();
        let mut waiting: Option<Batch> = None;
        let closed = self.batches.clone();
        let mut heard = Instant::now();
        loop {
            if let Some(batch) = waiting.take()
                && let Err(error) = self.batches.try_send(Ok(batch))
            {
                match error {
                    TrySendError::Full(Ok(batch)) => waiting = Some(batch),
                    TrySendError::Full(Err(_)) | TrySendError::Closed(_) => return Ok(()),
                }
            }
            let size: usize = events.iter().map(Bytes::len).sum();
            let share = u32::try_from(size.clamp(1, BUDGET)).unwrap_or(u32::MAX);
            tokio::select! {
                () = closed.closed() => return Ok(()),
                () = sleep_until(heard + self.patience), if events.is_empty() => {
                    let silent = io::Error::new(
                        io::ErrorKind::TimedOut,
                        "the server has fallen silent",
                    );
                    return Err(silent.into());
                }
                read = self.dump.read(&mut events), if events.is_empty() => {
                    read?;
                    heard = Instant::now();
                }
                granted = self.budget.clone().acquire_many_owned(share),
                    if !events.is_empty() && waiting.is_none() => {
                    let Ok(share) = granted else { return Ok(()) };
                    waiting = Some(Batch {
                        events: std::mem::take(&mut events),
                        _share: share,
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
}

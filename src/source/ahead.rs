//! What was read of a log ahead of its decoder: bounded in bytes, and given up piece by piece.

use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::mpsc::{self, error::TrySendError};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Bytes that may wait between the socket and the pipeline.
const BUDGET: usize = 2 * 1024 * 1024;
/// Reads that may wait; each brought at least one message.
const BATCHES: usize = 1024;

/// What one read brought, with its share of the budget.
pub struct Batch {
    pub payloads: Vec<Bytes>,
    pub share: OwnedSemaphorePermit,
}

pub type Outlet<E> = mpsc::Sender<Result<Batch, E>>;

/// The end at which it is decoded.
pub struct Ahead<E> {
    batches: mpsc::Receiver<Result<Batch, E>>,
    current: std::vec::IntoIter<Bytes>,
    /// Held while `current` is being read, so that its bytes still count.
    share: Option<OwnedSemaphorePermit>,
    budget: Arc<Semaphore>,
}

/// The end of the socket, the budget, and the end of the decoder.
pub fn channel<E>() -> (Outlet<E>, Arc<Semaphore>, Ahead<E>) {
    let (outlet, batches) = mpsc::channel(BATCHES);
    let budget = Arc::new(Semaphore::new(BUDGET));
    let ahead = Ahead {
        batches,
        current: Vec::new().into_iter(),
        share: None,
        budget: budget.clone(),
    };
    (outlet, budget, ahead)
}

/// What these take of the budget; what is larger than all of it waits alone.
pub fn share_of(payloads: &[Bytes]) -> u32 {
    let size: usize = payloads.iter().map(Bytes::len).sum();
    u32::try_from(size.clamp(1, BUDGET)).unwrap_or(u32::MAX)
}

/// Hands over what waits, if there is room at once. False: nobody is there any more.
pub fn offer<E>(outlet: &Outlet<E>, waiting: &mut Option<Batch>) -> bool {
    let Some(batch) = waiting.take() else {
        return true;
    };
    match outlet.try_send(Ok(batch)) {
        Ok(()) => true,
        Err(TrySendError::Full(Ok(batch))) => {
            *waiting = Some(batch);
            true
        }
        Err(TrySendError::Full(Err(_)) | TrySendError::Closed(_)) => false,
    }
}

impl<E> Ahead<E> {
    /// The next message of the reads that were taken.
    pub fn take(&mut self) -> Option<Bytes> {
        self.current.next()
    }

    /// Waits for another read, once all of the last is taken. None: the reader has ended. Cancel-safe.
    pub async fn more(&mut self) -> Option<Result<(), E>> {
        self.share = None;
        Some(self.batches.recv().await?.map(|batch| {
            self.current = batch.payloads.into_iter();
            self.share = Some(batch.share);
        }))
    }

    /// Bytes read from the socket and not yet taken.
    pub fn buffered(&self) -> usize {
        BUDGET.saturating_sub(self.budget.available_permits())
    }
}

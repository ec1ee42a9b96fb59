//! The task that owns the socket: it reads ahead as far as it may.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep_until};

use super::dump::{Dump, WireError};
use crate::source::ahead::{Batch, Outlet, offer, share_of};

pub(super) struct Feed {
    pub dump: Dump,
    pub batches: Outlet<WireError>,
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
            if !offer(&self.batches, &mut waiting) {
                return Ok(());
            }
            let share = share_of(&events);
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
                        payloads: std::mem::take(&mut events),
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
}

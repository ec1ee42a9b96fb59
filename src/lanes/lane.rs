//! One lane: takes what has gathered, brings it into the target, and says how far it is durable.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, timeout_at};

use super::gather::{gather, to_be_mapped, units};
use super::item::{Item, Meeting, Seat, Work};
use super::known::{Known, Mappers};
use super::memory::Memory;
use super::unit::carts_of;
use crate::cart::key::CartKey;
use crate::hash::HashMap;
use crate::lookup::{Asker, LookupError};
use crate::mapping::map::MapError;
use crate::pulse::{Doing, Pulse};
use crate::source::change::Position;
use crate::switch::{self, Place};
use crate::target::checkpoint::Durable;
use crate::target::writer::{Tally, WriteError, Writer};

/// Why a lane stopped.
#[derive(Debug, thiserror::Error)]
pub enum LaneError {
    #[error(transparent)]
    Write(#[from] WriteError),
    #[error(transparent)]
    Lookup(#[from] LookupError),
    /// The ledger holds an image that its own mapping cannot map.
    #[error("cart {cart}: the image in cartage.ledger cannot be mapped: {why}")]
    Ledger { cart: CartKey, why: MapError },
    #[error(
        "cart {}: {why}; change the mapping, or the row in the source, then start again",
        cart.as_deref().unwrap_or("?")
    )]
    Stopped { cart: Option<String>, why: String },
    #[error("the target's table {0} has changed since the mapping was compiled for it")]
    TargetChanged(String),
    /// That lane's own error says why.
    #[error("a lane with which carts were to be applied together has stopped")]
    Abandoned,
}

/// How a lane gathers its batches.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    pub batch_rows: usize,
    pub batch_delay: Duration,
    /// Bytes of carts that it remembers.
    pub memory: usize,
}

pub struct Lane {
    pub(super) writer: Writer,
    pub(super) mappers: Arc<Mappers>,
    pub(super) memory: Memory,
    items: mpsc::Receiver<Item>,
    durable: watch::Sender<Durable>,
    pace: Pace,
    pulse: Pulse,
    /// Where the mapping has lookups.
    asker: Option<Arc<Asker>>,
}

impl Lane {
    pub fn new(
        writer: Writer,
        mappers: Arc<Mappers>,
        items: mpsc::Receiver<Item>,
        durable: watch::Sender<Durable>,
        pace: Pace,
        pulse: Pulse,
    ) -> Self {
        Self {
            writer,
            mappers,
            memory: Memory::new(pace.memory),
            items,
            durable,
            pace,
            pulse,
            asker: None,
        }
    }

    /// The lane with whom it asks for what the mapping looks up.
    pub fn asking(self, asker: Arc<Asker>) -> Self {
        Self {
            asker: Some(asker),
            ..self
        }
    }

    /// Works until the reader closes the queue, and everything taken from it is durable.
    pub async fn run(mut self) -> Result<(), LaneError> {
        let pulse = self.pulse.clone();
        let mut next = self.items.recv().await;
        while let Some(item) = next.take() {
            match item {
                Item::Work(work) => {
                    let batch = async {
                        let (works, stopper) = self.gather(work).await;
                        self.process(works).await.map(|()| stopper)
                    };
                    next = pulse.during(Doing::Work, batch).await?;
                }
                Item::Tick(position) => {
                    // Only the last of several ticks counts.
                    match self.items.try_recv() {
                        Ok(Item::Tick(later)) => {
                            next = Some(Item::Tick(later));
                            continue;
                        }
                        Ok(item) => next = Some(item),
                        Err(_) => {}
                    }
                    let overtaken = matches!(next, Some(Item::Work(_)));
                    if !overtaken && position >= self.writer.position() {
                        let note = self.checkpoint(position);
                        pulse.during(Doing::Note, note).await?;
                    }
                }
                Item::Lead(work, seat) => self.lead(work, &seat).await?,
                Item::Wait(seat) => self.wait(&seat).await?,
            }
            if next.is_none() {
                next = self.items.recv().await;
            }
        }
        Ok(())
    }

    /// Takes what is in the queue already, up to a batch, and what may come within the delay.
    async fn gather(&mut self, first: Work) -> (Vec<Work>, Option<Item>) {
        let deadline = Instant::now() + self.pace.batch_delay;
        let mut rows = first.changes.len();
        let mut works = vec![first];
        while rows < self.pace.batch_rows {
            let item = match self.items.try_recv() {
                Ok(item) => item,
                Err(_) if self.pace.batch_delay.is_zero() => break,
                Err(_) => match timeout_at(deadline, self.items.recv()).await {
                    Ok(Some(item)) => item,
                    Ok(None) | Err(_) => break,
                },
            };
            match item {
                Item::Work(work) => {
                    rows += work.changes.len() + work.reads.len();
                    works.push(work);
                }
                other => return (works, Some(other)),
            }
        }
        (works, None)
    }

    /// Brings work into the target. When this returns, all of it is durable.
    async fn process(&mut self, mut works: Vec<Work>) -> Result<(), LaneError> {
        let _shares: Vec<_> = works.iter_mut().filter_map(|w| w.share.take()).collect();
        let to = works
            .iter()
            .map(|w| w.through)
            .max()
            .unwrap_or_default()
            .max(self.writer.position());
        let tally = Tally {
            commit_time: works.iter().filter_map(|w| w.commit_time).max(),
            ..Tally::default()
        };
        let done: Vec<_> = works.iter().filter_map(|w| w.done.clone()).collect();
        let known = self.known(&works).await?;
        switch::place(Place::LedgerRead);
        let mut gathered = gather(&self.mappers, works, known);
        if let Some(asker) = &self.asker {
            let open = to_be_mapped(&mut gathered);
            asker.fill(&self.mappers.current, open).await?;
        }
        let units = units(&self.mappers, gathered);
        self.apply(units, to, tally).await?;
        self.durable.send_replace(self.writer.durable());
        for done in done {
            // Nobody waits any more where the daemon is stopping.
            let _ = done.send(());
        }
        Ok(())
    }

    async fn checkpoint(&mut self, to: Position) -> Result<(), LaneError> {
        self.apply(Vec::new(), to, Tally::default()).await?;
        self.durable.send_replace(self.writer.durable());
        Ok(())
    }

    /// What the ledger knows of all carts of the work, from the cache or with one statement.
    async fn known(&mut self, works: &[Work]) -> Result<HashMap<CartKey, Arc<Known>>, LaneError> {
        let carts = carts_of(works);
        let mut known = HashMap::with_capacity_and_hasher(carts.len(), Default::default());
        let mut absent = Vec::new();
        for cart in &carts {
            match self.memory.get(cart) {
                Some(entry) => {
                    known.insert(cart.clone(), entry);
                }
                None => absent.push(cart),
            }
        }
        for chunk in absent.chunks(1_000) {
            let loaded = self.writer.load(chunk).await?;
            for (cart, loaded) in chunk.iter().zip(loaded) {
                let entry = Known::of(&self.mappers, loaded).map_err(|why| LaneError::Ledger {
                    cart: (*cart).clone(),
                    why,
                })?;
                known.insert((*cart).clone(), Arc::new(entry));
            }
        }
        Ok(known)
    }

    /// Applies work that concerns carts of several lanes, while the others are quiet.
    async fn lead(&mut self, work: Work, seat: &Seat) -> Result<(), LaneError> {
        let meeting = &seat.0;
        let all = seat.waits(&meeting.arrived, |n| *n >= meeting.waiting);
        if !self.pulse.during(Doing::Lanes, all).await {
            return Err(LaneError::Abandoned);
        }
        self.forget(meeting);
        let pulse = self.pulse.clone();
        switch::place(Place::MeetingBegun);
        let led = self.process(vec![work]);
        pulse.during(Doing::Work, led).await?;
        switch::place(Place::MeetingDone);
        // The carts of other lanes do not belong here.
        self.forget(meeting);
        meeting.finished.send_replace(true);
        Ok(())
    }

    async fn wait(&mut self, seat: &Seat) -> Result<(), LaneError> {
        let meeting = &seat.0;
        meeting.arrived.send_modify(|n| *n += 1);
        let done = seat.waits(&meeting.finished, |done| *done);
        if !self.pulse.during(Doing::Lanes, done).await {
            return Err(LaneError::Abandoned);
        }
        self.forget(meeting);
        Ok(())
    }

    fn forget(&mut self, meeting: &Meeting) {
        for cart in &meeting.carts {
            self.memory.forget(cart);
        }
    }
}

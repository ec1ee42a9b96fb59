//! The reader: takes the log event by event, finds each change's cart, and deals whole source
//! transactions out to the lanes. The one place that sees the log in order, so windows open and
//! close here, and here it is known how far everything is durable.

use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, MissedTickBehavior, interval};
use tracing::warn;

use super::dispatch::{Dispatch, LaneGone, Load};
use super::item::Read;
use super::tail::Tail;
use super::transaction::{Room, Transaction};
use super::window::Window;
use crate::cart::key::CartKey;
use crate::cart::owner::{Action, Routed, Router, Take};
use crate::hash::HashMap;
use crate::refresh::owners::OwnersError;
use crate::source::change::{Change, Event, Lsn, Position, TransactionId};
use crate::source::snapshot::Snapshot;
use crate::source::{IdentityError, LogStream, Source, SourceError};
use crate::stop::told;
use crate::switch::{self, Mutant, Place};
use crate::target::checkpoint::Durable;
use crate::target::error::TargetError;
use crate::target::session::Target;

/// How often lanes without work learn how far the log has come.
const TICK: Duration = Duration::from_secs(1);
/// The same while the log moves on only by transactions of others.
const IDLE_TICK: Duration = Duration::from_secs(3);

/// What the refresher asks of the reader.
#[derive(Debug)]
pub enum Request {
    /// From here on, keep the changes of these carts. Answers with the transactions that a snapshot
    /// must see before it may be read.
    Open {
        carts: Vec<CartKey>,
        reply: oneshot::Sender<Vec<TransactionId>>,
    },
    /// The carts were read; go on with them once the log has passed `upto`. Answers with the number
    /// of parts, each of which tells `done`, or with none where the window was abandoned.
    Close {
        reads: Vec<Read>,
        snapshot: Snapshot,
        upto: Lsn,
        done: mpsc::UnboundedSender<()>,
        reply: oneshot::Sender<Option<usize>>,
    },
    /// The carts could not be read.
    Abandon,
    /// Look at these carts again; each group together.
    Touch {
        groups: Vec<Vec<CartKey>>,
        /// Whose rows some of them are to have.
        takes: HashMap<CartKey, Take>,
        done: mpsc::UnboundedSender<()>,
        reply: oneshot::Sender<usize>,
    },
    /// A snapshot was taken.
    Seen(Snapshot),
}

#[derive(Debug, thiserror::Error)]
pub enum ReaderError {
    #[error(transparent)]
    Source(#[from] SourceError),
    #[error(transparent)]
    Identity(#[from] IdentityError),
    #[error(transparent)]
    Owners(#[from] OwnersError),
    #[error("the control tables cannot be written: {0}")]
    Control(#[from] TargetError),
    #[error("the source has ended our session; is it being stopped?")]
    SourceGone,
    #[error(transparent)]
    Lane(#[from] LaneGone),
    #[error(
        "scratch files in {} cannot be used: {error}; see [apply] scratch",
        folder.display()
    )]
    Scratch {
        folder: PathBuf,
        error: std::io::Error,
    },
    /// Told to stop in the middle of a transaction, which is read again.
    #[error("stopping")]
    Stopping,
}

/// What the rest of the daemon may know of the reader.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Everything before has been dealt out.
    pub delivered: Lsn,
    pub confirmed: Lsn,
    /// The oldest transaction that no snapshot is known to see.
    pub unseen: Option<TransactionId>,
}

pub struct Reader {
    pub stream: LogStream,
    pub router: Router,
    pub dispatch: Dispatch,
    pub durable: Vec<watch::Receiver<Durable>>,
    /// Ordinary SQL on the source, to ask for owners.
    pub source: Source,
    /// Ordinary SQL on the target, for what must be durable before the log goes on.
    pub control: Target,
    pub pipeline: i32,
    /// What of a source transaction may wait for its commit.
    pub room: Room,
    pub requests: mpsc::Receiver<Request>,
    pub progress: watch::Sender<Progress>,
    /// What is to be remembered of the source with what is confirmed.
    pub memory: watch::Sender<Option<Value>>,
    pub stop: watch::Receiver<bool>,
    pub state: State,
}

/// Where the reader stands in the log.
#[derive(Debug)]
pub struct State {
    pub(super) at: Position,
    pub(super) transaction: Option<Transaction>,
    pub(super) window: Option<Window>,
    closing: Option<Closing>,
    pub(super) tail: Tail,
    confirmed: Lsn,
    ticked: Instant,
    /// Something of ours was delivered since the last tick.
    busy: bool,
    /// Where the log ended when all carts were last to be read again for what it does not tell.
    pub(super) reread: Lsn,
}

#[derive(Debug)]
struct Closing {
    reads: Vec<Read>,
    snapshot: Snapshot,
    upto: Lsn,
    done: mpsc::UnboundedSender<()>,
    reply: oneshot::Sender<Option<usize>>,
}

impl State {
    pub fn new(start: Position) -> Self {
        Self {
            at: start,
            transaction: None,
            window: None,
            closing: None,
            tail: Tail::default(),
            confirmed: Lsn(0),
            ticked: Instant::now(),
            busy: false,
            reread: Lsn(0),
        }
    }

    /// Gives the change back unless the window keeps it.
    pub(super) fn offer(&mut self, change: Routed) -> Option<Routed> {
        match &mut self.window {
            Some(window) => window.keep(change),
            None => Some(change),
        }
    }

    /// Up to where lanes may be told that they are done: neither past what a window keeps, nor past
    /// a transaction that no snapshot is known to see. A restart reads on from the least of it, and
    /// a change let go that it skipped would be in no image and in no snapshot.
    pub(super) fn through(&self, at: Position) -> Position {
        let kept = self.window.as_ref().and_then(Window::first_kept);
        let border = |lsn| Position { lsn, seq: 0 };
        let unseen = match switch::mutant(Mutant::PassTail) {
            true => None,
            false => self.tail.oldest().map(|id| id.commit),
        };
        let held_back = [kept.map(|first| first.lsn), unseen];
        held_back
            .into_iter()
            .flatten()
            .map(border)
            .fold(at, Position::min)
    }
}

impl Reader {
    /// Reads until told to stop, or until something fails.
    ///
    /// A server that is stopped ends its ordinary sessions first, and then waits for its walsenders
    /// until all that they have sent is confirmed (manual, "Shutting Down the Server"). We may be in
    /// no position to confirm it, and the old shop must not wait for the new one: so the end of the
    /// ordinary session is the end of the log too, even while the reader waits for a lane.
    pub async fn run(self) -> Result<(), ReaderError> {
        let source = self.source.clone();
        tokio::select! {
            biased;
            done = self.read() => done,
            () = source.ended() => Err(ReaderError::SourceGone),
        }
    }

    async fn read(mut self) -> Result<(), ReaderError> {
        let mut beat = interval(Duration::from_millis(50));
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut stop = self.stop.clone();
        let mut open = true;
        loop {
            tokio::select! {
                biased;
                () = told(&mut stop) => return Ok(()),
                _ = beat.tick() => self.beat()?,
                request = self.requests.recv(), if open && self.state.transaction.is_none() => {
                    match request {
                        Some(request) => self.answer(request).await?,
                        None => open = false,
                    }
                }
                event = self.stream.next() => match self.take(event?).await {
                    Err(ReaderError::Stopping) => return Ok(()),
                    done => done?,
                },
            }
        }
    }

    async fn take(&mut self, event: Event) -> Result<(), ReaderError> {
        match event {
            Event::Begin { id, commit_time } => {
                let time = match switch::mutant(Mutant::StampNow) {
                    true => chrono::Utc::now().timestamp_micros(),
                    false => commit_time,
                };
                let transaction = Transaction::new(id, time, self.state.at);
                self.state.transaction = Some(transaction);
            }
            Event::Change(change) => self.change(change).await?,
            Event::Truncate(tables) => self.truncate(tables).await?,
            Event::Commit { end } => self.commit(end).await?,
            Event::Keepalive { end } => {
                if end > self.state.at.lsn {
                    self.state.at = Position { lsn: end, seq: 0 };
                }
                if switch::mutant(Mutant::ConfirmKeepalive) {
                    self.stream.confirm(end);
                }
                self.passed().await?;
            }
        }
        Ok(())
    }

    async fn change(&mut self, change: Change) -> Result<(), ReaderError> {
        let full = |t: &Transaction| t.is_full(&self.room);
        if self.state.transaction.as_ref().is_some_and(full) {
            self.deal_part().await?;
        }
        let Some(transaction) = &mut self.state.transaction else {
            return Ok(());
        };
        let Err(error) = transaction.push(change, &mut self.router, &self.room) else {
            return Ok(());
        };
        transaction.confined = true;
        let folder = self.room.folder.display();
        warn!(%folder, "no scratch space: {error}; see [apply] scratch");
        self.deal_part().await
    }

    /// A part of a transaction that is too large to be kept whole.
    async fn deal_part(&mut self) -> Result<(), ReaderError> {
        let Some(mut transaction) = self.state.transaction.take() else {
            return Ok(());
        };
        self.waive(&mut transaction).await?;
        let reached = transaction.reached();
        self.deal(&mut transaction, reached).await?;
        transaction.dealt = reached;
        self.state.transaction = Some(transaction);
        Ok(())
    }

    async fn commit(&mut self, end: Lsn) -> Result<(), ReaderError> {
        let Some(mut transaction) = self.state.transaction.take() else {
            return Ok(());
        };
        switch::place(Place::Decoded);
        let border = Position { lsn: end, seq: 0 };
        if transaction.seq > 0 {
            self.state.tail.push(transaction.id);
            self.state.busy = true;
        }
        // Nothing of the transaction is left to be dealt out where it was only a TRUNCATE.
        if transaction.is_pending() {
            self.deal(&mut transaction, border).await?;
        }
        self.state.at = border;
        self.passed().await
    }

    /// The window keeps too much: its changes go the ordinary way, before those that follow.
    pub(super) fn abandon(&mut self, load: &mut Load) {
        if let Some(window) = self.state.window.take() {
            let later = std::mem::take(&mut load.changes);
            load.changes = window.abandon();
            load.changes.extend(later);
        }
        if let Some(closing) = self.state.closing.take() {
            // A refresher that is gone is stopping.
            let _ = closing.reply.send(None);
        }
    }

    async fn answer(&mut self, request: Request) -> Result<(), ReaderError> {
        match request {
            Request::Open { carts, reply } => {
                self.state.window = Some(Window::over(carts));
                self.router.read_begins();
                let _ = reply.send(self.state.tail.ids());
            }
            Request::Close {
                reads,
                snapshot,
                upto,
                done,
                reply,
            } => {
                if self.state.window.is_none() {
                    let _ = reply.send(None);
                    return Ok(());
                }
                self.state.closing = Some(Closing {
                    reads,
                    snapshot,
                    upto,
                    done,
                    reply,
                });
                if self.state.at.lsn < upto {
                    self.stream.ask();
                }
                self.passed().await?;
            }
            Request::Abandon => {
                let mut load = Load::default();
                self.abandon(&mut load);
                load.through = self.state.through(self.state.at);
                self.dispatch.load(load).await?;
            }
            Request::Touch {
                groups,
                takes,
                done,
                reply,
            } => {
                let touch = |cart: &CartKey| Routed {
                    // Never skipped as done already: it is no change.
                    position: Position {
                        lsn: Lsn(u64::MAX),
                        seq: 0,
                    },
                    time: 0,
                    transaction: TransactionId::default(),
                    action: Action::Touch {
                        take: takes.get(cart).copied(),
                        cart: cart.clone(),
                    },
                };
                let touched = groups.iter().flatten().map(touch);
                let changes = match &mut self.state.window {
                    Some(window) => touched.filter_map(|c| window.keep(c)).collect(),
                    None => touched.collect(),
                };
                let load = Load {
                    changes,
                    together: groups,
                    through: self.state.through(self.state.at),
                    done: Some(done),
                    ..Load::default()
                };
                let parts = self.dispatch.load(load).await?;
                let _ = reply.send(parts);
            }
            Request::Seen(snapshot) => self.state.tail.seen_by(&snapshot),
        }
        Ok(())
    }

    /// The log has come to `at`: closes the window if that was awaited.
    async fn passed(&mut self) -> Result<(), ReaderError> {
        let at = self.state.at;
        let reached = |upto| at.lsn >= upto || switch::mutant(Mutant::CloseAtOnce);
        if !matches!(&self.state.closing, Some(closing) if reached(closing.upto)) {
            return Ok(());
        }
        let (Some(closing), Some(window)) = (self.state.closing.take(), self.state.window.take())
        else {
            return Ok(());
        };
        let mut reads = closing.reads;
        for read in &mut reads {
            read.at = at;
            if let Some(image) = &read.image {
                self.router.learn_image(image);
            }
        }
        let (reads, changes) = window.close(reads, &closing.snapshot);
        self.state.tail.seen_by(&closing.snapshot);
        let load = Load {
            reads,
            changes,
            through: self.state.through(at),
            done: Some(closing.done),
            ..Load::default()
        };
        let parts = self.dispatch.load(load).await?;
        switch::place(Place::WindowDealt);
        let _ = closing.reply.send(Some(parts));
        Ok(())
    }

    /// Tells idle lanes how far the log has come, and the source what is safe.
    fn beat(&mut self) -> Result<(), ReaderError> {
        let state = &mut self.state;
        let quiet = !state.busy;
        let pause = if quiet { IDLE_TICK } else { TICK };
        if state.ticked.elapsed() >= pause {
            state.ticked = Instant::now();
            state.busy = false;
            if state.transaction.is_none() && !switch::mutant(Mutant::IdleSilent) {
                self.dispatch.tick(state.through(state.at), quiet)?;
            }
            // An idle server says only when asked how far its log has come.
            self.stream.ask();
        }
        if state.closing.is_some() {
            self.stream.ask();
        }
        let lanes = self.durable.iter().map(|lane| *lane.borrow());
        let least = match switch::mutant(Mutant::ConfirmFurthest) {
            true => lanes.max(),
            false => lanes.min(),
        };
        if let Some(least) = least {
            let safe = least.position().lsn;
            let mut safe = state
                .tail
                .oldest()
                .map_or(safe, |oldest| safe.min(oldest.commit));
            if switch::mutant(Mutant::ConfirmDelivered) {
                safe = state.at.lsn;
            }
            if safe > state.confirmed {
                state.confirmed = safe;
                self.stream.confirm(safe);
                let memory = self.stream.memory();
                self.memory.send_if_modified(|known| {
                    let moved = *known != memory;
                    *known = memory;
                    moved
                });
            }
        }
        let progress = Progress {
            delivered: state.at.lsn,
            confirmed: state.confirmed,
            unseen: state.tail.oldest(),
        };
        self.progress.send_if_modified(|p| {
            let moved = *p != progress;
            *p = progress;
            moved
        });
        Ok(())
    }
}

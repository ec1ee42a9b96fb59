//! The reader: takes the log event by event, finds each change's cart, and deals whole source
//! transactions out to the lanes. The one place that sees the log in order, so windows open and
//! close here, and here it is known how far everything is durable.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, MissedTickBehavior, interval};
use tracing::warn;

use super::dispatch::{Dispatch, LaneGone, Load};
use super::item::Read;
use super::tail::Tail;
use super::window::Window;
use crate::cart::key::CartKey;
use crate::cart::owner::{Action, IdentityTooSmall, Question, Routed, Router, Wish};
use crate::postgres::fault;
use crate::refresh::owners::{OwnersError, carts_of};
use crate::source::change::{Change, Event, Lsn, Position};
use crate::source::postgres::{LogStream, SourceError};
use crate::source::snapshot::Snapshot;
use crate::stop::told;
use crate::switch::{self, Mutant, Place};
use crate::target::checkpoint::Durable;

/// A source transaction of more changes is dealt out in pieces: memory stays bounded, and its carts
/// are not atomic (protocol rule 5).
const MAX_GROUPED: usize = 50_000;

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
        reply: oneshot::Sender<Vec<u32>>,
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
    Identity(#[from] IdentityTooSmall),
    #[error(transparent)]
    Owners(#[from] OwnersError),
    #[error("the control tables cannot be written: {}", fault::describe(.0))]
    Control(#[from] tokio_postgres::Error),
    #[error("the source has ended our session; is it being stopped?")]
    SourceGone,
    #[error(transparent)]
    Lane(#[from] LaneGone),
}

/// What the rest of the daemon may know of the reader.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Everything before has been dealt out.
    pub delivered: Lsn,
    pub confirmed: Lsn,
    /// Transactions that no snapshot is known to see.
    pub unseen: bool,
}

pub struct Reader {
    pub stream: LogStream,
    pub router: Router,
    pub dispatch: Dispatch,
    pub durable: Vec<watch::Receiver<Durable>>,
    /// Ordinary SQL on the source, to ask for owners.
    pub source: Arc<tokio_postgres::Client>,
    /// Ordinary SQL on the target, for what must be durable before the log goes on.
    pub control: Arc<tokio_postgres::Client>,
    pub pipeline: i32,
    pub requests: mpsc::Receiver<Request>,
    pub progress: watch::Sender<Progress>,
    pub stop: watch::Receiver<bool>,
    pub state: State,
}

/// Where the reader stands in the log.
#[derive(Debug)]
pub struct State {
    at: Position,
    transaction: Option<Transaction>,
    window: Option<Window>,
    closing: Option<Closing>,
    tail: Tail,
    confirmed: Lsn,
    ticked: Instant,
    /// Something of ours was delivered since the last tick.
    busy: bool,
}

#[derive(Debug)]
struct Transaction {
    xid: u32,
    commit: Lsn,
    time: i64,
    seq: u32,
    changes: Vec<(u32, Change)>,
    waived: bool,
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
        }
    }

    /// Up to where lanes may be told that they are done: neither past what a window keeps, nor past
    /// a transaction that no snapshot is known to see. A restart reads on from the least of it, and
    /// a change let go that it skipped would be in no image and in no snapshot.
    fn through(&self, at: Position) -> Position {
        let kept = self.window.as_ref().and_then(Window::first_kept);
        let border = |lsn| Position { lsn, seq: 0 };
        let held_back = [kept.map(|first| first.lsn), self.tail.oldest()];
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
            () = ended(&source) => Err(ReaderError::SourceGone),
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
                event = self.stream.next() => self.take(event?).await?,
            }
        }
    }

    async fn take(&mut self, event: Event) -> Result<(), ReaderError> {
        match event {
            Event::Begin {
                xid,
                commit,
                commit_time,
            } => {
                self.state.transaction = Some(Transaction {
                    xid,
                    commit,
                    time: commit_time,
                    seq: 0,
                    changes: Vec::new(),
                    waived: false,
                });
            }
            Event::Change(change) => {
                if let Some(transaction) = &mut self.state.transaction {
                    transaction.seq = transaction.seq.saturating_add(1);
                    transaction.changes.push((transaction.seq, change));
                    if transaction.changes.len() >= MAX_GROUPED {
                        self.deal_piece().await?;
                    }
                }
            }
            Event::Truncate(tables) => self.truncate(tables).await?,
            Event::Commit { end } => self.commit(end).await?,
            Event::Keepalive { end } => {
                if end > self.state.at.lsn {
                    self.state.at = Position { lsn: end, seq: 0 };
                }
                self.passed().await?;
            }
        }
        Ok(())
    }

    /// The first pieces of a transaction that is too large to be kept whole.
    async fn deal_piece(&mut self) -> Result<(), ReaderError> {
        let Some(transaction) = &mut self.state.transaction else {
            return Ok(());
        };
        if !transaction.waived {
            transaction.waived = true;
            warn!(
                commit = %transaction.commit,
                changes = MAX_GROUPED,
                "a source transaction is larger than what is kept whole: \
                 its carts are applied in pieces"
            );
            self.control
                .execute(
                    "UPDATE cartage.pipeline SET waived = waived + 1 WHERE id = $1",
                    &[&self.pipeline],
                )
                .await?;
        }
        let changes = std::mem::take(&mut transaction.changes);
        let (xid, time) = (transaction.xid, transaction.time);
        let reached = Position {
            lsn: transaction.commit,
            seq: transaction.seq,
        };
        self.deal(xid, time, changes, reached, reached).await
    }

    /// Empties source tables in all carts. A barrier: the lanes finish what came before, then the
    /// ledger's carts are walked in chunks, and only then the log goes on. A restart on the way gets
    /// the TRUNCATE again, and skips the carts that are done (protocol rule 18).
    async fn truncate(&mut self, tables: Vec<usize>) -> Result<(), ReaderError> {
        let Some(transaction) = &mut self.state.transaction else {
            return Ok(());
        };
        transaction.seq = transaction.seq.saturating_add(1);
        let before = std::mem::take(&mut transaction.changes);
        let (xid, time) = (transaction.xid, transaction.time);
        let position = Position {
            lsn: transaction.commit,
            seq: transaction.seq,
        };
        let so_far = self.state.at;
        self.deal(xid, time, before, position, so_far).await?;
        self.dispatch.settle().await?;
        let tables: Arc<[usize]> = tables.into();
        let clear = |cart: CartKey| Routed {
            position,
            time,
            xid,
            action: Action::Clear {
                cart,
                tables: tables.clone(),
            },
        };
        if let Some(window) = &mut self.state.window {
            let members: Vec<CartKey> = window.members().cloned().collect();
            for cart in members {
                window.keep(clear(cart));
            }
        }
        let mut after = String::new();
        loop {
            let rows = self
                .control
                .query(
                    "SELECT cart FROM cartage.ledger WHERE pipeline = $1 AND cart > $2::text \
                     AND state <> 'handed_over' ORDER BY cart LIMIT 1000",
                    &[&self.pipeline, &after],
                )
                .await?;
            let Some(last) = rows.last() else {
                return Ok(());
            };
            after = last.get(0);
            let inside = |cart: &CartKey| {
                let window = self.state.window.as_ref();
                window.is_some_and(|w| w.members().any(|member| member == cart))
            };
            let carts = rows.iter().map(|row| CartKey::stored(row.get(0)));
            let load = Load {
                changes: carts.filter(|cart| !inside(cart)).map(&clear).collect(),
                through: self.state.through(so_far),
                ..Load::default()
            };
            self.dispatch.load(load).await?;
            self.dispatch.settle().await?;
        }
    }

    async fn commit(&mut self, end: Lsn) -> Result<(), ReaderError> {
        let Some(transaction) = self.state.transaction.take() else {
            return Ok(());
        };
        switch::place(Place::Decoded);
        let border = Position { lsn: end, seq: 0 };
        let last = Position {
            lsn: transaction.commit,
            seq: transaction.seq,
        };
        if transaction.seq > 0 {
            self.state.tail.push(transaction.xid, transaction.commit);
            self.state.busy = true;
        }
        self.state.at = border;
        if !transaction.changes.is_empty() {
            let Transaction {
                xid, time, changes, ..
            } = transaction;
            self.deal(xid, time, changes, last, border).await?;
        }
        self.passed().await
    }

    /// Routes changes and sends them to their lanes, or into the window.
    async fn deal(
        &mut self,
        xid: u32,
        time: i64,
        mut changes: Vec<(u32, Change)>,
        last: Position,
        through: Position,
    ) -> Result<(), ReaderError> {
        self.router.join_moves(&mut changes);
        for (_, change) in &changes {
            self.router.learn(change);
        }
        let lsn = last.lsn;
        let mut load = Load {
            commit_time: Some(time),
            ..Load::default()
        };
        let mut questions: Vec<Question> = Vec::new();
        let mut route = |action, seq| {
            let routed = Routed {
                position: Position { lsn, seq },
                time,
                xid,
                action,
            };
            let passed = match &mut self.state.window {
                Some(window) => window.keep(routed),
                None => Some(routed),
            };
            load.changes.extend(passed);
        };
        for (seq, change) in changes {
            let routing = self.router.route(change)?;
            questions.extend(routing.questions);
            if let Some(action) = routing.action {
                route(action, seq);
            }
        }
        questions.sort_by(|a, b| (a.table, &a.key).cmp(&(b.table, &b.key)));
        questions.dedup();
        if !questions.is_empty() {
            for cart in carts_of(&self.source, self.router.layout(), &questions).await? {
                let why = Wish::Owner;
                route(Action::Refresh { cart, why }, last.seq);
            }
        }
        if self.state.window.as_ref().is_some_and(Window::overflows) {
            self.abandon(&mut load);
        }
        load.through = self.state.through(through);
        self.dispatch.load(load).await?;
        Ok(())
    }

    /// The window keeps too much: its changes go the ordinary way, before those that follow.
    fn abandon(&mut self, load: &mut Load) {
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
                let _ = reply.send(self.state.tail.xids());
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
                    xid: 0,
                    action: Action::Touch { cart: cart.clone() },
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
        if !matches!(&self.state.closing, Some(closing) if at.lsn >= closing.upto) {
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
                self.router.learn_image(&read.cart, image);
            }
        }
        self.router.learn_again(window.kept());
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
        let _ = closing.reply.send(Some(parts));
        Ok(())
    }

    /// Tells idle lanes how far the log has come, and the source what is safe.
    fn beat(&mut self) -> Result<(), ReaderError> {
        let state = &mut self.state;
        let pause = if state.busy { TICK } else { IDLE_TICK };
        if state.ticked.elapsed() >= pause {
            state.ticked = Instant::now();
            state.busy = false;
            if state.transaction.is_none() {
                self.dispatch.tick(state.through(state.at))?;
            }
            // An idle server says only when asked how far its log has come.
            self.stream.ask();
        }
        if state.closing.is_some() {
            self.stream.ask();
        }
        let lanes = self.durable.iter().map(|lane| *lane.borrow()).min();
        if let Some(least) = lanes {
            let safe = least.position().lsn;
            let mut safe = state.tail.oldest().map_or(safe, |oldest| safe.min(oldest));
            if switch::mutant(Mutant::ConfirmDelivered) {
                safe = state.at.lsn;
            }
            if safe > state.confirmed {
                state.confirmed = safe;
                self.stream.confirm(safe);
            }
        }
        let progress = Progress {
            delivered: state.at.lsn,
            confirmed: state.confirmed,
            unseen: !state.tail.is_empty(),
        };
        self.progress.send_if_modified(|p| {
            let moved = *p != progress;
            *p = progress;
            moved
        });
        Ok(())
    }
}

/// The driver does not tell, it has to be asked.
async fn ended(session: &tokio_postgres::Client) {
    let mut look = interval(Duration::from_millis(100));
    while !session.is_closed() {
        look.tick().await;
    }
}

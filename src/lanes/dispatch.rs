//! Handing work to the lanes: each cart to its own, and what ties carts of several lanes to one of
//! them while the others are quiet (protocol rule 9).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tokio::sync::{Semaphore, mpsc};

use super::item::{Item, Meeting, Read, Seat, Work, lane_of};
use super::ties::Ties;
use crate::cart::image::Image;
use crate::cart::key::CartKey;
use crate::cart::owner::{Action, Routed};
use crate::hash::HashMap;
use crate::pulse::{Doing, Pulse};
use crate::source::change::Position;
use crate::switch::{self, Mutant};

/// What may wait for a lane, whatever the number of its items: two batches of small rows or, where
/// these are smaller, so many, or as many shares of [`SHARE`] bytes. What is larger waits alone.
const WAITING: u32 = 4_000;
const SHARE: usize = 256;

/// A lane has stopped; its own error says why.
#[derive(Debug, thiserror::Error)]
#[error("lane {0} has stopped")]
pub struct LaneGone(pub usize);

/// The queues of all lanes.
pub struct Dispatch {
    lanes: Vec<mpsc::Sender<Item>>,
    room: Vec<Arc<Semaphore>>,
    /// What there is room for in each.
    waiting: u32,
    /// What each lane was last told that it is done up to.
    sent: Vec<Position>,
    /// The reader's.
    pulse: Pulse,
}

/// Work on its way out.
#[derive(Debug, Default)]
pub struct Load {
    pub reads: Vec<Read>,
    pub changes: Vec<Routed>,
    /// Carts that must be applied together.
    pub together: Vec<Vec<CartKey>>,
    pub through: Position,
    pub commit_time: Option<i64>,
    pub done: Option<mpsc::UnboundedSender<()>>,
}

impl Dispatch {
    pub fn new(
        lanes: Vec<mpsc::Sender<Item>>,
        batch_rows: usize,
        start: Position,
        pulse: Pulse,
    ) -> Self {
        let sent = vec![start; lanes.len()];
        let batches = u32::try_from(batch_rows.saturating_mul(2)).unwrap_or(u32::MAX);
        let waiting = batches.max(WAITING);
        let room = lanes
            .iter()
            .map(|_| Arc::new(Semaphore::new(waiting as usize)))
            .collect();
        Self {
            lanes,
            room,
            waiting,
            sent,
            pulse,
        }
    }

    /// Waits until the lane has room for the work: a slow target slows the reading of the log.
    async fn make_room(&self, lane: usize, work: &mut Work) -> Result<(), LaneGone> {
        let rows = work.changes.len() + work.reads.len();
        let changes = work.changes.iter().map(Routed::footprint);
        let reads = work.reads.iter().filter_map(|read| read.image.as_ref());
        let bytes: usize = changes.chain(reads.map(Image::footprint)).sum();
        let rows = u32::try_from(rows.max(bytes / SHARE))
            .unwrap_or(self.waiting)
            .clamp(1, self.waiting);
        let share = self.room[lane].clone().acquire_many_owned(rows);
        let room = async {
            tokio::select! {
                share = share => Ok(share.ok()),
                // What a stopped lane held is given back with its queue, but it takes no more.
                () = self.lanes[lane].closed() => Err(LaneGone(lane)),
            }
        };
        work.share = self.pulse.during(Doing::Lanes, room).await?;
        Ok(())
    }

    async fn send(&self, lane: usize, item: Item) -> Result<(), LaneGone> {
        let sent = self.lanes[lane].send(item);
        let sent = self.pulse.during(Doing::Lanes, sent).await;
        sent.map_err(|_| LaneGone(lane))
    }

    /// Sends the load; returns into how many parts it was cut.
    pub async fn load(&mut self, load: Load) -> Result<usize, LaneGone> {
        let mut ties = Ties::default();
        for change in &load.changes {
            if let Action::Move { from, to, .. } = &change.action {
                ties.tie(from, to);
            }
        }
        for group in &load.together {
            for pair in group.windows(2) {
                ties.tie(&pair[0], &pair[1]);
            }
        }
        let lanes = self.lanes.len();
        let across = ties.across(|cart| match switch::mutant(Mutant::NoMeeting) {
            true => 0,
            false => lane_of(cart, lanes),
        });
        let mut own: BTreeMap<usize, Work> = BTreeMap::new();
        let mut led: HashMap<CartKey, Work> = HashMap::default();
        let mut of = |cart: &CartKey| -> Option<(Option<CartKey>, usize)> {
            let root = ties.root(cart);
            let crosses = across.contains_key(&root);
            Some((crosses.then_some(root), lane_of(cart, lanes)))
        };
        for read in load.reads {
            if let Some((root, lane)) = of(&read.cart) {
                work_at(&mut own, &mut led, root, lane).reads.push(read);
            }
        }
        for change in load.changes {
            let place = change.action.carts().next().and_then(&mut of);
            if let Some((root, lane)) = place {
                work_at(&mut own, &mut led, root, lane).changes.push(change);
            }
        }
        let mut parts = 0;
        for (root, mut work) in led {
            let Some(members) = across.get(&root) else {
                continue;
            };
            let quiet: BTreeSet<usize> = members.iter().map(|c| lane_of(c, lanes)).collect();
            let mut quiet = quiet.into_iter();
            let Some(leader) = quiet.next() else { continue };
            let meeting = Meeting::new(quiet.len(), members.clone());
            let seat = Seat(meeting.clone());
            for lane in quiet {
                self.send(lane, Item::Wait(Seat(meeting.clone()))).await?;
            }
            // The lane's own share of the load may still follow.
            work.through = self.sent[leader];
            work.commit_time = load.commit_time;
            work.done.clone_from(&load.done);
            parts += 1;
            self.make_room(leader, &mut work).await?;
            self.send(leader, Item::Lead(work, seat)).await?;
        }
        for (lane, mut work) in own {
            work.through = load.through;
            work.commit_time = load.commit_time;
            work.done.clone_from(&load.done);
            parts += 1;
            self.sent[lane] = self.sent[lane].max(load.through);
            self.make_room(lane, &mut work).await?;
            self.send(lane, Item::Work(work)).await?;
        }
        Ok(parts)
    }

    /// Waits until every lane has done all that it was sent.
    pub async fn settle(&mut self) -> Result<(), LaneGone> {
        let (done, mut finished) = mpsc::unbounded_channel();
        for lane in 0..self.lanes.len() {
            let work = Work {
                through: self.sent[lane],
                done: Some(done.clone()),
                ..Work::default()
            };
            self.send(lane, Item::Work(work)).await?;
        }
        drop(done);
        for lane in 0..self.lanes.len() {
            let settled = self.pulse.during(Doing::Lanes, finished.recv()).await;
            if settled.is_none() {
                return Err(LaneGone(lane));
            }
        }
        Ok(())
    }

    /// Tells lanes that had nothing to do how far the log has come. A lane whose queue is full
    /// needs no telling. Where the log stands still, too, they are told again: what a lane commits is
    /// how commands see that a daemon is there.
    pub fn tick(&mut self, through: Position, quiet: bool) -> Result<(), LaneGone> {
        for (lane, sender) in self.lanes.iter().enumerate() {
            let again = quiet && self.sent[lane] == through;
            if self.sent[lane] >= through && !again {
                continue;
            }
            match sender.try_send(Item::Tick(through)) {
                Ok(()) => self.sent[lane] = through,
                Err(mpsc::error::TrySendError::Full(_)) => {}
                Err(mpsc::error::TrySendError::Closed(_)) => return Err(LaneGone(lane)),
            }
        }
        Ok(())
    }
}

fn work_at<'a>(
    own: &'a mut BTreeMap<usize, Work>,
    led: &'a mut HashMap<CartKey, Work>,
    root: Option<CartKey>,
    lane: usize,
) -> &'a mut Work {
    match root {
        Some(root) => led.entry(root).or_default(),
        None => own.entry(lane).or_default(),
    }
}

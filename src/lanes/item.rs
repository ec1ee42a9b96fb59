//! What the reader hands to the lanes, in order.

use std::hash::Hasher;
use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, mpsc, watch};

use crate::cart::image::Image;
use crate::cart::key::CartKey;
use crate::cart::owner::Routed;
use crate::repair::Repair;
use crate::source::change::Position;

/// A cart read whole from the source.
#[derive(Clone, Debug)]
pub struct Read {
    pub cart: CartKey,
    /// None: the source has no such cart.
    pub image: Option<Image>,
    /// The changes of the cart up to here are in the image, or follow in the same work.
    pub at: Position,
    /// Dates a transition that the read finds, where the cart itself does not.
    pub stamp: i64,
    /// It is to be repaired.
    pub repair: Option<Repair>,
}

/// Changes to apply, and up to where the lane is done once they are.
#[derive(Debug, Default)]
pub struct Work {
    pub reads: Vec<Read>,
    pub changes: Vec<Routed>,
    pub through: Position,
    /// Commit time of the source transaction, for the lag.
    pub commit_time: Option<i64>,
    /// Told once all of it is durable.
    pub done: Option<mpsc::UnboundedSender<()>>,
    /// Its share of what may wait for the lane; given back when it is done.
    pub share: Option<OwnedSemaphorePermit>,
}

/// Lanes meet here while one of them applies what concerns several.
#[derive(Debug)]
pub struct Meeting {
    /// Lanes that must be quiet.
    pub waiting: usize,
    pub arrived: watch::Sender<usize>,
    pub finished: watch::Sender<bool>,
    /// A lane has left before the end: what was to be applied together is not.
    pub broken: watch::Sender<bool>,
    /// What the others must forget.
    pub carts: Vec<CartKey>,
}

impl Meeting {
    pub fn new(waiting: usize, carts: Vec<CartKey>) -> Arc<Self> {
        Arc::new(Self {
            waiting,
            arrived: watch::Sender::new(0),
            finished: watch::Sender::new(false),
            broken: watch::Sender::new(false),
            carts,
        })
    }
}

/// A lane's place in a meeting. Whoever drops it before the end, be it with its whole queue, breaks
/// the meeting up: the others must not wait for him, nor go on as if all had been applied.
#[derive(Debug)]
pub struct Seat(pub Arc<Meeting>);

impl Seat {
    /// Waits until `reached` holds of one side of the meeting. False where it was broken up.
    pub async fn waits<T>(&self, side: &watch::Sender<T>, reached: impl Fn(&T) -> bool) -> bool {
        let (mut side, mut broken) = (side.subscribe(), self.0.broken.subscribe());
        tokio::select! {
            biased;
            reached = side.wait_for(reached) => reached.is_ok(),
            _ = broken.wait_for(|broken| *broken) => false,
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        if !*self.0.finished.borrow() {
            self.0.broken.send_replace(true);
        }
    }
}

#[derive(Debug)]
pub enum Item {
    Work(Work),
    /// Nothing for this lane up to here.
    Tick(Position),
    /// Apply this, once the lanes that it concerns are quiet.
    Lead(Work, Seat),
    /// Be quiet until the leader is done.
    Wait(Seat),
}

/// The lane of a cart. The same in every run and version: FNV-1a over the key.
pub fn lane_of(cart: &CartKey, lanes: usize) -> usize {
    let mut hash = Fnv(0xcbf2_9ce4_8422_2325);
    hash.write(cart.as_str().as_bytes());
    (hash.finish() % lanes.max(1) as u64) as usize
}

struct Fnv(u64);

impl Hasher for Fnv {
    fn finish(&self) -> u64 {
        // The low bits alone would follow the last byte.
        self.0 ^ self.0 >> 32
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
}

//! Customers at work in one of the two shops, on several connections. What they do is drawn from the
//! seed; when it is done, and what they see then, depends on the machine and the other shop.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use fastrand::Rng;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};

use super::choice::PRODUCTS;
use super::{Carts, new_shop, old_shop};
use crate::demo::DemoError;
use crate::demo::cluster::ClusterError;
use crate::demo::shops::Shop;
use crate::target::error::TargetError;
use crate::target::session::Target;

const WORKERS: u32 = 6;
/// Transactions that each worker does at once when it is hurried.
const HURRY: u32 = 60;
/// How often a visit is tried that comes too late each time.
const ATTEMPTS: u32 = 20;

/// What a visit is about.
#[derive(Debug, Clone, Copy)]
pub enum What {
    Product(i64),
    /// What this shop alone writes: the email in the old one, the remark in the new one.
    Own,
    /// What both shops write.
    Note,
}

#[derive(Debug, Clone, Copy)]
pub struct Visit {
    pub cart: i64,
    pub edge: bool,
    pub what: What,
}

/// What came of a visit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Done {
    /// Committed: a quantity, or a value.
    Quantity,
    Value,
    /// The customer left everything as it was.
    Nothing,
    /// Somebody else wrote the cart in between.
    Late,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    Old,
    New,
}

/// What the customers of one shop have done so far.
#[derive(Debug, Default)]
pub struct Tally {
    closing: AtomicBool,
    hurries: AtomicU64,
    quantities: AtomicU64,
    transactions: AtomicU64,
    late: AtomicU64,
    deadlocks: AtomicU64,
}

impl Tally {
    /// Committed changes of a quantity.
    pub fn changes(&self) -> u64 {
        self.quantities.load(Ordering::Relaxed)
    }

    pub fn transactions(&self) -> u64 {
        self.transactions.load(Ordering::Relaxed)
    }

    /// Visits that had to be tried again, because somebody else had written the cart.
    pub fn late(&self) -> u64 {
        self.late.load(Ordering::Relaxed)
    }

    /// The same because the server broke a deadlock off, or could not put it in order.
    pub fn deadlocks(&self) -> u64 {
        self.deadlocks.load(Ordering::Relaxed)
    }

    fn count(&self, done: Done) {
        let add = |counter: &AtomicU64| {
            counter.fetch_add(1, Ordering::Relaxed);
        };
        match done {
            Done::Nothing => return,
            Done::Late => return add(&self.late),
            Done::Quantity => add(&self.quantities),
            Done::Value => {}
        }
        add(&self.transactions);
    }
}

/// The customers of one shop.
#[derive(Debug)]
pub struct Writers {
    workers: JoinSet<Result<(), TargetError>>,
    tally: Arc<Tally>,
}

impl Writers {
    /// Lets them begin; `rate` is in transactions per second, of all together.
    pub async fn open(
        side: Side,
        shop: &Shop,
        carts: Carts,
        seed: u64,
        rate: u32,
    ) -> Result<Self, DemoError> {
        let tally = Arc::new(Tally::default());
        let mut workers = JoinSet::new();
        for number in 0..WORKERS {
            let salt = u64::from(number) + if side == Side::New { 1_000 } else { 0 };
            let worker = Worker {
                side,
                session: shop.session().await?,
                carts,
                rng: Rng::with_seed(seed.wrapping_add(salt)),
                tally: Arc::clone(&tally),
            };
            workers.spawn(worker.work(Duration::from_secs(1) * WORKERS / rate.max(1)));
        }
        Ok(Writers { workers, tally })
    }

    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    /// Lets each worker do many visits without a pause.
    pub fn hurry(&self) {
        self.tally.hurries.fetch_add(1, Ordering::Relaxed);
    }

    /// Lets every worker finish what it is at.
    pub async fn close(mut self) -> Result<Arc<Tally>, DemoError> {
        self.tally.closing.store(true, Ordering::Relaxed);
        while let Some(ended) = self.workers.join_next().await {
            ended.map_err(|error| ClusterError::Program {
                program: "the storefront".into(),
                output: error.to_string(),
            })??;
        }
        Ok(Arc::clone(&self.tally))
    }
}

struct Worker {
    side: Side,
    session: Target,
    carts: Carts,
    rng: Rng,
    tally: Arc<Tally>,
}

impl Worker {
    async fn work(mut self, pause: Duration) -> Result<(), TargetError> {
        let mut ticks = interval(pause);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut hurries, mut hurry) = (0, 0);
        while !self.tally.closing.load(Ordering::Relaxed) {
            let asked = self.tally.hurries.load(Ordering::Relaxed);
            if asked > hurries {
                (hurries, hurry) = (asked, HURRY);
            }
            match hurry {
                0 => {
                    ticks.tick().await;
                }
                _ => hurry -= 1,
            }
            self.visit().await?;
        }
        Ok(())
    }

    async fn visit(&mut self) -> Result<(), TargetError> {
        let visit = self.draw();
        for _ in 0..ATTEMPTS {
            let (session, rng) = (&self.session, &mut self.rng);
            self.session.run("BEGIN").await?;
            let done = match self.side {
                Side::Old => old_shop::serve(session, rng, visit).await,
                Side::New => new_shop::serve(session, rng, visit).await,
            };
            let done = match done {
                Ok(done @ (Done::Quantity | Done::Value)) => {
                    self.session.run("COMMIT").await.map(|()| done)
                }
                other => other,
            };
            match done {
                Ok(done) => {
                    self.tally.count(done);
                    match done {
                        Done::Quantity | Done::Value => return Ok(()),
                        Done::Nothing => return self.session.run("ROLLBACK").await,
                        Done::Late => self.session.run("ROLLBACK").await?,
                    }
                }
                // It has had no effect.
                Err(error) if error.stumble().is_some() => {
                    self.session.run("ROLLBACK").await?;
                    self.tally.deadlocks.fetch_add(1, Ordering::Relaxed);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn draw(&mut self) -> Visit {
        let edge = self.rng.u8(..20) == 0;
        let Carts { hot, edges } = self.carts;
        let cart = match edge {
            true => hot + 1 + self.rng.i64(0..edges),
            false => 1 + self.rng.i64(0..hot),
        };
        let what = match self.rng.u8(..25) {
            0 => What::Own,
            1 => What::Note,
            _ => What::Product(self.rng.i64(0..PRODUCTS)),
        };
        Visit { cart, edge, what }
    }
}

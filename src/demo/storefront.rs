//! A simulated storefront: customers at work in the old shop, on several connections.
//!
//! Each worker owns its carts, so that workers hardly ever wait for each other. What is done is drawn
//! from the seed; when it is done depends on the machine.

mod desk;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use fastrand::Rng;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval};

use self::desk::{Desk, Outcome};
use super::DemoError;
use super::cluster::ClusterError;
use super::shops::Shops;
use crate::target::error::TargetError;
use crate::target::session::Target;

const WORKERS: u32 = 8;
const EXPIRED_AT_ONCE: usize = 100;
/// However long the demo waits for something, the storefront writes no longer than this.
const LONGEST: Duration = Duration::from_secs(150);

#[derive(Debug, Clone, Copy)]
pub struct Pace {
    pub seed: u64,
    /// Transactions per second, of all workers together.
    pub rate: u32,
}

/// A storefront that is open.
#[derive(Debug)]
pub struct Storefront {
    workers: JoinSet<Result<(), TargetError>>,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    closing: AtomicBool,
    transactions: AtomicU64,
    expiries: AtomicU64,
}

impl Storefront {
    /// Opens the storefront over the live carts of the old shop.
    pub async fn open(shops: &Shops, pace: Pace) -> Result<Self, DemoError> {
        // All carts are dealt out before the first worker makes new ones: a cart of two owners would
        // be bought by one and filled on by the other.
        let live = "SELECT id FROM orders
                    WHERE state = 'cart' AND token NOT LIKE 'probe-%' ORDER BY id";
        let live = shops.old.session().await?.query(live, &[]).await?;
        let live: Vec<i64> = live
            .iter()
            .map(|row| row.get(0))
            .collect::<Result<_, _>>()?;
        Self::over(shops, pace, &live).await
    }

    /// Opens it over these carts, the oldest first, and those that its customers make.
    pub async fn over(shops: &Shops, pace: Pace, live: &[i64]) -> Result<Self, DemoError> {
        let shared = Arc::new(Shared::default());
        let mut sessions = Vec::new();
        for _ in 0..WORKERS {
            sessions.push(shops.old.session().await?);
        }
        let mut workers = JoinSet::new();
        for (number, session) in (0..WORKERS).zip(sessions) {
            let own = |id: &i64| id.rem_euclid(i64::from(WORKERS)) == i64::from(number);
            let worker = Worker {
                session,
                carts: live.iter().copied().filter(own).collect(),
                rng: Rng::with_seed(pace.seed.wrapping_add(u64::from(number))),
                shared: Arc::clone(&shared),
            };
            let pause = Duration::from_secs(1) * WORKERS / pace.rate.max(1);
            workers.spawn(worker.work(pause));
        }
        Ok(Storefront { workers, shared })
    }

    /// Transactions committed so far.
    pub fn transactions(&self) -> u64 {
        self.shared.transactions.load(Ordering::Relaxed)
    }

    /// Lets each worker expire a crowd of its oldest carts by one DELETE: a burst of changes.
    pub fn expire(&self) {
        self.shared.expiries.fetch_add(1, Ordering::Relaxed);
    }

    /// Lets every worker finish what it is at; says how many transactions there were.
    pub async fn close(mut self) -> Result<u64, DemoError> {
        self.shared.closing.store(true, Ordering::Relaxed);
        while let Some(ended) = self.workers.join_next().await {
            ended.map_err(|error| ClusterError::Program {
                program: "the storefront".into(),
                output: error.to_string(),
            })??;
        }
        Ok(self.transactions())
    }
}

struct Worker {
    session: Target,
    /// Oldest first, but for what was taken out in between.
    carts: Vec<i64>,
    rng: Rng,
    shared: Arc<Shared>,
}

impl Worker {
    async fn work(mut self, pause: Duration) -> Result<(), TargetError> {
        let mut ticks = interval(pause);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
        let end = Instant::now() + LONGEST;
        let mut expiries = self.shared.expiries.load(Ordering::Relaxed);
        while !self.shared.closing.load(Ordering::Relaxed) && Instant::now() < end {
            ticks.tick().await;
            let asked = self.shared.expiries.load(Ordering::Relaxed);
            match self.transaction(asked > expiries).await {
                Ok(outcome) => outcome.on(&mut self.carts),
                // Another transaction came first, and this one has had no effect.
                Err(error) if error.stumble().is_some() => {
                    self.session.run("ROLLBACK").await?;
                    continue;
                }
                Err(error) => return Err(error),
            }
            expiries = asked;
            self.shared.transactions.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    }

    async fn transaction(&mut self, expire: bool) -> Result<Outcome, TargetError> {
        self.session.run("BEGIN").await?;
        let mut desk = Desk {
            session: &self.session,
            carts: &self.carts,
            rng: &mut self.rng,
        };
        let outcome = match expire {
            true => desk.expire().await?,
            false => desk.serve().await?,
        };
        self.session.run("COMMIT").await?;
        Ok(outcome)
    }
}

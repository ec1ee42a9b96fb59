//! The delay from a commit in the old shop to the moment a reader of the new shop can see it.
//!
//! A few carts belong to the probe. It writes a number into the note of one of them, remembers
//! when the commit returned, and asks the new shop until it shows that number. Both happen in this
//! process, so that one clock serves both; what the asking takes is part of the delay.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};
use tokio_postgres::Statement;

use super::DemoError;
use super::shops::{PROBES, Shops};
use crate::params;
use crate::target::error::TargetError;
use crate::target::row::Row;
use crate::target::session::Target;

const EVERY: Duration = Duration::from_millis(50);
const LOOK_EVERY: Duration = Duration::from_millis(2);

/// Counts the daemon's changes of condition: even while it is caught up, odd while it is down,
/// backfills or catches up. A probe is steady if the count is even and the same at both its ends.
#[derive(Debug, Default)]
pub struct Condition(AtomicU64);

impl Condition {
    pub fn new() -> Self {
        Condition(AtomicU64::new(1))
    }

    pub fn set_steady(&self, steady: bool) {
        let count = self.0.load(Ordering::Relaxed);
        if count.is_multiple_of(2) != steady {
            self.0.store(count + 1, Ordering::Relaxed);
        }
    }

    fn count(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

#[derive(Debug, Clone, Copy)]
struct Sent {
    number: u64,
    at: Instant,
    condition: u64,
}

/// What the probe measured.
#[derive(Debug, Clone, Default)]
pub struct Delays {
    /// While the daemon was up and caught up.
    pub steady: Vec<Duration>,
    /// At any time, backfill and kills included.
    pub all: Vec<Duration>,
}

/// A probe at work; it stops when dropped.
#[derive(Debug)]
pub struct Probe {
    writer: JoinHandle<Result<(), TargetError>>,
    reader: JoinHandle<Result<(), TargetError>>,
    delays: Arc<Mutex<Delays>>,
}

impl Probe {
    pub async fn start(shops: &Shops, condition: Arc<Condition>) -> Result<Self, DemoError> {
        let waiting: Arc<Mutex<Vec<VecDeque<Sent>>>> =
            Arc::new(Mutex::new(vec![VecDeque::new(); PROBES]));
        let delays = Arc::new(Mutex::new(Delays::default()));
        let writer = write(
            shops.old.session().await?,
            Arc::clone(&waiting),
            Arc::clone(&condition),
        );
        let reader = read(
            shops.new.session().await?,
            waiting,
            condition,
            Arc::clone(&delays),
        );
        Ok(Probe {
            writer: tokio::spawn(writer),
            reader: tokio::spawn(reader),
            delays,
        })
    }

    /// Writes no more, but goes on looking.
    pub async fn stop_writing(&self) {
        self.writer.abort();
        while !self.writer.is_finished() {
            sleep(Duration::from_millis(1)).await;
        }
    }

    pub async fn delays(&self) -> Delays {
        self.delays.lock().await.clone()
    }
}

impl Drop for Probe {
    fn drop(&mut self) {
        self.writer.abort();
        self.reader.abort();
    }
}

type Waiting = Arc<Mutex<Vec<VecDeque<Sent>>>>;

async fn write(
    session: Target,
    waiting: Waiting,
    condition: Arc<Condition>,
) -> Result<(), TargetError> {
    let update = "UPDATE orders SET note = $2, updated_at = CURRENT_TIMESTAMP(6) WHERE token = $1";
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    for number in 1_u64.. {
        ticks.tick().await;
        let probe = (number % PROBES as u64) as usize;
        let before = condition.count();
        session
            .execute(
                update,
                params![format!("probe-{probe}"), number.to_string()],
            )
            .await?;
        let sent = Sent {
            number,
            at: Instant::now(),
            condition: before,
        };
        if let Some(queue) = waiting.lock().await.get_mut(probe) {
            queue.push_back(sent);
        }
    }
    Ok(())
}

/// The question that is asked all the time. It is prepared once, for its time is part of the delay;
/// with MySQL the driver remembers it.
struct Look {
    session: Target,
    prepared: Option<Statement>,
}

impl Look {
    const SQL: &str = "SELECT token, note FROM cart WHERE token LIKE 'probe-%'";

    async fn new(session: Target) -> Result<Self, TargetError> {
        let prepared = match &session {
            Target::Postgres(client) => Some(client.prepare(Self::SQL).await?),
            Target::Mysql(_) => None,
        };
        Ok(Self { session, prepared })
    }

    async fn ask(&self) -> Result<Vec<Row>, TargetError> {
        match (&self.session, &self.prepared) {
            (Target::Postgres(client), Some(prepared)) => {
                let rows = client.query(prepared, &[]).await?;
                Ok(rows.into_iter().map(Row::Postgres).collect())
            }
            (session, _) => session.query(Self::SQL, &[]).await,
        }
    }
}

async fn read(
    session: Target,
    waiting: Waiting,
    condition: Arc<Condition>,
    delays: Arc<Mutex<Delays>>,
) -> Result<(), TargetError> {
    let look = Look::new(session).await?;
    loop {
        sleep(LOOK_EVERY).await;
        let rows = look.ask().await?;
        let seen_at = Instant::now();
        let mut waiting = waiting.lock().await;
        for row in rows {
            let token: String = row.get(0)?;
            let note: Option<String> = row.get(1)?;
            let shown = note.and_then(|note| note.parse::<u64>().ok());
            let probe = token.strip_prefix("probe-").and_then(|n| n.parse().ok());
            let queue = probe.and_then(|probe: usize| waiting.get_mut(probe));
            let (Some(shown), Some(queue)) = (shown, queue) else {
                continue;
            };
            while let Some(sent) = queue.front().copied().filter(|sent| sent.number <= shown) {
                queue.pop_front();
                let delay = seen_at.saturating_duration_since(sent.at);
                let mut delays = delays.lock().await;
                delays.all.push(delay);
                if sent.condition.is_multiple_of(2) && sent.condition == condition.count() {
                    delays.steady.push(delay);
                }
            }
        }
    }
}

//! Customers at work in the old shop, and the log of all that they did.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::{Mutex, RwLock};
use tokio::task::JoinHandle;
use tokio_postgres::Client;

use super::customer::{Customer, take_one};
use super::model::{Cart, Carts};
use crate::scenario::servers::connect;
use crate::scenario::session::Session;

const WORKERS: u64 = 3;
/// Between two transactions of one worker.
const PAUSE: Duration = Duration::from_millis(15);

/// What all workers share.
pub struct Shared {
    /// Held for reading by each transaction: who writes here has the shop to himself.
    pub gate: RwLock<()>,
    pub numbers: AtomicI64,
    pub transactions: AtomicU64,
    /// Customers who are still to come: a slow machine must not fall behind without end.
    pub waiting: AtomicU64,
    /// Lines that the new shop refuses are to be made, so many.
    pub poison: AtomicU64,
    /// None is made any more, and those that there are get mended.
    pub mending: AtomicBool,
    /// The first backfill is over.
    pub backfilled: AtomicBool,
    pub closing: AtomicBool,
}

impl Shared {
    /// A number that no row has.
    pub fn number(&self) -> i64 {
        self.numbers.fetch_add(1, Ordering::Relaxed)
    }
}

/// What customers may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Habits {
    All,
    /// Nothing after which a cart has to be read again from the source, or is applied with another.
    Plain,
}

pub struct Storefront {
    pub shared: Arc<Shared>,
    workers: Vec<JoinHandle<()>>,
    carts: Vec<Arc<Mutex<Carts>>>,
    diary: Arc<std::sync::Mutex<Vec<String>>>,
}

impl Storefront {
    /// Fills the shop with carts, and opens it.
    pub async fn open(source_url: &str, seed: u64, habits: Habits, carts: usize) -> Self {
        let mut storefront = Self {
            shared: Arc::new(Shared {
                gate: RwLock::default(),
                numbers: AtomicI64::new(1),
                transactions: AtomicU64::new(0),
                waiting: AtomicU64::new(0),
                poison: AtomicU64::new(0),
                mending: AtomicBool::new(false),
                backfilled: AtomicBool::new(false),
                closing: AtomicBool::new(false),
            }),
            workers: Vec::new(),
            carts: Vec::new(),
            diary: Arc::default(),
        };
        for number in 0..WORKERS {
            let own = Arc::new(Mutex::new(Carts::new()));
            let rng = fastrand::Rng::with_seed(seed.wrapping_add(number));
            let shared = storefront.shared.clone();
            let client = connect(source_url).await;
            let mut customer = Customer::new(rng, shared.clone(), habits);
            for _ in 0..carts / WORKERS as usize {
                let carts = &mut *own.lock().await;
                let sql = customer.create(carts);
                commit(&client, &sql).await;
            }
            for cart in own.lock().await.values_mut() {
                cart.effects = 1;
            }
            storefront.carts.push(own.clone());
            let work = work(client, customer, shared, own, storefront.diary.clone());
            storefront.workers.push(tokio::spawn(work));
        }
        storefront
    }

    /// The log of all actions so far, as the carts that they left.
    pub async fn log(&self) -> Carts {
        let mut all = Carts::new();
        for own in &self.carts {
            all.extend(own.lock().await.clone());
        }
        all
    }

    /// All that has to be read was read.
    pub async fn all_read(&self) {
        for own in &self.carts {
            own.lock()
                .await
                .values_mut()
                .for_each(|cart| cart.unread = false);
        }
    }

    /// What was done to a cart, with the end of the log after it.
    pub fn diary(&self, cart: i64) -> String {
        let diary = self.diary.lock().unwrap();
        let number = cart.to_string();
        let is = |word: &str| word == number;
        let about = |entry: &&String| entry.split(|c: char| !c.is_ascii_digit()).any(is);
        let entries: Vec<&str> = diary.iter().filter(about).map(String::as_str).collect();
        entries.join("\n  ")
    }

    /// Empties the perks of all carts by one TRUNCATE.
    pub async fn truncate(&self, source: &Session) {
        let _alone = self.shared.gate.write().await;
        source.run("TRUNCATE perks").await.unwrap();
        for own in &self.carts {
            for cart in own.lock().await.values_mut() {
                cart.perks.clear();
            }
        }
    }

    /// Writes a note on all open carts by one UPDATE.
    pub async fn announce(&self, source: &Session, note: &str) {
        let _alone = self.shared.gate.write().await;
        let sql =
            format!("UPDATE carts SET note = '{note}' WHERE token LIKE 't%' AND state = 'cart'");
        source.run(&sql).await.unwrap();
        for own in &self.carts {
            let mut own = own.lock().await;
            for cart in own.values_mut().filter(|cart| !cart.bought) {
                cart.note = Some(note.to_owned());
            }
        }
    }

    /// Lets so many customers come, if not more are waiting already.
    pub fn open_for(&self, customers: u64) {
        self.shared.waiting.fetch_max(customers, Ordering::Relaxed);
    }

    /// Waits until so many more transactions have been committed.
    pub async fn sells(&self, more: u64) {
        let goal = self.shared.transactions.load(Ordering::Relaxed) + more;
        while self.shared.transactions.load(Ordering::Relaxed) < goal {
            self.assert_open();
            self.open_for(more);
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// A worker that ended has panicked.
    pub fn assert_open(&self) {
        assert!(
            !self.workers.iter().any(JoinHandle::is_finished),
            "the storefront has ended by itself"
        );
    }

    pub async fn close(self) {
        self.shared.closing.store(true, Ordering::Relaxed);
        for worker in self.workers {
            worker.await.unwrap();
        }
    }
}

async fn work(
    client: Client,
    mut customer: Customer,
    shared: Arc<Shared>,
    own: Arc<Mutex<Carts>>,
    diary: Arc<std::sync::Mutex<Vec<String>>>,
) {
    while !shared.closing.load(Ordering::Relaxed) {
        tokio::time::sleep(PAUSE).await;
        let mending = shared.mending.load(Ordering::Relaxed);
        if !mending && !take_one(&shared.waiting) {
            continue;
        }
        let _open = shared.gate.read().await;
        let mut carts = own.lock().await;
        let before = carts.clone();
        let sql = customer.serve(&mut carts);
        commit(&client, &sql).await;
        let end = client
            .query_one("SELECT pg_current_wal_insert_lsn()::text", &[])
            .await
            .unwrap();
        let end: &str = end.get(0);
        diary.lock().unwrap().push(format!("{end} {sql}"));
        for (id, cart) in carts.iter_mut() {
            if before.get(id).is_none_or(|was| differs(was, cart)) {
                cart.effects += 1;
            }
        }
        shared.transactions.fetch_add(1, Ordering::Relaxed);
    }
}

fn differs(was: &Cart, is: &Cart) -> bool {
    was != is && (was.bought != is.bought || was.mapped(0, false) != is.mapped(0, false))
}

async fn commit(client: &Client, sql: &str) {
    let done = client.batch_execute(&format!("BEGIN; {sql} COMMIT")).await;
    done.unwrap_or_else(|error| panic!("{error:?} in {sql}"));
}

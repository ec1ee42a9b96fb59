//! A simulated storefront: customers at work in the old shop, on several connections.
//!
//! Each worker owns its carts, so that workers never wait for each other. What is done is drawn
//! from the seed; when it is done depends on the machine.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use fastrand::Rng;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval};
use tokio_postgres::{Client, Error, Transaction};

use super::cluster::ClusterError;
use super::shops::Shops;

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
    workers: JoinSet<Result<(), Error>>,
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
    pub async fn open(shops: &Shops, pace: Pace) -> Result<Self, ClusterError> {
        let shared = Arc::new(Shared::default());
        let mut clients = Vec::new();
        for _ in 0..WORKERS {
            clients.push(shops.old_client().await?);
        }
        // All carts are dealt out before the first worker makes new ones: a cart of two owners would
        // be bought by one and filled on by the other.
        let live = clients[0]
            .query(
                "SELECT id FROM orders
                 WHERE state = 'cart' AND token NOT LIKE 'probe-%' ORDER BY id",
                &[],
            )
            .await?
            .iter()
            .map(|row| row.try_get(0))
            .collect::<Result<Vec<i64>, _>>()?;
        let mut workers = JoinSet::new();
        for (number, client) in (0..WORKERS).zip(clients) {
            let own = |id: &i64| id.rem_euclid(i64::from(WORKERS)) == i64::from(number);
            let worker = Worker {
                client,
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
    pub async fn close(mut self) -> Result<u64, ClusterError> {
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
    client: Client,
    carts: Vec<i64>,
    rng: Rng,
    shared: Arc<Shared>,
}

impl Worker {
    async fn work(mut self, pause: Duration) -> Result<(), Error> {
        let mut ticks = interval(pause);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
        let end = Instant::now() + LONGEST;
        let mut expiries = self.shared.expiries.load(Ordering::Relaxed);
        while !self.shared.closing.load(Ordering::Relaxed) && Instant::now() < end {
            ticks.tick().await;
            let asked = self.shared.expiries.load(Ordering::Relaxed);
            let transaction = self.client.transaction().await?;
            let mut desk = Desk {
                transaction: &transaction,
                carts: &mut self.carts,
                rng: &mut self.rng,
            };
            match asked > expiries {
                true => desk.expire().await?,
                false => desk.serve().await?,
            }
            transaction.commit().await?;
            expiries = asked;
            self.shared.transactions.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    }
}

/// One transaction of one customer.
struct Desk<'a> {
    transaction: &'a Transaction<'a>,
    carts: &'a mut Vec<i64>,
    rng: &'a mut Rng,
}

impl Desk<'_> {
    async fn serve(&mut self) -> Result<(), Error> {
        if self.carts.len() < 2 * EXPIRED_AT_ONCE {
            return self.create().await;
        }
        match self.rng.u32(..100) {
            0..12 => self.create().await,
            12..40 => {
                let cart = self.any();
                self.add(cart).await?;
                self.touch(cart).await
            }
            40..66 => self.change().await,
            66..80 => self.remove().await,
            80..83 => self.empty().await,
            83..88 => self.note().await,
            88..96 => self.buy().await,
            _ => self.merge().await,
        }
    }

    /// Half of the visits are to recent carts, as in life.
    fn index(&mut self) -> usize {
        let recent = match self.rng.bool() {
            true => self.carts.len().min(100),
            false => self.carts.len(),
        };
        self.carts.len() - 1 - self.rng.usize(..recent)
    }

    fn any(&mut self) -> i64 {
        let index = self.index();
        self.carts[index]
    }

    async fn create(&mut self) -> Result<(), Error> {
        let token = format!("{:032x}", self.rng.u128(..));
        let customer = self.rng.bool().then(|| self.rng.i64(1..1_000_000));
        let email = customer.map(|id| format!("New{id}@Example.com "));
        let currency = ["EUR", "USD", "JPY", "KWD"][self.rng.usize(..4)];
        let row = self
            .transaction
            .query_one(
                "INSERT INTO orders (number, token, email, customer_id, currency, user_agent)
                 VALUES ('N' || $1::text, $1, $2, $3, $4, 'curl') RETURNING id",
                &[&token, &email, &customer, &currency],
            )
            .await?;
        let cart = row.try_get(0)?;
        for _ in 0..self.rng.u32(0..4) {
            self.add(cart).await?;
        }
        self.carts.push(cart);
        Ok(())
    }

    async fn add(&mut self, cart: i64) -> Result<(), Error> {
        let article = self.rng.i32(..500);
        let quantity = self.rng.i32(1..5);
        let price = self.rng.i32(..200_000);
        let options = self.rng.i32(0..3);
        self.transaction
            .execute(
                "WITH line AS (
                     INSERT INTO line_items (order_id, sku, title, quantity, unit_price)
                     VALUES ($1, 'SKU-' || $2::int4, 'Article ' || $2, $3, $4::int4 / 1000::numeric)
                     RETURNING id)
                 INSERT INTO line_options (line_id, name, value)
                 SELECT id, (ARRAY['size', 'colour'])[n], 'option ' || n + $2 % 5
                 FROM line, generate_series(1, $5::int4) AS n",
                &[&cart, &article, &quantity, &price, &options],
            )
            .await?;
        Ok(())
    }

    async fn change(&mut self) -> Result<(), Error> {
        let cart = self.any();
        let quantity = self.rng.i32(1..10);
        self.transaction
            .execute(
                "UPDATE line_items SET quantity = $2
                 WHERE id = (SELECT max(id) FROM line_items WHERE order_id = $1)",
                &[&cart, &quantity],
            )
            .await?;
        self.transaction
            .execute(
                "UPDATE line_options SET value = 'changed to ' || $2::int4
                 WHERE name = 'size'
                   AND line_id = (SELECT min(id) FROM line_items WHERE order_id = $1)",
                &[&cart, &quantity],
            )
            .await?;
        self.touch(cart).await
    }

    async fn remove(&mut self) -> Result<(), Error> {
        let cart = self.any();
        self.transaction
            .execute(
                "DELETE FROM line_items
                 WHERE id = (SELECT min(id) FROM line_items WHERE order_id = $1)",
                &[&cart],
            )
            .await?;
        self.touch(cart).await
    }

    async fn empty(&mut self) -> Result<(), Error> {
        let cart = self.any();
        self.transaction
            .execute("DELETE FROM line_items WHERE order_id = $1", &[&cart])
            .await?;
        self.touch(cart).await
    }

    async fn note(&mut self) -> Result<(), Error> {
        let cart = self.any();
        let note = self.rng.bool().then_some("Leave it at the door \u{1f6aa}");
        self.transaction
            .execute("UPDATE orders SET note = $2 WHERE id = $1", &[&cart, &note])
            .await?;
        self.touch(cart).await
    }

    async fn buy(&mut self) -> Result<(), Error> {
        let index = self.index();
        let cart = self.carts.swap_remove(index);
        self.transaction
            .execute(
                "UPDATE orders SET state = 'complete', completed_at = now(), updated_at = now()
                 WHERE id = $1",
                &[&cart],
            )
            .await?;
        Ok(())
    }

    /// A guest signs in: the lines that the customer's cart lacks move there, the others add
    /// their quantity to its lines, and the guest's cart goes.
    async fn merge(&mut self) -> Result<(), Error> {
        let index = self.index();
        let guest = self.carts.swap_remove(index);
        let customer = self.any();
        self.transaction
            .execute(
                "UPDATE line_items AS mine SET quantity = mine.quantity + theirs.quantity
                 FROM line_items AS theirs
                 WHERE mine.order_id = $1 AND theirs.order_id = $2 AND theirs.sku = mine.sku",
                &[&customer, &guest],
            )
            .await?;
        self.transaction
            .execute(
                "UPDATE line_items SET order_id = $1
                 WHERE order_id = $2
                   AND sku NOT IN (SELECT sku FROM line_items WHERE order_id = $1)",
                &[&customer, &guest],
            )
            .await?;
        self.transaction
            .execute("DELETE FROM orders WHERE id = $1", &[&guest])
            .await?;
        self.touch(customer).await
    }

    async fn expire(&mut self) -> Result<(), Error> {
        let count = EXPIRED_AT_ONCE.min(self.carts.len() / 2);
        let expired: Vec<i64> = self.carts.drain(..count).collect();
        self.transaction
            .execute("DELETE FROM orders WHERE id = ANY($1)", &[&expired])
            .await?;
        Ok(())
    }

    async fn touch(&mut self, cart: i64) -> Result<(), Error> {
        self.transaction
            .execute(
                "UPDATE orders SET updated_at = clock_timestamp() WHERE id = $1",
                &[&cart],
            )
            .await?;
        Ok(())
    }
}

//! Sellers at work in the old shop, who go on after every interruption with what is really there.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use fastrand::Rng;
use mysql_async::Conn;
use mysql_async::prelude::Queryable as _;
use tokio::sync::RwLock;
use tokio::task::JoinHandle;

use crate::crash::customer::take_one;
use crate::scenario::shop::Shop;

const SELLERS: u64 = 3;
const PAUSE: Duration = Duration::from_millis(25);
const FEWEST: usize = 25;
const MOST: usize = 70;
const NAMES: [&str; 2] = ["colour", "größe"];

/// What all sellers share.
#[derive(Default)]
pub struct Shared {
    /// Held for reading by each transaction: who writes here has the shop to himself.
    pub gate: RwLock<()>,
    pub committed: AtomicU64,
    /// What was committed.
    diary: Mutex<Vec<String>>,
    numbers: AtomicU64,
    /// Customers who are still to come: a slow machine must not fall behind without end.
    waiting: AtomicU64,
    /// There are lines that the new shop refuses.
    poisoned: AtomicBool,
    closing: AtomicBool,
}

pub struct Storefront {
    pub shared: Arc<Shared>,
    sellers: Vec<JoinHandle<()>>,
}

/// Whether it is live, and its items.
type Carts = BTreeMap<u64, (bool, Vec<u64>)>;

struct Seller {
    number: u64,
    rng: Rng,
    url: String,
    carts: Carts,
    shared: Arc<Shared>,
}

impl Storefront {
    /// Fills the shop, and opens it.
    pub async fn open(url: &str, seed: u64) -> Self {
        let shared = Arc::<Shared>::default();
        let mut sellers = Vec::new();
        for number in 0..SELLERS {
            let mut seller = Seller {
                number,
                rng: Rng::with_seed(seed.wrapping_add(number)),
                url: url.to_owned(),
                carts: Carts::new(),
                shared: shared.clone(),
            };
            let mut conn = Conn::from_url(url).await.unwrap();
            while seller.carts.len() < MOST - 10 {
                let sql = seller.create();
                conn.query_drop(sql).await.unwrap();
            }
            sellers.push(tokio::spawn(seller.work(conn)));
        }
        Self { shared, sellers }
    }

    /// A seller that ended has panicked.
    pub fn assert_open(&self) {
        let ended = self.sellers.iter().any(JoinHandle::is_finished);
        assert!(!ended, "the storefront has ended by itself");
    }

    /// Lets so many customers come, if not more are waiting already.
    pub fn open_for(&self, customers: u64) {
        self.shared.waiting.fetch_max(customers, Ordering::Relaxed);
    }

    /// Waits until so many more transactions have been committed.
    pub async fn sells(&self, more: u64) {
        let goal = self.shared.committed.load(Ordering::Relaxed) + more;
        while self.shared.committed.load(Ordering::Relaxed) < goal {
            self.assert_open();
            self.open_for(more);
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// What was done to a cart.
    pub fn diary(&self, cart: &str) -> String {
        let diary = self.shared.diary.lock().unwrap();
        let about = |entry: &&String| {
            entry
                .split(|c: char| !c.is_ascii_digit())
                .any(|n| n == cart)
        };
        let entries: Vec<&str> = diary.iter().filter(about).map(String::as_str).collect();
        entries.join("\n  ")
    }

    /// Details are the one table that no other refers to.
    pub async fn truncate(&self, source: &Shop) {
        let _alone = self.shared.gate.write().await;
        source.session.run("TRUNCATE detail").await.unwrap();
    }

    /// More pieces of two lines than the new shop takes.
    pub async fn poison(&self, source: &Shop) {
        let _alone = self.shared.gate.write().await;
        self.shared.poisoned.store(true, Ordering::Relaxed);
        let sql = "UPDATE quote_item SET qty = 5000
                   WHERE quote_id IN (SELECT id FROM quote WHERE status = 'cart')
                   ORDER BY id DESC LIMIT 2";
        source.session.run(sql).await.unwrap();
    }

    pub async fn mend(&self, source: &Shop) {
        let _alone = self.shared.gate.write().await;
        let sql = "UPDATE quote_item SET qty = 7 WHERE qty >= 5000";
        source.session.run(sql).await.unwrap();
        self.shared.poisoned.store(false, Ordering::Relaxed);
    }

    pub async fn close(self) {
        self.shared.closing.store(true, Ordering::Relaxed);
        for seller in self.sellers {
            seller.await.unwrap();
        }
    }
}

impl Seller {
    async fn work(mut self, mut conn: Conn) {
        let shared = self.shared.clone();
        while !shared.closing.load(Ordering::Relaxed) {
            tokio::time::sleep(PAUSE).await;
            if !take_one(&shared.waiting) {
                continue;
            }
            let _open = shared.gate.read().await;
            let sql = self.serve();
            match conn.query_drop(format!("BEGIN; {sql} COMMIT")).await {
                Ok(()) => {
                    shared.committed.fetch_add(1, Ordering::Relaxed);
                    shared.diary.lock().unwrap().push(sql);
                    continue;
                }
                // A deadlock with another seller, whose victim has lost its whole transaction.
                Err(mysql_async::Error::Server(error)) if error.code == 1213 => {}
                Err(mysql_async::Error::Server(error)) if error.state != "08S01" => {
                    panic!("{error} in {sql}")
                }
                // The server went away, perhaps between the commit and its answer.
                Err(_) => {}
            }
            while self.look_again(&mut conn).await.is_err() {
                tokio::time::sleep(PAUSE).await;
            }
        }
    }

    /// Takes what the shop holds of this seller for what there is.
    async fn look_again(&mut self, conn: &mut Conn) -> mysql_async::Result<()> {
        *conn = Conn::from_url(&self.url).await?;
        let sql = format!(
            "SELECT q.id, q.status = 'cart', i.id FROM quote q LEFT JOIN quote_item i ON quote_id = q.id
             WHERE seller = {} ORDER BY q.id, i.id",
            self.number
        );
        let rows: Vec<(u64, bool, Option<u64>)> = conn.query(sql).await?;
        self.carts.clear();
        for (id, live, item) in rows {
            let cart = self.carts.entry(id).or_insert((live, Vec::new()));
            cart.1.extend(item);
        }
        Ok(())
    }

    fn next(&self) -> u64 {
        1 + self.shared.numbers.fetch_add(1, Ordering::Relaxed)
    }

    fn serve(&mut self) -> String {
        match self.carts.values().filter(|(live, _)| *live).count() {
            ..FEWEST => return self.create(),
            MOST.. => return self.expire(),
            _ => {}
        }
        let (Some(id), Some(other)) = (self.any(true), self.any(true)) else {
            return self.create();
        };
        match self.rng.u32(..100) {
            0..16 => self.create(),
            16..28 => self.add(id),
            28..46 => self.quantity(id),
            46..54 => self.remove(id),
            54..57 => {
                self.items(id).clear();
                format!("DELETE FROM quote_item WHERE quote_id = {id};")
            }
            57..63 => format!(
                "UPDATE quote SET touched = touched + 1 WHERE id = {id};
                 UPDATE quote_item SET qty = qty WHERE quote_id = {id};"
            ),
            63..70 => self.pass_on(id, other),
            70..75 => self.merge(id, other),
            75..80 => {
                self.carts.remove(&id);
                format!("DELETE FROM quote WHERE id = {id};")
            }
            // What is over is not mended any more.
            80..85 if self.shared.poisoned.load(Ordering::Relaxed) => self.add(id),
            80..85 => self.status(id, "sold"),
            85..89 => match self.any(false) {
                Some(id) => self.status(id, "cart"),
                None => self.add(id),
            },
            89..96 => self.undone(id),
            96..98 => "UPDATE quote SET counter = counter + 1 WHERE status = 'cart';".into(),
            _ => format!(
                "UPDATE quote_item SET qty = qty + 1, price = price + 0.125 WHERE quote_id IN ({id}, {other});"
            ),
        }
    }

    fn any(&mut self, live: bool) -> Option<u64> {
        let ids = self.carts.iter().filter(|(_, cart)| cart.0 == live);
        let ids: Vec<u64> = ids.map(|(id, _)| *id).collect();
        self.rng.choice(ids)
    }

    fn items(&mut self, cart: u64) -> &mut Vec<u64> {
        &mut self.carts.get_mut(&cart).unwrap().1
    }

    fn create(&mut self) -> String {
        let id = self.next();
        self.carts.insert(id, (true, Vec::new()));
        let email = match self.rng.bool() {
            true => format!("'Käthe{id}@Example.com'"),
            false => "NULL".into(),
        };
        let sql = format!(
            "INSERT INTO quote (id, seller, email) VALUES ({id}, {}, {email});",
            self.number
        );
        (0..self.rng.u32(..3)).fold(sql, |sql, _| sql + &self.add(id))
    }

    /// Two lines by one statement, and details of one of them.
    fn add(&mut self, cart: u64) -> String {
        let (one, two) = (self.next(), self.next());
        self.items(cart).extend([one, two]);
        let mut values = Vec::new();
        for id in [one, two] {
            let (sku, qty) = (self.rng.u32(..50), self.rng.u32(1..9));
            let price = self.rng.u32(..99_999);
            values.push(format!(
                "({id}, {cart}, 'SKU-{sku}', {qty}, {price} / 1000)"
            ));
        }
        let mut sql = format!("INSERT INTO quote_item VALUES {};", values.join(", "));
        for name in &NAMES[..self.rng.usize(..=NAMES.len())] {
            let (id, value) = (self.next(), self.rng.u32(..9));
            let _ = write!(
                sql,
                "INSERT INTO detail VALUES ({id}, {one}, '{name}', 'v{value}');"
            );
        }
        sql
    }

    fn quantity(&mut self, cart: u64) -> String {
        let qty = self.rng.u32(1..99);
        let Some(item) = self.items(cart).last().copied() else {
            return self.add(cart);
        };
        format!(
            "UPDATE quote_item SET qty = {qty} WHERE id = {item};
             UPDATE detail SET value = 'w{qty}' WHERE item_id = {item};
             UPDATE quote SET counter = counter + 1 WHERE id = {cart};"
        )
    }

    fn remove(&mut self, cart: u64) -> String {
        match self.items(cart).pop() {
            Some(item) => format!("DELETE FROM quote_item WHERE id = {item};"),
            None => self.add(cart),
        }
    }

    fn pass_on(&mut self, from: u64, to: u64) -> String {
        let Some(item) = self.items(from).pop() else {
            return self.add(from);
        };
        self.items(to).push(item);
        format!("UPDATE quote_item SET quote_id = {to}, qty = qty + 1 WHERE id = {item};")
    }

    /// All lines go over by one statement, and the empty cart goes.
    fn merge(&mut self, guest: u64, customer: u64) -> String {
        if guest == customer {
            return self.add(guest);
        }
        let (_, items) = self.carts.remove(&guest).unwrap();
        self.items(customer).extend(items);
        format!(
            "UPDATE quote_item SET quote_id = {customer} WHERE quote_id = {guest};
             DELETE FROM quote WHERE id = {guest};"
        )
    }

    fn status(&mut self, cart: u64, status: &str) -> String {
        self.carts.get_mut(&cart).unwrap().0 = status == "cart";
        format!("UPDATE quote SET status = '{status}' WHERE id = {cart};")
    }

    /// What comes after a savepoint is taken back, what comes before it and after stays.
    fn undone(&mut self, cart: u64) -> String {
        let kept = self.add(cart);
        let before = self.carts.clone();
        let undone = self.add(cart) + &self.remove(cart);
        self.carts = before;
        format!(
            "{kept} SAVEPOINT s; {undone} UPDATE quote SET counter = -1 WHERE id = {cart};
             DELETE FROM quote_item WHERE quote_id = {cart}; ROLLBACK TO SAVEPOINT s;
             UPDATE quote SET counter = counter + 1 WHERE id = {cart};"
        )
    }

    /// The oldest carts go by one statement.
    fn expire(&mut self) -> String {
        let live = self.carts.iter().filter(|(_, cart)| cart.0);
        let oldest: Vec<u64> = live.map(|(id, _)| *id).take(20).collect();
        self.carts.retain(|id, _| !oldest.contains(id));
        let list: Vec<String> = oldest.iter().map(u64::to_string).collect();
        format!("DELETE FROM quote WHERE id IN ({});", list.join(", "))
    }
}

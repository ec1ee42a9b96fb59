//! Customers of the old shop who go on buying while its tables are altered. They know the names of the
//! day, and nothing else: what there is they look up for each purchase.

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use fastrand::Rng;
use tokio::sync::RwLock;
use tokio::task::JoinHandle;

use crate::crash::customer::take_one;
use crate::scenario::session::{Asked as _, Session};
use crate::scenario::shop::Shop;

const CUSTOMERS: u64 = 2;
const FEWEST: usize = 12;
const MOST: usize = 30;
const PAUSE: Duration = Duration::from_millis(10);
/// After what a statement is tried again.
const PASSING: [&str; 3] = ["eadlock", "ock wait timeout", "able definition has changed"];

pub fn is_passing(error: &str) -> bool {
    PASSING.iter().any(|text| error.contains(text))
}

/// What the shop's software calls its tables and columns today.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Names {
    pub quote: String,
    pub email: String,
    pub item: String,
    pub quote_id: String,
    pub sku: String,
    pub qty: String,
    pub price: String,
}

impl Default for Names {
    fn default() -> Self {
        Self {
            quote: "quote".into(),
            email: "email".into(),
            item: "quote_item".into(),
            quote_id: "quote_id".into(),
            sku: "sku".into(),
            qty: "qty".into(),
            price: "price".into(),
        }
    }
}

#[derive(Default)]
struct Shared {
    /// Held for reading by each purchase: who writes here has the shop to himself.
    names: RwLock<Names>,
    committed: AtomicU64,
    numbers: AtomicU64,
    /// Customers who are still to come: a slow machine must not fall behind without end.
    waiting: AtomicU64,
    closing: AtomicBool,
}

pub struct Storefront {
    shared: Arc<Shared>,
    customers: Vec<JoinHandle<()>>,
}

struct Customer {
    number: u64,
    rng: Rng,
    shared: Arc<Shared>,
    session: Session,
}

impl Storefront {
    /// Fills the shop, and opens it.
    pub async fn open(shop: &Shop, seed: u64) -> Self {
        let shared = Arc::<Shared>::default();
        let mut customers = Vec::new();
        for number in 0..CUSTOMERS {
            let mut customer = Customer {
                number,
                rng: Rng::with_seed(seed.wrapping_add(number)),
                shared: shared.clone(),
                session: shop.visitor().await,
            };
            for _ in 0..MOST - 5 {
                let sql = customer.create(&Names::default());
                customer.session.run(&sql).await.unwrap();
            }
            customers.push(tokio::spawn(customer.buys()));
        }
        Self { shared, customers }
    }

    /// Waits until so many more purchases have been made.
    pub async fn sells(&self, more: u64) {
        let goal = self.shared.committed.load(Ordering::Relaxed) + more;
        while self.shared.committed.load(Ordering::Relaxed) < goal {
            let ended = self.customers.iter().any(JoinHandle::is_finished);
            assert!(!ended, "the storefront has ended by itself");
            self.shared.waiting.fetch_max(more, Ordering::Relaxed);
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Lets so many customers come meanwhile.
    pub fn open_for(&self, customers: u64) {
        self.shared.waiting.fetch_max(customers, Ordering::Relaxed);
    }

    /// Nobody buys as long as this is held; who holds it may give things other names.
    pub async fn alone(&self) -> tokio::sync::RwLockWriteGuard<'_, Names> {
        self.shared.names.write().await
    }

    pub async fn close(self) {
        self.shared.closing.store(true, Ordering::Relaxed);
        for customer in self.customers {
            customer.await.unwrap();
        }
    }
}

impl Customer {
    async fn buys(mut self) {
        let shared = self.shared.clone();
        while !shared.closing.load(Ordering::Relaxed) {
            if !take_one(&shared.waiting) {
                tokio::time::sleep(PAUSE).await;
                continue;
            }
            let names = shared.names.read().await;
            let done = match self.purchase(&names).await {
                Ok(sql) => self.session.run(&format!("BEGIN; {sql} COMMIT")).await,
                Err(error) => Err(error),
            };
            match done {
                Ok(()) => {
                    shared.committed.fetch_add(1, Ordering::Relaxed);
                }
                Err(error) => {
                    assert!(is_passing(&error), "{error} under {names:?}");
                    self.session.run("ROLLBACK").await.unwrap();
                }
            }
        }
    }

    /// Ids of this customer's own carts, and of their lines.
    async fn ids(&self, sql: String) -> Result<Vec<u64>, String> {
        let rows = self.session.ask(&sql).await?;
        let ids = rows
            .iter()
            .filter_map(|row| row[0].as_deref()?.parse().ok());
        Ok(ids.collect())
    }

    async fn carts(&self, names: &Names, status: &str) -> Result<Vec<u64>, String> {
        let (quote, number) = (&names.quote, self.number);
        let sql = format!(
            "SELECT id FROM {quote} WHERE status = '{status}' AND MOD(id, {CUSTOMERS}) = {number}
             AND id < 900000 ORDER BY id"
        );
        self.ids(sql).await
    }

    async fn lines(&self, names: &Names, cart: u64) -> Result<Vec<u64>, String> {
        let Names { item, quote_id, .. } = names;
        let sql = format!("SELECT id FROM {item} WHERE {quote_id} = {cart} ORDER BY id");
        self.ids(sql).await
    }

    async fn purchase(&mut self, names: &Names) -> Result<String, String> {
        let carts = self.carts(names, "cart").await?;
        let (Some(cart), Some(other)) = (self.rng.choice(&carts), self.rng.choice(&carts)) else {
            return Ok(self.create(names));
        };
        if carts.len() < FEWEST {
            return Ok(self.create(names));
        }
        let Names {
            quote,
            email,
            item,
            quote_id,
            qty,
            price,
            ..
        } = names;
        let lines = self.lines(names, *cart).await?;
        let Some(line) = self.rng.choice(&lines) else {
            return Ok(self.add(*cart, names));
        };
        let n = self.rng.u32(1..9);
        Ok(match self.rng.u32(..100) {
            0..14 if carts.len() < MOST => self.create(names),
            0..28 => self.add(*cart, names),
            28..42 => format!("UPDATE {item} SET {qty} = {n} WHERE id = {line};"),
            42..50 => format!("DELETE FROM {item} WHERE id = {line};"),
            50..58 => format!("UPDATE {item} SET {quote_id} = {other} WHERE id = {line};"),
            58..63 if cart != other => format!(
                "UPDATE {item} SET {quote_id} = {other} WHERE {quote_id} = {cart};
                 DELETE FROM {quote} WHERE id = {cart};"
            ),
            58..67 => format!(
                "DELETE FROM {item} WHERE {quote_id} = {cart}; DELETE FROM {quote} WHERE id = {cart};"
            ),
            67..72 => format!("UPDATE {quote} SET status = 'sold' WHERE id = {cart};"),
            72..77 => {
                let sold = self.carts(names, "sold").await?;
                match self.rng.choice(sold) {
                    Some(id) => format!("UPDATE {quote} SET status = 'cart' WHERE id = {id};"),
                    None => self.add(*cart, names),
                }
            }
            77..84 => format!(
                "UPDATE {quote} SET {email} = 'N{n}of{cart}@Example.org', counter = counter + 1 WHERE id = {cart};"
            ),
            84..90 => format!("UPDATE {quote} SET touched = touched + 1 WHERE id = {cart};"),
            _ => format!(
                "UPDATE {item} SET {qty} = {qty} % 50 + 1, {price} = {price} + 0.125
                 WHERE {quote_id} IN ({cart}, {other});"
            ),
        })
    }

    fn next(&self) -> u64 {
        1 + self.shared.numbers.fetch_add(1, Ordering::Relaxed)
    }

    fn create(&mut self, names: &Names) -> String {
        let id = self.next() * CUSTOMERS + self.number;
        let Names { quote, email, .. } = names;
        let value = match self.rng.bool() {
            true => format!("'K{id}@Example.com'"),
            false => "NULL".into(),
        };
        let mut sql = format!("INSERT INTO {quote} (id, {email}) VALUES ({id}, {value});");
        for _ in 0..self.rng.u32(..3) {
            sql.push_str(&self.add(id, names));
        }
        sql
    }

    fn add(&mut self, cart: u64, names: &Names) -> String {
        let Names {
            item,
            quote_id,
            sku,
            qty,
            price,
            ..
        } = names;
        let mut sql = format!("INSERT INTO {item} (id, {quote_id}, {sku}, {qty}, {price}) VALUES ");
        for at in 0..2 {
            let comma = if at == 0 { "" } else { ", " };
            let (id, n, m) = (self.next(), self.rng.u32(..50), self.rng.u32(1..9));
            let cents = self.rng.u32(..99_999);
            let _ = write!(
                sql,
                "{comma}({id}, {cart}, 'SKU-{n}', {m}, {cents} * 0.001)"
            );
        }
        sql + ";"
    }
}

//! How long after its commit a transaction is visible in the target, at a steady rate.
//!
//! Transactions begin by the clock, whether or not those before them have arrived, and each is
//! waited for: a contender that stands still for a while has all that was sold meanwhile counted
//! against it, not just the one that it was at (no coordinated omission).

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use serde::Serialize;
use tokio::sync::mpsc;
use tokio::time::sleep_until;
use tokio_postgres::Client;

use crate::shop::{DATABASE, OldShop};
use crate::{Failed, PATIENCE, Result};

/// The number of the next transaction. None comes twice in a run of the harness: a cart still has the
/// number of whoever was measured before, which must not be taken for a later one.
static NEXT: AtomicU64 = AtomicU64::new(1);

/// Carts that are bought in, one after the other.
const CARTS: usize = 20_000;
const CUSTOMERS: usize = 12;
const DURATION: Duration = Duration::from_secs(15);
/// Between two looks at the target.
const LOOK: Duration = Duration::from_micros(300);

#[derive(Clone, Debug, Serialize)]
pub struct Delay {
    pub name: String,
    /// Transactions a second that were meant, and that came about.
    pub rate: u64,
    pub reached: f64,
    pub samples: u64,
    pub p50_ms: f64,
    pub p99_ms: f64,
    pub p999_ms: f64,
    pub max_ms: f64,
}

/// One transaction that has committed: its number stands in a cart.
struct Bought {
    number: u64,
    cart: usize,
    at: Instant,
}

/// [`measure`] at one rate after the other.
pub async fn at_rates(
    name: &str,
    old: &OldShop,
    target: &Client,
    visible: &str,
    rates: &[u64],
) -> Result<Vec<Delay>> {
    let mut delays = Vec::new();
    for &rate in rates {
        delays.push(measure(name, old, target, visible, rate).await?);
    }
    Ok(delays)
}

/// Buys at `rate`, while somebody follows. `visible` asks the target for the tokens and states of
/// the carts with the tokens `$1`.
async fn measure(
    name: &str,
    old: &OldShop,
    target: &Client,
    visible: &str,
    rate: u64,
) -> Result<Delay> {
    let cluster = old.cluster()?;
    let sql = "SELECT id, token::text, status FROM cart ORDER BY id DESC LIMIT $1";
    let rows = cluster
        .client(DATABASE)
        .await?
        .query(sql, &[&(CARTS as i64)])
        .await?;
    let states = rows.iter().map(|row| (row.get(1), row.get(2))).collect();
    follows(target, visible, &states).await?;
    let carts: Vec<(i64, String)> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
    let numbers = rate * DURATION.as_secs();
    let first = NEXT.fetch_add(numbers, Ordering::Relaxed);
    let (report, bought) = mpsc::unbounded_channel();
    let began = Instant::now() + Duration::from_millis(200);
    let mut customers = tokio::task::JoinSet::new();
    for nth in 0..CUSTOMERS {
        // Its commits are on disk, as usual. A walsender sends nothing that is not, and where commits
        // do not wait for it, that may be a fifth of a second later (wal_writer_delay).
        let client = cluster.client(DATABASE).await?;
        let ids = carts.iter().map(|(id, _)| *id).collect();
        let due: Vec<_> = (nth as u64..numbers)
            .step_by(CUSTOMERS)
            .map(|n| {
                (
                    first + n,
                    began + Duration::from_secs_f64(n as f64 / rate as f64),
                )
            })
            .collect();
        customers.spawn(buy(client, ids, due, report.clone()));
    }
    drop(report);
    let delays = watch(target, visible, &carts, bought).await?;
    let mut last = began;
    while let Some(done) = customers.join_next().await {
        last = last.max(done??);
    }
    let at = |quantile: f64| delays.value_at_quantile(quantile) as f64 / 1e3;
    Ok(Delay {
        name: name.to_owned(),
        rate,
        reached: delays.len() as f64 / (last - began).as_secs_f64(),
        samples: delays.len(),
        p50_ms: at(0.5),
        p99_ms: at(0.99),
        p999_ms: at(0.999),
        max_ms: delays.max() as f64 / 1e3,
    })
}

/// Waits until the target has these states of carts, the last that were changed, by their tokens:
/// others were measured before, and what they sold is still to arrive.
async fn follows(target: &Client, visible: &str, states: &HashMap<String, String>) -> Result<()> {
    let tokens: Vec<&str> = states.keys().map(String::as_str).collect();
    let deadline = Instant::now() + PATIENCE;
    loop {
        let rows = target.query(visible, &[&tokens]).await?;
        let there = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
        if *states == there {
            return Ok(());
        }
        if Instant::now() > deadline {
            return Err(Failed::because("what was sold before did not arrive"));
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Each of these transactions, at its time. Answers when the last was done.
async fn buy(
    client: Client,
    carts: Vec<i64>,
    due: Vec<(u64, Instant)>,
    report: mpsc::UnboundedSender<Bought>,
) -> Result<Instant> {
    for (number, due) in due {
        sleep_until(due.into()).await;
        let cart = usize::try_from(number).unwrap_or_default() % carts.len();
        let (id, sku) = (carts[cart], number % 6);
        client
            .batch_execute(&format!(
                "BEGIN;
                 UPDATE cart SET status = '{number}', updated_at = now() WHERE id = {id};
                 INSERT INTO cart_item (cart_id, sku, qty, unit_price)
                 VALUES ({id}, 'SKU-{sku:06}', 1, 9.99)
                 ON CONFLICT (cart_id, sku) DO UPDATE SET qty = 1 + cart_item.qty % 50, updated_at = now();
                 COMMIT"
            ))
            .await?;
        let at = Instant::now();
        // Who looks is gone only where the whole has failed.
        let _ = report.send(Bought { number, cart, at });
    }
    Ok(Instant::now())
}

/// Looks until all that was bought is visible.
async fn watch(
    target: &Client,
    visible: &str,
    carts: &[(i64, String)],
    mut bought: mpsc::UnboundedReceiver<Bought>,
) -> Result<Histogram<u64>> {
    let statement = target.prepare(visible).await?;
    let mut delays: Histogram<u64> = Histogram::new(3)?;
    let mut awaited: HashMap<&str, Vec<Bought>> = HashMap::new();
    let mut open = true;
    let mut news = Instant::now();
    while open || !awaited.is_empty() {
        loop {
            let next = match open && awaited.is_empty() {
                true => bought.recv().await,
                false => match bought.try_recv() {
                    Ok(next) => Some(next),
                    Err(mpsc::error::TryRecvError::Empty) => break,
                    Err(mpsc::error::TryRecvError::Disconnected) => None,
                },
            };
            let Some(next) = next else {
                open = false;
                break;
            };
            news = Instant::now();
            awaited.entry(&carts[next.cart].1).or_default().push(next);
        }
        if awaited.is_empty() {
            continue;
        }
        let tokens: Vec<&str> = awaited.keys().copied().collect();
        let rows = target.query(&statement, &[&tokens]).await?;
        let now = Instant::now();
        for row in &rows {
            let token: &str = row.get(0);
            // Carts that were not bought in yet are in another state.
            let Ok(seen) = row.get::<_, &str>(1).parse::<u64>() else {
                continue;
            };
            let Some(of) = awaited.get_mut(token) else {
                continue;
            };
            let arrived = of.extract_if(.., |bought| bought.number <= seen);
            for bought in arrived {
                let delay = now.saturating_duration_since(bought.at);
                delays.record(u64::try_from(delay.as_micros()).unwrap_or(u64::MAX).max(1))?;
                news = now;
            }
            if of.is_empty() {
                awaited.remove(token);
            }
        }
        if news.elapsed() > PATIENCE {
            return Err(Failed::because("a transaction never became visible"));
        }
        // The runtime's clock knows only whole milliseconds, which is more than is measured.
        tokio::task::block_in_place(|| std::thread::sleep(LOOK));
    }
    Ok(delays)
}

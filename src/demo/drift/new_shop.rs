//! Customers of the new shop, who keep its lock: whole values, written only if the cart's version is
//! still the one that they saw. What they wrote is noted here, and must be there at the end.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use fastrand::Rng;
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::cast::Known;
use super::injector::name;
use crate::demo::DemoError;
use crate::demo::cluster::ClusterError;
use crate::demo::shops::Shop;
use crate::params;
use crate::target::error::TargetError;
use crate::target::session::Target;

const WORKERS: usize = 3;
/// How often a visit is tried that comes too late each time.
const ATTEMPTS: u32 = 20;

/// What the new shop's customers last wrote of a cart.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wrote {
    /// How often they wrote it.
    pub writes: i64,
    pub note: Option<String>,
    pub region: Option<String>,
    /// Quantities by key of the line.
    pub quantities: BTreeMap<String, i64>,
    pub gifts: Vec<String>,
    /// A line of their own: its key and product.
    pub own: Option<(String, String)>,
}

pub type Written = BTreeMap<i64, Wrote>;

/// Customers who come and go.
#[derive(Debug)]
pub struct Customers {
    workers: JoinSet<Result<(), TargetError>>,
    closing: Arc<AtomicBool>,
    written: Arc<Mutex<Written>>,
}

impl Customers {
    /// Lets them come to these carts; `for_notes` says that they write notes alone.
    pub async fn open(
        shop: &Shop,
        carts: &[Known],
        seed: u64,
        pause: Duration,
        for_notes: bool,
    ) -> Result<Self, DemoError> {
        let closing = Arc::new(AtomicBool::new(false));
        let written = Arc::new(Mutex::new(Written::new()));
        let mut workers = JoinSet::new();
        for number in 0..WORKERS {
            let carts = carts.iter().skip(number).step_by(WORKERS);
            let desk = Desk {
                session: shop.session().await?,
                carts: carts.cloned().collect(),
                rng: Rng::with_seed(seed.wrapping_add(2_000 + number as u64)),
                closing: Arc::clone(&closing),
                written: Arc::clone(&written),
                for_notes,
            };
            workers.spawn(desk.work(pause));
        }
        Ok(Customers {
            workers,
            closing,
            written,
        })
    }

    /// Lets them finish what they are at; says what they wrote.
    pub async fn close(mut self) -> Result<Written, DemoError> {
        self.closing.store(true, Ordering::Relaxed);
        while let Some(ended) = self.workers.join_next().await {
            ended.map_err(|error| ClusterError::Program {
                program: "the new shop's customers".into(),
                output: error.to_string(),
            })??;
        }
        let written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(written.clone())
    }
}

struct Desk {
    session: Target,
    carts: Vec<Known>,
    rng: Rng,
    closing: Arc<AtomicBool>,
    written: Arc<Mutex<Written>>,
    for_notes: bool,
}

enum Done {
    Wrote(Wrote),
    Nothing,
    /// Somebody else wrote the cart in between.
    Late,
}

impl Desk {
    async fn work(mut self, pause: Duration) -> Result<(), TargetError> {
        let mut visits = 0;
        while !self.carts.is_empty() && !self.closing.load(Ordering::Relaxed) {
            // Everyone comes once, before some come more often.
            let index = match visits < self.carts.len() {
                true => visits,
                false => self.rng.usize(..self.carts.len()),
            };
            visits += 1;
            let cart = self.carts[index].clone();
            self.visit(&cart).await?;
            sleep(pause).await;
        }
        Ok(())
    }

    async fn visit(&mut self, cart: &Known) -> Result<(), TargetError> {
        let before = {
            let written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
            written.get(&cart.id).cloned().unwrap_or_default()
        };
        for _ in 0..ATTEMPTS {
            self.session.run("BEGIN").await?;
            let done = self.serve(cart, &before).await;
            let done = match done {
                Ok(Done::Wrote(wrote)) => {
                    let committed = self.session.run("COMMIT").await;
                    committed.map(|()| Done::Wrote(wrote))
                }
                other => other,
            };
            match done {
                Ok(Done::Wrote(wrote)) => {
                    let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
                    written.insert(cart.id, wrote);
                    return Ok(());
                }
                Ok(Done::Nothing) => return self.session.run("ROLLBACK").await,
                Ok(Done::Late) => self.session.run("ROLLBACK").await?,
                // It has had no effect.
                Err(error) if error.stumble().is_some() => self.session.run("ROLLBACK").await?,
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// One visit within a transaction.
    async fn serve(&mut self, cart: &Known, before: &Wrote) -> Result<Done, TargetError> {
        let seen = "SELECT id, version FROM cart WHERE token = $1";
        let Some(seen) = self.session.first(seen, params![&cart.token]).await? else {
            return Ok(Done::Nothing);
        };
        let (header, version): (String, i64) = (seen.get(0)?, seen.get(1)?);
        let lines = "SELECT id FROM cart_line WHERE cart_id = $1 AND source_id > 0
                     ORDER BY source_id";
        let line = self.session.first(lines, params![&header]).await?;
        let line: Option<String> = line.map(|line| line.get(0)).transpose()?;
        let take = "UPDATE cart SET version = version + 1, updated_at = CURRENT_TIMESTAMP(6)
                    WHERE id = $1 AND version = $2";
        let params = params![&header, version];
        if self.session.execute(take, params).await? == 0 {
            return Ok(Done::Late);
        }
        let mut wrote = before.clone();
        wrote.writes += 1;
        let kinds = if self.for_notes { 1 } else { 5 };
        match (self.rng.u8(..kinds), line) {
            (1, _) => {
                let region = ["asia", "africa"][self.rng.usize(..2)].to_owned();
                let update = "UPDATE cart SET sales_region = $2 WHERE id = $1";
                let params = params![&header, &region];
                self.session.execute(update, params).await?;
                wrote.region = Some(region);
            }
            (2, Some(line)) => {
                let quantity = self.rng.i64(1..90);
                self.sell(&header, &line, quantity).await?;
                wrote.quantities.insert(line, quantity);
            }
            (3, Some(line)) => {
                let update = "UPDATE cart_line SET gift = true WHERE id = $1";
                self.session.execute(update, params![&line]).await?;
                wrote.gifts.push(line);
            }
            (4, _) if wrote.own.is_none() => {
                let (line, quantity) = (name(&mut self.rng, "line_"), self.rng.i64(1..9));
                let sku = format!("NEW-{}", cart.id);
                let insert = "INSERT INTO cart_line (id, cart_id, sku, name, quantity, unit_minor,
                                                     line_minor, source_id, added_at)
                              VALUES ($1, $2, $3, $4, 0, 100, 0, $5, CURRENT_TIMESTAMP(6))";
                let params = params![&line, &header, &sku, "A new article", -cart.id];
                self.session.execute(insert, params).await?;
                self.sell(&header, &line, quantity).await?;
                wrote.quantities.insert(line.clone(), quantity);
                wrote.own = Some((line, sku));
            }
            _ => {
                let note = format!("new {}", wrote.writes);
                let update = "UPDATE cart SET note = $2 WHERE id = $1";
                self.session
                    .execute(update, params![&header, &note])
                    .await?;
                wrote.note = Some(note);
            }
        }
        Ok(Done::Wrote(wrote))
    }

    /// Sets a quantity, and the totals that the new shop keeps.
    async fn sell(&self, header: &str, line: &str, quantity: i64) -> Result<(), TargetError> {
        let update = "UPDATE cart_line SET quantity = $2, line_minor = unit_minor * $3
                      WHERE id = $1";
        let params = params![line, quantity, quantity];
        self.session.execute(update, params).await?;
        let update = "UPDATE cart SET
                item_count = (SELECT sum(quantity) FROM cart_line WHERE cart_id = cart.id),
                item_total = (SELECT sum(line_minor) FROM cart_line WHERE cart_id = cart.id)
             WHERE id = $1";
        self.session
            .execute(update, params![header])
            .await
            .map(drop)
    }
}

/// How many carts there are in which a value that the new shop's customers wrote last is not the one
/// that is there, with an example.
pub async fn lost(
    session: &Target,
    carts: &[Known],
    written: &Written,
) -> Result<(i64, Option<String>), TargetError> {
    let (mut lost, mut example) = (0, None);
    for (id, wrote) in written {
        let Some(cart) = carts.iter().find(|cart| cart.id == *id) else {
            continue;
        };
        let sql = "SELECT note, sales_region FROM cart WHERE token = $1";
        let kept = match session.first(sql, params![&cart.token]).await? {
            None => false,
            Some(row) => {
                let note: Option<String> = row.get(0)?;
                let region: String = row.get(1)?;
                wrote.note.is_none_or_same(note.as_ref())
                    && wrote.region.is_none_or_same(Some(&region))
                    && lines_are_kept(session, wrote).await?
            }
        };
        if !kept {
            lost += 1;
            let text = || format!("cart {id}: lost of what the new shop wrote: {wrote:?}");
            example = example.or_else(|| Some(text()));
        }
    }
    Ok((lost, example))
}

trait Kept {
    fn is_none_or_same(&self, found: Option<&String>) -> bool;
}

impl Kept for Option<String> {
    fn is_none_or_same(&self, found: Option<&String>) -> bool {
        self.is_none() || self.as_ref() == found
    }
}

async fn lines_are_kept(session: &Target, wrote: &Wrote) -> Result<bool, TargetError> {
    for (line, quantity) in &wrote.quantities {
        let sql = "SELECT quantity FROM cart_line WHERE id = $1";
        let found = session.first(sql, params![line]).await?;
        let found: Option<i64> = found.map(|row| row.get(0)).transpose()?;
        if found != Some(*quantity) {
            return Ok(false);
        }
    }
    for line in &wrote.gifts {
        let sql = "SELECT 1 FROM cart_line WHERE id = $1 AND gift";
        if session.first(sql, params![line]).await?.is_none() {
            return Ok(false);
        }
    }
    Ok(true)
}

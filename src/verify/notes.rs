//! What a run writes down about once a second: where it is, what it counted, which carts are parked,
//! and which it found otherwise than equal. All of it commits together.

use std::time::Duration;

use tokio::time::Instant;

use super::judge::{Looked, Outcome};
use super::report::{Difference, Report};
use super::runs::{self, Stage};
use super::walk::Parked;
use crate::cart::key::CartKey;
use crate::hash::{HashMap, HashSet};
use crate::params;
use crate::switch::{self, Bound};
use crate::target::error::TargetError;
use crate::target::session::Target;
use crate::target::words::{Param, Words};

/// How often it is written, in milliseconds.
const EVERY: u64 = 1_000;
/// Carts that are named in one statement.
const AT_ONCE: usize = 500;
/// Carts that `verify_cart` holds, those aside that are still to be looked at.
const KEPT: usize = 10_000;
/// Differences kept of a cart.
const DIFFERENCES: usize = 20;

pub(super) struct Notes<'a> {
    control: &'a Target,
    pipeline: i32,
    run: i32,
    pub stage: Stage,
    pub cursor: Option<CartKey>,
    /// Carts that the table holds.
    known: HashSet<CartKey>,
    /// What became of carts since it was last written.
    fresh: HashMap<CartKey, Note>,
    written: Instant,
}

/// What is to be said of a cart.
#[derive(Clone, Debug)]
enum Note {
    /// Nothing any more.
    Well,
    Verdict(&'static str, Vec<Difference>),
}

/// What a run that was cut short has left to do.
#[derive(Debug, Default)]
pub(super) struct Left {
    /// Those of its carts, where it looks at few, that it has not come to.
    pub asked: Vec<CartKey>,
    pub parked: Vec<Parked>,
    pub pending: Vec<CartKey>,
}

/// A run has to look at these carts.
pub(super) async fn ask(
    control: &Target,
    pipeline: i32,
    run: i32,
    carts: &[CartKey],
) -> Result<(), TargetError> {
    let mut carts: Vec<&CartKey> = carts.iter().collect();
    carts.sort_unstable();
    for some in carts.chunks(AT_ONCE) {
        let rows = (3..some.len() + 3).map(|n| format!("($1, ${n}, $2, 'asked', '[]')"));
        let rows = rows.collect::<Vec<String>>().join(", ");
        let columns = "pipeline, cart, run, verdict, differences";
        let put = Words::each(
            format!(
                "INSERT INTO cartage.verify_cart ({columns}) VALUES {rows} \
                 ON CONFLICT (pipeline, cart) DO UPDATE SET run = EXCLUDED.run, \
                 verdict = EXCLUDED.verdict, differences = EXCLUDED.differences, looked_at = now()"
            ),
            format!(
                "INSERT INTO cartage_verify_cart ({columns}) VALUES {rows} \
                 ON DUPLICATE KEY UPDATE run = VALUES(run), verdict = VALUES(verdict), \
                 differences = VALUES(differences), looked_at = CURRENT_TIMESTAMP(6)"
            ),
        );
        let mut params = vec![Param::from(pipeline), Param::from(run)];
        params.extend(some.iter().map(|cart| Param::from(cart.as_str())));
        control.execute(put, &params).await?;
    }
    Ok(())
}

impl<'a> Notes<'a> {
    pub async fn open(control: &'a Target, pipeline: i32, run: i32) -> Result<Self, TargetError> {
        let sql = "SELECT cart FROM cartage.verify_cart WHERE pipeline = $1";
        let mut known = HashSet::default();
        for row in control.query(sql, params![pipeline]).await? {
            known.insert(CartKey::stored(&row.get::<String>(0)?));
        }
        Ok(Self {
            control,
            pipeline,
            run,
            stage: Stage::Source,
            cursor: None,
            known,
            fresh: HashMap::default(),
            written: Instant::now(),
        })
    }

    /// What a run that was cut short has left: the carts that it has parked, and into the report
    /// those that it has found to differ.
    pub async fn left(&self, report: &mut Report) -> Result<Left, TargetError> {
        let sql = Words::each(
            "SELECT cart, verdict, differences::text FROM cartage.verify_cart \
             WHERE pipeline = $1 AND run = $2 ORDER BY cart",
            "SELECT cart, verdict, differences FROM cartage_verify_cart \
             WHERE pipeline = $1 AND run = $2 ORDER BY cart",
        );
        let mut left = Left::default();
        for row in self
            .control
            .query(sql, params![self.pipeline, self.run])
            .await?
        {
            let cart = CartKey::stored(&row.get::<String>(0)?);
            match row.get::<String>(1)?.as_str() {
                "asked" => left.asked.push(cart),
                "parked" => left.parked.push(Parked { cart, met: false }),
                "missing" | "extra" | "different" => {
                    let differences: String = row.get(2)?;
                    report.keep(serde_json::from_str(&differences).unwrap_or_default());
                    report.differing.push(cart);
                }
                "pending" => left.pending.push(cart),
                _ => {}
            }
        }
        Ok(left)
    }

    pub fn park(&mut self, cart: &CartKey) {
        let note = Note::Verdict("parked", Vec::new());
        self.fresh.insert(cart.clone(), note);
    }

    pub fn found(&mut self, cart: &Looked) {
        let (verdict, differences): (_, &[Difference]) = match &cart.outcome {
            Outcome::Missing(list) => ("missing", list),
            Outcome::Extra(list) => ("extra", list),
            Outcome::Different(list) => ("different", list),
            Outcome::Pending => ("pending", &[]),
            Outcome::Held => ("held", &[]),
            Outcome::Equal | Outcome::Merged | Outcome::Written(_) | Outcome::NotOurs => {
                if self.known.contains(&cart.key) || self.fresh.contains_key(&cart.key) {
                    self.fresh.insert(cart.key.clone(), Note::Well);
                }
                return;
            }
        };
        let room = self.known.len() + self.fresh.len() < KEPT;
        if room || self.known.contains(&cart.key) || self.fresh.contains_key(&cart.key) {
            let some = differences.iter().take(DIFFERENCES).cloned().collect();
            self.fresh
                .insert(cart.key.clone(), Note::Verdict(verdict, some));
        }
    }

    pub fn is_due(&self) -> bool {
        let every = switch::bound(Bound::VerifyNotes, EVERY);
        self.written.elapsed() >= Duration::from_millis(every)
    }

    pub async fn waits(&self, why: Option<&str>) -> Result<(), TargetError> {
        runs::waits(self.control, self.run, why).await
    }

    pub async fn write(&mut self, report: &Report) -> Result<(), TargetError> {
        self.control.run("BEGIN").await?;
        let done = self.write_now(report).await;
        match done {
            Ok(()) => self.control.run("COMMIT").await?,
            Err(error) => {
                // The first error says what was wrong.
                let _ = self.control.run("ROLLBACK").await;
                return Err(error);
            }
        }
        self.written = Instant::now();
        Ok(())
    }

    async fn write_now(&mut self, report: &Report) -> Result<(), TargetError> {
        let at = (self.stage, self.cursor.as_ref());
        runs::advance(self.control, self.run, at, report).await?;
        let mut fresh: Vec<(CartKey, Note)> = std::mem::take(&mut self.fresh).into_iter().collect();
        // Whoever writes the same carts at the same time takes them in the same order.
        fresh.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
        let well = fresh.iter().filter(|(_, note)| matches!(note, Note::Well));
        let well: Vec<&CartKey> = well.map(|(cart, _)| cart).collect();
        self.forget(&well).await?;
        for cart in well {
            self.known.remove(cart);
        }
        for (cart, note) in fresh {
            let Note::Verdict(verdict, differences) = note else {
                continue;
            };
            let put = Words::each(
                "INSERT INTO cartage.verify_cart (pipeline, cart, run, verdict, differences) \
                 VALUES ($1, $2, $3, $4, $5) ON CONFLICT (pipeline, cart) DO UPDATE \
                 SET run = EXCLUDED.run, verdict = EXCLUDED.verdict, \
                     differences = EXCLUDED.differences, looked_at = now()",
                "INSERT INTO cartage_verify_cart (pipeline, cart, run, verdict, differences) \
                 VALUES ($1, $2, $3, $4, $5) ON DUPLICATE KEY UPDATE \
                 run = VALUES(run), verdict = VALUES(verdict), \
                 differences = VALUES(differences), looked_at = CURRENT_TIMESTAMP(6)",
            );
            let differences = serde_json::to_string(&differences).unwrap_or_else(|_| "[]".into());
            let (cart_key, run) = (cart.as_str(), self.run);
            self.control
                .execute(
                    put,
                    params![self.pipeline, cart_key, run, verdict, differences],
                )
                .await?;
            self.known.insert(cart);
        }
        Ok(())
    }

    /// Nothing is to be said of these carts any more. What another run has still to look at stays.
    async fn forget(&self, carts: &[&CartKey]) -> Result<(), TargetError> {
        for some in carts.chunks(AT_ONCE) {
            let places: Vec<String> = (3..some.len() + 3).map(|n| format!("${n}")).collect();
            let sql = format!(
                "DELETE FROM cartage.verify_cart WHERE pipeline = $1 \
                 AND (run = $2 OR verdict NOT IN ('asked', 'parked')) AND cart IN ({})",
                places.join(", ")
            );
            let mut params = vec![Param::from(self.pipeline), Param::from(self.run)];
            params.extend(some.iter().map(|cart| Param::from(cart.as_str())));
            self.control.execute(sql.as_str(), &params).await?;
        }
        Ok(())
    }

    /// The run is done. `whole` says that it has looked at all carts: what it did not find is no more.
    pub async fn finish(self, whole: bool) -> Result<(), TargetError> {
        if whole {
            // MySQL reads no table that it deletes from, but others.
            let sql = "DELETE FROM cartage.verify_cart WHERE pipeline = $1 AND run < $2 \
                       AND run NOT IN (SELECT r.id FROM cartage.verify_run AS r \
                                       WHERE r.pipeline = $1 AND r.finished_at IS NULL)";
            let of = params![self.pipeline, self.run];
            self.control.execute(sql, of).await?;
        }
        runs::finish(self.control, self.run).await
    }
}

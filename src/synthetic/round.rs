//! The life of one synthetic cart: made, seen in the target, changed, seen, removed, seen to be gone.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use metrics::{counter, gauge, histogram};
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};

use super::SyntheticError;
use super::template::Known;
use super::writer::Writer;
use crate::cart::key::CartKey;
use crate::config::Synthetic;
use crate::lookup::Asker;
use crate::mapping::map::Mapper;
use crate::metrics::now;
use crate::params;
use crate::source::Source;
use crate::source::session::NotAKey;
use crate::switch::{self, Place};
use crate::target::control::synthetic as written;
use crate::target::session::Target;
use crate::verify::Verifier;
use crate::verify::beyond::Plan;

/// Between two looks at the ledger; later ones are further apart.
const LOOK: Duration = Duration::from_millis(10);
const LOOK_LATER: Duration = Duration::from_millis(200);

pub const STEPS: [&str; 3] = ["create", "change", "remove"];

/// All that a round needs.
pub struct Round<'a> {
    pub config: &'a Synthetic,
    /// The pipeline's name, which is in the marks.
    pub name: &'a str,
    pub pipeline: i32,
    pub by: &'static str,
    pub writer: &'a Writer,
    pub target: &'a Target,
    /// Sessions that only look, at either end: who looks may come to wait for a lock, and what is to be
    /// removed does not.
    pub looks: (&'a Source, &'a Target),
    pub mapper: &'a Mapper,
    pub asker: &'a Arc<Asker>,
}

/// What came of a cart.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outcome {
    pub number: i64,
    pub marker: String,
    pub cart: Option<String>,
    /// Seconds from the commit until it was seen in the target, by step.
    pub delays: [Option<f64>; 3],
    pub failure: Option<String>,
    /// It was broken off because the daemon stops.
    pub stopped: bool,
    /// The sessions that look wait for an answer still.
    pub unanswered: bool,
}

/// What the ledger says of a cart.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Seen {
    state: String,
    patches: i64,
}

/// By what a step is seen to have arrived.
enum Sign {
    Mirrored,
    /// After so many patches there was another one.
    Patched(i64),
    /// Unlike it was before.
    Gone(Option<Seen>),
}

impl Sign {
    fn is_there(&self, seen: Option<&Seen>) -> bool {
        match (self, seen) {
            (Sign::Mirrored, Some(seen)) => seen.state == "mirror",
            (Sign::Patched(before), Some(seen)) => seen.patches > *before,
            (Sign::Gone(_), None) => true,
            (Sign::Gone(before), Some(seen)) => {
                seen.state == "ended" && before.as_ref() != Some(seen)
            }
            (_, None) => false,
        }
    }
}

/// Why a step did not go as it should.
enum Trouble {
    Failed(String),
    /// The sessions that look are of no more use.
    Unanswered(String),
    Stopped,
}

impl From<SyntheticError> for Trouble {
    fn from(error: SyntheticError) -> Self {
        Self::Failed(error.to_string())
    }
}

impl Round<'_> {
    /// Plays one cart. An error means that it could not be written down, or not be removed; all else
    /// is in the outcome.
    pub fn run<'a>(
        &'a self,
        stop: &'a mut watch::Receiver<bool>,
    ) -> BoxFuture<'a, Result<Outcome, SyntheticError>> {
        Box::pin(self.play(stop))
    }

    async fn play(&self, stop: &mut watch::Receiver<bool>) -> Result<Outcome, SyntheticError> {
        let plan = &self.config.plan;
        let number = written::begin(self.target, self.pipeline, self.by, plan).await?;
        switch::place(Place::SyntheticBegun);
        let mut known = Known::of(self.name, number);
        let mut outcome = Outcome {
            number,
            marker: known.marker.clone(),
            ..Outcome::default()
        };
        let mut lived = self.live(&mut known, &mut outcome, stop).await;
        let before = match &outcome.cart {
            Some(cart) => self.seen(cart).await.unwrap_or(None),
            None => None,
        };
        // Whatever went wrong: it does not stay.
        self.writer.remove(plan, &known).await?;
        let removed = Instant::now();
        switch::place(Place::SyntheticRemoved);
        written::gone(self.target, self.pipeline, number).await?;
        if lived.is_ok()
            && let Some(cart) = outcome.cart.clone()
        {
            lived = self
                .leaves(&cart, before, removed, &mut outcome, stop)
                .await;
        }
        match lived {
            Ok(()) => {}
            Err(Trouble::Stopped) => outcome.stopped = true,
            Err(Trouble::Failed(why)) => outcome.failure = Some(why),
            Err(Trouble::Unanswered(why)) => {
                outcome.failure = Some(why);
                outcome.unanswered = true;
            }
        }
        if !outcome.stopped {
            let (delays, failure) = (outcome.delays, outcome.failure.as_deref());
            written::judged(self.target, self.pipeline, number, delays, failure).await?;
        }
        tell(&outcome);
        Ok(outcome)
    }

    async fn live(
        &self,
        known: &mut Known,
        outcome: &mut Outcome,
        stop: &mut watch::Receiver<bool>,
    ) -> Result<(), Trouble> {
        let plan = &self.config.plan;
        self.writer.create(plan, known).await.map_err(in_step(0))?;
        let made = Instant::now();
        switch::place(Place::SyntheticMade);
        let key = self.key(known).await?;
        let cart = key.as_str().to_owned();
        outcome.cart = Some(cart.clone());
        written::made(
            self.target,
            self.pipeline,
            known.number,
            &cart,
            &known.values,
        )
        .await
        .map_err(SyntheticError::from)?;
        outcome.delays[0] = Some(self.until(0, &cart, made, stop, Sign::Mirrored).await?);
        self.is_as_it_should_be(0, &key).await?;
        if plan.changes.is_empty() {
            return Ok(());
        }
        let before = self.seen(&cart).await?;
        self.writer.change(plan, known).await.map_err(in_step(1))?;
        let changed = Instant::now();
        switch::place(Place::SyntheticChanged);
        let moved = Sign::Patched(before.map_or(0, |seen| seen.patches));
        outcome.delays[1] = Some(self.until(1, &cart, changed, stop, moved).await?);
        self.is_as_it_should_be(1, &key).await
    }

    async fn leaves(
        &self,
        cart: &str,
        before: Option<Seen>,
        removed: Instant,
        outcome: &mut Outcome,
        stop: &mut watch::Receiver<bool>,
    ) -> Result<(), Trouble> {
        let gone = Sign::Gone(before);
        outcome.delays[2] = Some(self.until(2, cart, removed, stop, gone).await?);
        let key = CartKey::stored(cart);
        self.is_as_it_should_be(2, &key).await
    }

    /// Waits until the ledger, which is written with the cart, is as it should be. The seconds since
    /// the commit.
    async fn until(
        &self,
        step: usize,
        cart: &str,
        since: Instant,
        stop: &mut watch::Receiver<bool>,
        sign: Sign,
    ) -> Result<f64, Trouble> {
        loop {
            let seen = self.seen(cart).await?;
            let passed = since.elapsed();
            if sign.is_there(seen.as_ref()) {
                return Ok(passed.as_secs_f64());
            }
            if *stop.borrow() {
                return Err(Trouble::Stopped);
            }
            if passed > self.config.deadline {
                let state = match seen {
                    None => "the target does not know it".to_owned(),
                    Some(seen) => format!("its state in the target is {}", seen.state),
                };
                return Err(Trouble::Failed(format!(
                    "{}: not seen in the target within {} s; {state}",
                    STEPS[step],
                    self.config.deadline.as_secs_f64()
                )));
            }
            let pause = match passed < Duration::from_secs(2) {
                true => LOOK,
                false => LOOK_LATER,
            };
            tokio::select! {
                () = sleep(pause) => {}
                () = crate::stop::told(stop) => return Err(Trouble::Stopped),
            }
        }
    }

    async fn seen(&self, cart: &str) -> Result<Option<Seen>, SyntheticError> {
        let sql = "SELECT state, patches FROM cartage.ledger WHERE pipeline = $1 AND cart = $2";
        let row = self.target.first(sql, params![self.pipeline, cart]).await?;
        row.map(|row| {
            Ok(Seen {
                state: row.get(0)?,
                patches: row.get(1)?,
            })
        })
        .transpose()
    }

    /// The mapped rows are in the target, column by column.
    async fn is_as_it_should_be(&self, step: usize, key: &CartKey) -> Result<(), Trouble> {
        let beyond = Plan::default();
        let verifier = Verifier {
            beyond: &beyond,
            alone: tokio::sync::Mutex::default(),
            asker: self.asker,
            source: self.looks.0,
            target: self.looks.1,
            pipeline: self.pipeline,
            mapper: self.mapper,
            limit: 0,
        };
        let carts = std::slice::from_ref(key);
        let looked: BoxFuture<'_, _> = Box::pin(verifier.run(Some(carts), &|_| {}));
        let patience = self.config.deadline.max(Duration::from_secs(1));
        let Ok(report) = timeout(patience, looked).await else {
            return Err(Trouble::Unanswered(format!(
                "{}: it has arrived, and whether it is as it should be could not be seen within {} s",
                STEPS[step],
                patience.as_secs_f64()
            )));
        };
        let report = report.map_err(SyntheticError::from)?;
        match report.is_well() {
            true => Ok(()),
            false => Err(Trouble::Failed(format!(
                "{}: it is not in the target as it should be (missing {}, different {}, extra {}, \
                 held {})",
                STEPS[step], report.missing, report.different, report.extra, report.held
            ))),
        }
    }

    /// The cart's key, as the source prints it.
    async fn key(&self, known: &Known) -> Result<CartKey, SyntheticError> {
        let (table, key) = self.mapper.mapping.layout.named_in();
        let values = self.named(known)?;
        let printed = self.writer.source.printed(table, key, &values).await;
        let printed = printed.map_err(|why| match why {
            NotAKey::Refused(why) => SyntheticError::Plan(format!("the cart's key: {why}")),
            NotAKey::Ask(error) => SyntheticError::Source(error),
        })?;
        let texts = printed.iter().map(|text| Some(text.as_str()));
        let key = table.key_of(key, texts);
        key.ok_or_else(|| SyntheticError::Plan("the cart has no key".into()))
    }

    /// The values of the columns that name the cart.
    fn named(&self, known: &Known) -> Result<Vec<String>, SyntheticError> {
        let (table, key) = self.mapper.mapping.layout.named_in();
        let full = format!("{}.{}", table.schema, table.name);
        let rows = &self.config.plan.rows;
        let made = rows
            .iter()
            .find(|made| made.table == table.name || made.table == full);
        let value = |&c: &usize| {
            let column = &table.columns[c].name;
            let value = made.and_then(|made| known.values.get(&format!("{}.{column}", made.name)));
            value.cloned().ok_or_else(|| {
                SyntheticError::Plan(format!(
                    "no row of [[synthetic.create]] for {} gives {column}, which names the cart: \
                     add it to its `values`, or as `returning`",
                    table.name
                ))
            })
        };
        key.iter().map(value).collect()
    }
}

fn in_step(step: usize) -> impl Fn(SyntheticError) -> Trouble {
    move |error| Trouble::Failed(format!("{}: {error}", STEPS[step]))
}

/// Tells whoever scrapes.
fn tell(outcome: &Outcome) {
    for (step, delay) in STEPS.into_iter().zip(outcome.delays) {
        if let Some(delay) = delay {
            histogram!("cartage_synthetic_delay_seconds", "step" => step).record(delay);
        }
    }
    if outcome.failure.is_some() {
        counter!("cartage_synthetic_failures_total").increment(1);
    } else if !outcome.stopped {
        gauge!("cartage_synthetic_last_success_timestamp_seconds").set(now());
    }
}

impl Outcome {
    pub fn is_well(&self) -> bool {
        self.failure.is_none() && !self.stopped
    }

    pub fn json(&self) -> Value {
        let [create, change, remove] = self.delays;
        json!({
            "n": self.number,
            "marker": self.marker,
            "cart": self.cart,
            "create_seconds": create,
            "change_seconds": change,
            "remove_seconds": remove,
            "failure": self.failure,
        })
    }

    pub fn text(&self) -> String {
        let mut text = format!("synthetic cart {}\n", self.marker);
        for (step, delay) in STEPS.into_iter().zip(self.delays) {
            let delay = delay.map_or("not seen".to_owned(), |d| format!("{:.0} ms", d * 1e3));
            text += &format!("{step:<8} {delay}\n");
        }
        if let Some(why) = &self.failure {
            text += &format!("FAILED   {why}\n");
        }
        text
    }
}

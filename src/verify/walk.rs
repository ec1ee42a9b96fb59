//! The walk: one portion is compared while the next one is read; what is doubtful is parked.

use tokio::try_join;

use super::feed::{Feed, Portion};
use super::judge::{Looked, Outcome};
use super::look::Looker;
use super::notes::Notes;
use super::pace::Pace;
use super::progress::Progress;
use super::report::Report;
use super::runs::{Stage, Unfinished};
use super::{Verifier, VerifyError};
use crate::cart::key::CartKey;
use crate::hash::{HashMap, HashSet};
use crate::switch::{self, Bound, Mutant, Place};

/// Parked carts are looked at again at the latest when there are so many.
const PARKED: usize = 2_000;

/// A cart that is to be looked at again.
#[derive(Clone, Debug)]
pub(super) struct Parked {
    pub cart: CartKey,
    /// The walk over the source's keys may have counted it.
    pub met: bool,
}

/// What was said of a cart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Told {
    Differs,
    Pending,
}

pub(super) struct Walk<'a> {
    pub look: Looker<'a>,
    pub report: Report,
    pub parked: Vec<Parked>,
    /// What a run of few carts that was cut short has not come to.
    pub asked: Vec<CartKey>,
    pub notes: Option<Notes<'a>>,
    pub pace: Option<Pace>,
    pub progress: Progress,
    pub tell: &'a (dyn Fn(&Progress) + Sync),
    /// The first carts of which something was said, so that none is counted twice.
    pub told: HashMap<CartKey, Told>,
}

impl<'a> Walk<'a> {
    pub async fn new(
        verifier: &'a Verifier<'a>,
        tell: &'a (dyn Fn(&Progress) + Sync),
    ) -> Result<Self, VerifyError> {
        Ok(Self {
            look: Looker::new(verifier).await?,
            report: Report::new(verifier.limit),
            parked: Vec::new(),
            asked: Vec::new(),
            notes: None,
            pace: None,
            progress: Progress::new(),
            tell,
            told: HashMap::default(),
        })
    }

    /// Takes up what a run that was cut short has left.
    pub async fn go_on(&mut self, run: &Unfinished) -> Result<(), VerifyError> {
        self.report = Report {
            limit: self.report.limit,
            ..run.report.clone()
        };
        if let Some(notes) = &mut self.notes {
            notes.stage = run.stage;
            notes.cursor.clone_from(&run.cursor);
            let left = notes.left(&mut self.report).await?;
            if !switch::mutant(Mutant::ParkedForgotten) {
                self.parked = left.parked;
            }
            self.asked = left.asked;
            let pending = left.pending.into_iter().map(|cart| (cart, Told::Pending));
            self.told.extend(pending);
        }
        let differing = self.report.differing().iter().cloned();
        self.told
            .extend(differing.map(|cart| (cart, Told::Differs)));
        let progress = &mut self.progress;
        progress.carts_total = run.total.and_then(|total| u64::try_from(total).ok());
        progress.carts_before = self.report.looked_at();
        progress.rows_before = self.report.rows;
        progress.worked_before = self.report.worked;
        progress.waited_before = self.report.waited;
        Ok(())
    }

    /// Enters a stage, which is written down at once.
    pub async fn enter(&mut self, stage: Stage) -> Result<(), VerifyError> {
        if let Some(notes) = &mut self.notes {
            notes.stage = stage;
            notes.cursor = None;
        }
        self.write().await?;
        switch::place(Place::VerifyStage);
        Ok(())
    }

    /// Looks at all carts of a feed, and settles what was doubtful.
    pub async fn feed(&mut self, mut feed: Feed<'_>) -> Result<(), VerifyError> {
        self.welcome().await?;
        let mut next = feed.next(&self.look).await?;
        while let Some(portion) = next {
            self.welcome().await?;
            let Portion {
                reads,
                rows,
                probed,
                cursor,
                met,
            } = portion;
            let look = &self.look;
            let (looked, following) = try_join!(look.compare(reads), feed.next(look))?;
            next = following;
            if let Some(pace) = &mut self.pace {
                pace.spend(rows + probed);
            }
            self.report.rows += rows;
            self.take(looked, &met);
            if self.parked.len() >= most_parked() {
                self.settle().await?;
            }
            self.passed(cursor).await?;
        }
        self.settle().await
    }

    /// What was found is counted, or parked.
    fn take(&mut self, looked: Vec<Looked>, met: &HashSet<CartKey>) {
        for cart in looked {
            let met = met.contains(&cart.key);
            match cart.doubtful() && !switch::mutant(Mutant::SeenOnce) {
                true => {
                    if let Some(notes) = &mut self.notes {
                        notes.park(&cart.key);
                    }
                    let cart = cart.key;
                    self.parked.push(Parked { cart, met });
                }
                false => self.count(cart, met),
            }
        }
    }

    /// Counts a cart for good. What the walk over the source's keys may have counted, as well as this
    /// one over the ledger, counts only where something is to be said of it.
    pub(super) fn count(&mut self, mut cart: Looked, met: bool) {
        let told = self.told.get(&cart.key).copied();
        if told.is_none() && met && cart.outcome == Outcome::Pending {
            // It was well when it was met, and has changed since: that is no news.
            cart.outcome = Outcome::Equal;
        }
        if let Some(notes) = &mut self.notes {
            notes.found(&cart);
        }
        let (differs, pending) = (cart.outcome.differs(), cart.outcome == Outcome::Pending);
        match told {
            Some(Told::Differs) => return,
            Some(Told::Pending) if pending => return,
            // It stood still at last.
            Some(Told::Pending) => {
                self.report.pending = self.report.pending.saturating_sub(1);
            }
            None if met && !differs => return,
            None => {}
        }
        self.told.remove(&cart.key);
        if (differs || pending) && self.told.len() < super::report::DIFFERING {
            let told = if differs {
                Told::Differs
            } else {
                Told::Pending
            };
            self.told.insert(cart.key.clone(), told);
        }
        self.report.count(&cart.key, cart.outcome, cart.stale);
    }

    /// All up to here is counted or parked.
    async fn passed(&mut self, cursor: Option<CartKey>) -> Result<(), VerifyError> {
        self.tell();
        if let Some(notes) = &mut self.notes {
            if cursor.is_some() {
                notes.cursor = cursor;
            }
            if notes.is_due() {
                self.write().await?;
                switch::place(Place::VerifyNoted);
            }
        }
        Ok(())
    }

    pub(super) fn tell(&mut self) {
        self.progress.carts_done = self.report.looked_at();
        self.progress.rows = self.report.rows;
        (self.tell)(&self.progress);
    }

    /// Writes down where the run stands.
    pub(super) async fn write(&mut self) -> Result<(), VerifyError> {
        let waited = self.pace.as_ref().map(Pace::waited).unwrap_or_default();
        self.report.worked = self.progress.worked();
        self.report.waited = waited + self.progress.waited_before;
        if let Some(notes) = &mut self.notes {
            notes.write(&self.report).await?;
        }
        Ok(())
    }

    /// Waits until the next portion may be read, and says why.
    pub(super) async fn welcome(&mut self) -> Result<(), VerifyError> {
        let Some(mut pace) = self.pace.take() else {
            return Ok(());
        };
        loop {
            let objection = pace.objection(self.look.verifier.source).await?;
            let changed = self.progress.waiting != objection;
            self.progress.waiting = objection;
            if changed {
                (self.tell)(&self.progress);
                if let Some(notes) = &self.notes {
                    notes.waits(self.progress.waiting.as_deref()).await?;
                }
            }
            if self.progress.waiting.is_none() {
                break;
            }
            pace.wait().await;
        }
        pace.rest().await;
        self.pace = Some(pace);
        Ok(())
    }

    /// `whole` says that all carts were looked at.
    pub async fn finish(mut self, whole: bool) -> Result<Report, VerifyError> {
        self.tell();
        self.write().await?;
        if let Some(notes) = self.notes {
            notes.finish(whole).await?;
        }
        Ok(self.report)
    }
}

fn most_parked() -> usize {
    let most = switch::bound(Bound::VerifyParked, PARKED as u64);
    usize::try_from(most).unwrap_or(PARKED)
}

//! A verification as it is ordered: which carts, how fast, for whom; and done, under a row of
//! `verify_run`.

use super::feed::Feed;
use super::notes::Notes;
use super::pace::Pace;
use super::progress::Progress;
use super::runs::{self, Stage, Unfinished};
use super::walk::Walk;
use super::{Report, Verifier, VerifyError, pick};
use crate::cart::key::CartKey;
use crate::hash::HashSet;
use crate::target::session::Target;

/// Which carts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    Full,
    Carts(Vec<CartKey>),
    /// So many, chosen at random.
    Sample(u64),
    /// Those that have changed since: microseconds since 1970 UTC.
    Since(i64),
}

/// For whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    Command,
    Daemon,
}

impl By {
    pub(super) fn name(self) -> &'static str {
        match self {
            By::Command => "command",
            By::Daemon => "daemon",
        }
    }
}

impl Scope {
    pub(super) fn name(&self) -> &'static str {
        match self {
            Scope::Full => "full",
            Scope::Carts(_) => "carts",
            Scope::Sample(_) => "sample",
            Scope::Since(_) => "since",
        }
    }

    pub(super) fn asked(&self) -> Option<String> {
        match self {
            Scope::Full | Scope::Carts(_) => None,
            Scope::Sample(number) => Some(number.to_string()),
            Scope::Since(moment) => Some(moment.to_string()),
        }
    }

    /// What a run that was cut short goes on with. Where it looks at few carts, `verify_cart` has those
    /// that are left.
    fn of(run: &Unfinished) -> Option<Self> {
        match (run.kind.as_str(), &run.asked) {
            ("full", _) => Some(Scope::Full),
            ("carts", _) => Some(Scope::Carts(Vec::new())),
            ("sample", Some(number)) => number.parse().ok().map(Scope::Sample),
            ("since", Some(moment)) => moment.parse().ok().map(Scope::Since),
            _ => None,
        }
    }
}

#[derive(Debug)]
pub struct Order<'a> {
    pub scope: Scope,
    pub by: By,
    /// A session of its own for the control tables.
    pub control: &'a Target,
    pub pace: Pace,
    /// The run that it goes on with.
    pub resume: Option<Unfinished>,
}

impl<'a> Order<'a> {
    /// An order that goes on with the latest run of its maker that was cut short.
    pub async fn resumed(
        verifier: &Verifier<'_>,
        by: By,
        control: &'a Target,
        pace: Pace,
    ) -> Result<Self, VerifyError> {
        let run = runs::unfinished(control, verifier.pipeline, by).await?;
        let run = run.ok_or(VerifyError::NothingToResume)?;
        if run.mapping != verifier.mapper.id {
            return Err(VerifyError::OtherMapping { run: run.id });
        }
        Ok(Self {
            scope: Scope::of(&run).ok_or(VerifyError::Unknown { run: run.id })?,
            by,
            control,
            pace,
            resume: Some(run),
        })
    }
}

impl Verifier<'_> {
    /// Does what was ordered. It can be dropped at any time, and resumed.
    pub async fn carry_out(
        &self,
        order: Order<'_>,
        tell: &(dyn Fn(&Progress) + Sync),
    ) -> Result<Report, VerifyError> {
        let Order {
            scope,
            by,
            control,
            pace,
            resume,
        } = order;
        let mapping = &self.mapper.mapping;
        if matches!(scope, Scope::Since(_)) && mapping.changed_at.is_none() {
            return Err(VerifyError::Undated);
        }
        let mut walk = Walk::new(self, tell).await?;
        walk.pace = Some(pace);
        let resumed = resume.is_some();
        let chosen = match (&scope, resumed) {
            (Scope::Carts(carts), false) => once(carts),
            (Scope::Sample(number), false) => pick::sample(self, *number).await?,
            _ => Vec::new(),
        };
        let (stage, mut cursor, start) = match resume {
            Some(run) => {
                walk.notes = Some(Notes::open(control, self.pipeline, run.id).await?);
                walk.go_on(&run).await?;
                (run.stage, run.cursor, run.start)
            }
            None => {
                let start = self.source.committed().await?;
                let id = self.mapper.id;
                let of = (&scope, chosen.as_slice());
                let run = runs::begin(control, self.pipeline, by, of, id, start).await?;
                walk.notes = Some(Notes::open(control, self.pipeline, run).await?);
                walk.report.run = Some(run);
                let total = match scope {
                    Scope::Full => self.estimate().await?,
                    Scope::Carts(_) | Scope::Sample(_) => Some(chosen.len() as u64),
                    Scope::Since(_) => None,
                };
                walk.progress.carts_total = total;
                let total = total.and_then(|total| i64::try_from(total).ok());
                runs::total(control, run, total).await?;
                (Stage::Source, None, start)
            }
        };
        match &scope {
            Scope::Carts(_) | Scope::Sample(_) => {
                let left = std::mem::take(&mut walk.asked);
                let carts = if resumed { &left } else { &chosen };
                walk.feed(Feed::of(carts)).await?;
            }
            Scope::Since(since) => walk.feed(Feed::since(cursor.take(), *since)).await?,
            Scope::Full => {
                self.begin_alone().await?;
                if resumed {
                    walk.recall().await?;
                }
                if stage == Stage::Source {
                    walk.feed(Feed::source(cursor.take())).await?;
                    walk.enter(Stage::Ledger).await?;
                }
                walk.feed(Feed::ledger(cursor, start)).await?;
                self.finish_alone(&mut walk.report).await?;
            }
        }
        walk.finish(scope == Scope::Full).await
    }

    /// The server's guess of how many carts there are.
    async fn estimate(&self) -> Result<Option<u64>, VerifyError> {
        let mapping = &self.mapper.mapping;
        let live = mapping.live.as_ref();
        let guess = self.source.estimate(&mapping.layout, live).await?;
        Ok(guess.and_then(|guess| u64::try_from(guess).ok()))
    }
}

/// Each cart once, as they come.
fn once(carts: &[CartKey]) -> Vec<CartKey> {
    let mut seen = HashSet::default();
    let fresh = carts.iter().filter(|cart| seen.insert(*cart));
    fresh.cloned().collect()
}

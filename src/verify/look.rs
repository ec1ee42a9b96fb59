//! Looking at carts: read from the source, mapped, and held against the target's rows.

use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::{Instant, sleep};
use tokio_postgres::Statement;

use super::beyond::{Claims, Subject};
use super::expect::expect;
use super::judge::{self, Looked};
use super::memory::Memory;
use super::report::Difference;
use super::{Verifier, VerifyError};
use crate::cart::image::Image;
use crate::cart::key::CartKey;
use crate::lanes::item::Read;
use crate::lookup::Open;
use crate::params;
use crate::refresh::{read, runs};
use crate::source::change::Lsn;
use crate::target::error::TargetError;
use crate::target::ledger::{self, Briefed, State};
use crate::target::seen::{self, Expects};
use crate::target::session::Target;

/// Parts in which a portion is compared, and the carts of one at the least.
const PARTS: usize = 4;
const LEAST: usize = 100;

/// A verifier with what it asks its target again and again.
pub(super) struct Looker<'a> {
    pub verifier: &'a Verifier<'a>,
    rows: seen::Prepared,
    images: Option<Statement>,
}

impl<'a> Looker<'a> {
    pub async fn new(verifier: &'a Verifier<'a>) -> Result<Self, VerifyError> {
        let mapping = &verifier.mapper.mapping;
        Ok(Self {
            rows: seen::Prepared::of(verifier.target, mapping).await?,
            images: ledger::images_statement(verifier.target).await?,
            verifier,
        })
    }

    /// The carts as the source has them, with the number of their rows.
    pub async fn read(&self, carts: &[CartKey]) -> Result<(Vec<Read>, u64), VerifyError> {
        let Verifier { source, mapper, .. } = self.verifier;
        if carts.is_empty() {
            return Ok((Vec::new(), 0));
        }
        let mapping = &mapper.mapping;
        source.glance().await?;
        let read = read::carts(source, &mapping.layout, mapping.changed_at, carts).await;
        source.close().await?;
        Ok(read?)
    }

    /// What the ledger holds of these carts.
    pub async fn ledger(&self, carts: &[CartKey]) -> Result<Vec<Briefed>, VerifyError> {
        let Verifier {
            target, pipeline, ..
        } = self.verifier;
        let keys: Vec<&CartKey> = carts.iter().collect();
        Ok(ledger::images(target, self.images.as_ref(), *pipeline, &keys).await?)
    }

    /// The carts as they are read, with a point in the log at which nothing was read yet, and the one that it must pass
    /// to bring as much.
    pub async fn read_between(
        &self,
        carts: &[CartKey],
    ) -> Result<(Vec<Read>, Lsn, Lsn), VerifyError> {
        let Verifier { source, mapper, .. } = self.verifier;
        let mapping = &mapper.mapping;
        let before = source.committed().await?;
        let view = source.open().await?;
        let read = read::carts(source, &mapping.layout, mapping.changed_at, carts).await;
        source.close().await?;
        Ok((read?.0, before, view.upto))
    }

    /// Waits until every lane has passed `upto`. False where that takes too long.
    pub async fn wait_for(&self, upto: Lsn, patience: Duration) -> Result<bool, VerifyError> {
        let begun = Instant::now();
        loop {
            let row = self
                .verifier
                .target
                .one(
                    "SELECT coalesce(min(lsn) >= $2, false) FROM cartage.checkpoint \
                     WHERE pipeline = $1",
                    params![self.verifier.pipeline, upto],
                )
                .await?;
            if row.get(0)? {
                return Ok(true);
            }
            if begun.elapsed() >= patience {
                return Ok(false);
            }
            sleep(Duration::from_millis(50)).await;
        }
    }

    /// Compares carts with ledger and target rows of one snapshot.
    pub async fn compare(&self, reads: Vec<Read>) -> Result<Vec<Looked>, VerifyError> {
        if reads.is_empty() {
            return Ok(Vec::new());
        }
        let Verifier {
            target, pipeline, ..
        } = self.verifier;
        self.open().await?;
        let filling = runs::any_unfinished(target, *pipeline).await;
        let compared = match filling {
            Ok(filling) => self.compare_parts(reads, filling).await,
            Err(why) => Err(why.into()),
        };
        target.run("COMMIT").await?;
        compared
    }

    /// While the target looks for the rows of one part, the next one is mapped.
    async fn compare_parts(
        &self,
        mut reads: Vec<Read>,
        filling: bool,
    ) -> Result<Vec<Looked>, VerifyError> {
        let Verifier { target, mapper, .. } = self.verifier;
        let size = match target {
            // What many carts ask of lookups is asked at once.
            Target::Postgres(_) if mapper.mapping.lookups.is_empty() => {
                reads.len().div_ceil(PARTS).max(LEAST)
            }
            // MySQL takes one question after the other.
            _ => reads.len(),
        };
        let mut parts = Vec::new();
        while reads.len() > size {
            let rest = reads.split_off(size);
            parts.push(std::mem::replace(&mut reads, rest));
        }
        parts.push(reads);
        let parts = parts
            .into_iter()
            .map(|part| self.compare_now(part, filling));
        let mut looked = Vec::new();
        let mut failed: Option<VerifyError> = None;
        for part in join_all(parts).await {
            match part {
                Ok(part) => looked.extend(part),
                Err(why) if failed.as_ref().is_none_or(VerifyError::is_echo) => failed = Some(why),
                Err(_) => {}
            }
        }
        failed.map_or(Ok(looked), Err)
    }

    async fn open(&self) -> Result<(), TargetError> {
        let target = self.verifier.target;
        match target {
            Target::Postgres(_) => {
                // Rows are found by their keys: of a table of middling size the planner would rather
                // read all, for every chunk again. What it then has to do nevertheless looks so dear
                // to it that it would compile it.
                let begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; \
                             SET LOCAL enable_seqscan = off; SET LOCAL enable_mergejoin = off; \
                             SET LOCAL enable_hashjoin = off; SET LOCAL jit = off";
                target.run(begin).await
            }
            Target::Mysql(_) => {
                // It is of the next transaction alone.
                let level = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ";
                target.run(level).await?;
                let begin = "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY";
                target.run(begin).await
            }
        }
    }

    async fn compare_now(
        &self,
        mut reads: Vec<Read>,
        filling: bool,
    ) -> Result<Vec<Looked>, VerifyError> {
        let Verifier {
            target,
            pipeline,
            mapper,
            ..
        } = self.verifier;
        let keys: Vec<&CartKey> = reads.iter().map(|read| &read.cart).collect();
        let briefed = ledger::images(target, self.images.as_ref(), *pipeline, &keys).await?;
        let mut memories = Vec::with_capacity(reads.len());
        for (read, briefed) in reads.iter_mut().zip(briefed) {
            memories.push(Memory::of(mapper, read, briefed)?);
        }
        let (reads, stale) = self.ask(reads, &memories).await?;
        let claims = match self.verifier.is_looking_for_alone().await {
            true => Some(Claims::of(mapper, &reads, &memories)),
            false => None,
        };
        let mut carts = Vec::with_capacity(reads.len());
        let mut expected = Vec::with_capacity(reads.len());
        for (read, memory) in reads.into_iter().zip(memories) {
            let position = memory.entry.as_ref().map(|entry| entry.position);
            let state = memory.entry.as_ref().map(|entry| entry.state);
            let is_merged = |_: &&Image| state == Some(State::Merged);
            let merged = read.image.as_ref().filter(is_merged).cloned();
            expected.push(expect(mapper, read.image, memory, filling));
            carts.push((read.cart, merged, position));
        }
        let subjects = carts.iter().zip(&expected);
        let subjects: Vec<Subject<'_>> = subjects
            .map(|((cart, merged, _), expected)| {
                Subject::of(mapper, cart, merged.as_ref(), expected)
            })
            .collect();
        if let Some(claims) = claims {
            let claims = claims.expected(mapper, &expected, &subjects);
            self.verifier.know(claims).await?;
        }
        let expects = expected.iter().zip(&subjects);
        let expects: Vec<Expects<'_>> = expects
            .map(|(expected, subject)| Expects {
                rows: expected.rows(),
                header: subject.header.as_ref(),
            })
            .collect();
        let least = self.verifier.beyond.min_quantity;
        let sights = seen::look(target, &self.rows, &mapper.mapping, &expects, least).await?;
        let judged = carts.iter().zip(&expected).zip(stale).enumerate();
        let mut looked: Vec<Looked> = judged
            .map(|(at, (((cart, _, position), expected), stale))| Looked {
                stale,
                position: *position,
                ..judge::judge(&mapper.mapping, cart.clone(), expected, sights.cart(at))
            })
            .collect();
        self.verifier
            .look_beyond(&subjects, &sights, &mut looked)
            .await?;
        Ok(looked)
    }

    /// The carts with the answers of lookups by which they were mapped, and which of these would be
    /// others today.
    async fn ask(
        &self,
        mut reads: Vec<Read>,
        memories: &[Memory],
    ) -> Result<(Vec<Read>, Vec<Vec<Difference>>), VerifyError> {
        let Verifier { mapper, asker, .. } = self.verifier;
        let mut stale: Vec<Vec<Difference>> = reads.iter().map(|_| Vec::new()).collect();
        if mapper.mapping.lookups.is_empty() {
            return Ok((reads, stale));
        }
        for (read, memory) in reads.iter_mut().zip(memories) {
            let frozen = memory.entry.as_ref().filter(|e| e.mapping == mapper.id);
            let kept = frozen.and_then(|entry| entry.image.as_ref());
            if let (Some(image), Some(kept)) = (&mut read.image, kept) {
                image.answers = kept.answers.clone();
            }
        }
        let images = reads.iter_mut().filter_map(|read| read.image.as_mut());
        let live = images.filter(|image| mapper.live(image) == Ok(true));
        let open = live.map(|image| Open {
            image,
            again: false,
            frozen: None,
        });
        asker.fill(mapper, open.collect()).await?;
        let images = reads.iter().filter_map(|read| read.image.as_ref());
        let answers = images.flat_map(|image| image.answers.iter());
        let questions = answers.map(|answer| answer.question.clone()).collect();
        let today = asker.answers(questions, true).await?;
        for (read, stale) in reads.iter().zip(&mut stale) {
            let Some(image) = &read.image else { continue };
            for answer in image.answers.iter() {
                let lookup = mapper.mapping.lookups.get(answer.question.lookup);
                if let (Some(lookup), Some(now)) = (lookup, today.get(&answer.question))
                    && *now != answer.given
                {
                    stale.push(Difference::stale(&read.cart, lookup, answer, now));
                }
            }
        }
        Ok((reads, stale))
    }
}

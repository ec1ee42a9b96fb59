//! All carts: those that are live in the source, then those that only the ledger knows.

use std::collections::HashSet;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;

use super::judge::{self, Looked};
use super::report::{Difference, Report};
use super::{CHUNK, Verifier, VerifyError};
use crate::cart::key::CartKey;
use crate::lanes::item::Read;
use crate::lookup::Open;
use crate::params;
use crate::refresh::read;
use crate::source::change::Lsn;
use crate::target::error::TargetError;
use crate::target::found::{self, Ask};
use crate::target::ledger::{self, Loaded};
use crate::target::session::Target;

impl Verifier<'_> {
    pub(super) async fn walk(
        &self,
        report: &mut Report,
        doubtful: &mut Vec<CartKey>,
        progress: &dyn Fn(u64),
    ) -> Result<(), VerifyError> {
        let mapping = &self.mapper.mapping;
        // Eight bytes a cart; two carts of one hash are one chance in millions, and cost one look.
        let hash = RandomState::new();
        let mut met = HashSet::new();
        let mut after: Option<CartKey> = None;
        loop {
            let live = mapping.live.as_ref();
            let next = self
                .source
                .next_keys(&mapping.layout, live, after.as_ref(), CHUNK);
            let keys = next.await?;
            let Some(last) = keys.last() else { break };
            after = Some(last.clone());
            met.extend(keys.iter().map(|key| hash.hash_one(key)));
            let looked = self.look(&keys).await?;
            self.sort(looked, report, doubtful);
            progress(report.looked_at());
        }
        let mut after = String::new();
        loop {
            let rows = self
                .target
                .query(
                    "SELECT cart FROM cartage.ledger WHERE pipeline = $1 AND cart > $2 \
                     ORDER BY cart LIMIT $3",
                    params![self.pipeline, &after, CHUNK as i64],
                )
                .await?;
            let Some(last) = rows.last() else { break };
            after = last.get(0)?;
            let mut keys = Vec::new();
            for row in &rows {
                let key = CartKey::stored(&row.get::<String>(0)?);
                if !met.contains(&hash.hash_one(&key)) {
                    keys.push(key);
                }
            }
            let looked = self.look(&keys).await?;
            self.sort(looked, report, doubtful);
            progress(report.looked_at());
        }
        Ok(())
    }

    pub(super) async fn look(&self, carts: &[CartKey]) -> Result<Vec<Looked>, VerifyError> {
        let (reads, _) = self.read(carts).await?;
        self.compare(&reads).await
    }

    /// The carts as the source has them, and the point that the log must pass to bring as much.
    pub(super) async fn read(&self, carts: &[CartKey]) -> Result<(Vec<Read>, Lsn), VerifyError> {
        let mapping = &self.mapper.mapping;
        let view = self.source.open().await?;
        let reads = read::carts(self.source, &mapping.layout, mapping.changed_at, carts).await;
        self.source.close().await?;
        Ok((reads?.0, view.upto))
    }

    /// Compares carts with ledger and target rows of one snapshot.
    pub(super) async fn compare(&self, reads: &[Read]) -> Result<Vec<Looked>, VerifyError> {
        self.open().await?;
        let compared = self.compare_now(reads).await;
        self.target.run("COMMIT").await?;
        compared
    }

    async fn open(&self) -> Result<(), TargetError> {
        match self.target {
            Target::Postgres(_) => {
                let begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
                self.target.run(begin).await
            }
            Target::Mysql(_) => {
                // It is of the next transaction alone.
                let level = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ";
                self.target.run(level).await?;
                let begin = "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY";
                self.target.run(begin).await
            }
        }
    }

    async fn compare_now(&self, reads: &[Read]) -> Result<Vec<Looked>, VerifyError> {
        let keys: Vec<&CartKey> = reads.iter().map(|read| &read.cart).collect();
        let loaded = ledger::load(self.target, self.pipeline, &keys).await?;
        let filling: bool = self
            .target
            .one(
                "SELECT EXISTS (SELECT 1 FROM cartage.refresh_run WHERE pipeline = $1 \
                 AND finished_at IS NULL)",
                params![self.pipeline],
            )
            .await?
            .get(0)?;
        let (reads, stale) = self.ask(reads, &loaded).await?;
        let expected: Vec<_> = reads
            .iter()
            .zip(loaded)
            .map(|(read, loaded)| super::expect::expect(self.mapper, read, loaded, filling))
            .collect();
        let rows = expected.iter().flat_map(|cart| cart.rows());
        let found = found::find(self.target, &self.mapper.mapping, rows, Ask::Values).await?;
        let judged = reads.iter().zip(expected).zip(stale);
        Ok(judged
            .map(|((read, cart), stale)| Looked {
                stale,
                ..judge::judge(&self.mapper.mapping, &read.cart, cart, &found)
            })
            .collect())
    }

    /// The carts with the answers of lookups by which they were mapped, and which of these would be
    /// others today.
    async fn ask(
        &self,
        reads: &[Read],
        loaded: &[Loaded],
    ) -> Result<(Vec<Read>, Vec<Vec<Difference>>), VerifyError> {
        let mut reads = reads.to_vec();
        let mut stale: Vec<Vec<Difference>> = reads.iter().map(|_| Vec::new()).collect();
        if self.mapper.mapping.lookups.is_empty() {
            return Ok((reads, stale));
        }
        for (read, loaded) in reads.iter_mut().zip(loaded) {
            let frozen = loaded
                .entry
                .as_ref()
                .filter(|e| e.mapping == self.mapper.id);
            if let (Some(image), Some(entry)) = (&mut read.image, frozen) {
                image.answers = entry.image.answers.clone();
            }
        }
        let images = reads.iter_mut().filter_map(|read| read.image.as_mut());
        let live = images.filter(|image| self.mapper.live(image) == Ok(true));
        let open = live.map(|image| Open {
            image,
            again: false,
            frozen: None,
        });
        self.asker.fill(self.mapper, open.collect()).await?;
        let images = reads.iter().filter_map(|read| read.image.as_ref());
        let answers = images.flat_map(|image| image.answers.iter());
        let questions = answers.map(|answer| answer.question.clone()).collect();
        let today = self.asker.answers(questions, true).await?;
        for (read, stale) in reads.iter().zip(&mut stale) {
            let Some(image) = &read.image else { continue };
            for answer in image.answers.iter() {
                let lookup = self.mapper.mapping.lookups.get(answer.question.lookup);
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

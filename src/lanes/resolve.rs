//! The one unit that could not be written: it is adopted, merged, handed over, or held.

use std::time::Duration;

use tracing::info;

use super::apply::ATTEMPTS;
use super::lane::{Lane, LaneError};
use super::settle::hand_over;
use super::sight::{Lines, Seen};
use super::unit::{Decision, Unit};
use crate::mapping::difference::Patch;
use crate::target::claim::Claims;
use crate::target::examine::{self, Finding, Part, evidence as evidence_of, examine, rows_json};
use crate::target::ledger::Evidence;
use crate::target::postgres::printed;
use crate::target::rivals::Rivals;
use crate::target::writer::WriteError;

impl Lane {
    /// Decides what becomes of the one unit that could not be written.
    pub(super) async fn resolve(
        &mut self,
        unit: &mut Unit,
        row_fault: Option<&str>,
        error: &WriteError,
    ) -> Result<(), LaneError> {
        unit.attempts += 1;
        if unit.mends() {
            self.mend_failed(unit, row_fault, error).await;
            return Ok(());
        }
        if let Some(message) = row_fault {
            let message = format!("{message}{}", printed::suspects(&unit.patch, error));
            self.hold(unit, "constraint", message, None);
            return Ok(());
        }
        if let WriteError::Claimed(claimed) = error {
            unit.owner = claimed.owner();
            self.hold(unit, "conflict", claimed.to_string(), None);
            return Ok(());
        }
        if unit.attempts > 1 {
            // Whoever writes it all the time must not meet us in step.
            let wait = Duration::from_millis(fastrand::u64(5..20) << unit.attempts.min(ATTEMPTS));
            tokio::time::sleep(wait).await;
        }
        if unit.taking().is_some() {
            // It is read again when its turn comes.
            if unit.attempts > ATTEMPTS {
                self.hold(
                    unit,
                    "conflict",
                    "it moved each time that it was taken".into(),
                    None,
                );
            }
            return Ok(());
        }
        if unit.is_merged() && !unit.ends() {
            // So is this.
            return Ok(());
        }
        self.look(unit, &error.to_string()).await
    }

    /// Reads what the target holds of the units that were merged before, and merges each: its patch,
    /// taken from the image alone, is about rows that are not so.
    pub(super) async fn read_merged(&mut self, group: &mut [Unit]) -> Result<(), LaneError> {
        // Again where some of a unit's carts turned out to be finished with.
        loop {
            let todo = |unit: &Unit| !unit.patch.is_empty() && unit.is_merged() && !unit.is_read;
            let todo = (0..group.len()).filter(|&at| todo(&group[at]));
            let (ends, open): (Vec<usize>, Vec<usize>) = todo.partition(|&at| group[at].ends());
            if ends.is_empty() && open.is_empty() {
                return Ok(());
            }
            for at in ends {
                self.look(&mut group[at], "it was merged before").await?;
            }
            let units: Vec<&Unit> = open.iter().map(|&at| &group[at]).collect();
            let seen = self.see(&units, Lines::Touched).await?;
            for (at, seen) in open.into_iter().zip(seen) {
                self.weigh(&mut group[at], seen).await?;
            }
        }
    }

    /// What becomes of a unit that was merged before: its writes say nothing of what is in their way.
    async fn weigh(&mut self, unit: &mut Unit, seen: Seen) -> Result<(), LaneError> {
        let mapping = &self.mappers.current.mapping;
        let (places, parts) = parts(unit);
        let finished = examine::finished(mapping, &parts, &seen.found);
        if !finished.is_empty() {
            self.finished(unit, &places, finished);
            return Ok(());
        }
        self.conflict(unit, &seen, "it was merged before", None)
            .await
    }

    /// Looks at what the target holds of a unit, and decides.
    async fn look(&mut self, unit: &mut Unit, why: &str) -> Result<(), LaneError> {
        let mapping = &self.mappers.current.mapping;
        let (places, parts) = parts(unit);
        let target = self.writer.target();
        let (finding, overruled) = examine(target, mapping, &parts, &unit.patch, unit.ends())
            .await
            .map_err(WriteError::from)?;
        match finding {
            Finding::Adopt(_) if unit.attempts >= ATTEMPTS => {
                self.hold(unit, "conflict", why.to_owned(), None);
            }
            Finding::Adopt(patch) => {
                unit.is_read = true;
                unit.patch = patch;
                unit.overruled = overruled.or(unit.overruled.take());
            }
            Finding::Finished(finished) => self.finished(unit, &places, finished),
            Finding::Conflict {
                message,
                evidence,
                found,
            } => {
                let mut seen = self.see_lines(&[unit], vec![found], Lines::Touched).await?;
                if let Some(seen) = seen.pop() {
                    self.conflict(unit, &seen, &message, Some(evidence)).await?;
                }
            }
        }
        Ok(())
    }

    /// Merges a unit; holds it where it cannot be merged.
    async fn conflict(
        &mut self,
        unit: &mut Unit,
        seen: &Seen,
        message: &str,
        evidence: Option<Evidence>,
    ) -> Result<(), LaneError> {
        let claims: Vec<Claims> = unit.claims().into_iter().collect();
        let message = match self.writer.owned(&claims).await? {
            Some(claimed) => {
                unit.owner = claimed.owner();
                claimed.to_string()
            }
            None => match self.merge(unit, seen, message) {
                Ok(()) => return Ok(()),
                Err(message) => message,
            },
        };
        let evidence = evidence.unwrap_or_else(|| {
            let mapping = &self.mappers.current.mapping;
            evidence_of(mapping, &parts(unit).1, &seen.found, &Rivals::new())
        });
        let finished = unit.carts.iter().filter(|c| c.handed_over);
        let finished: Vec<String> = finished.map(|c| c.key.to_string()).collect();
        let message = match finished.is_empty() {
            true => message,
            false => format!(
                "{message}; rows moved from or to cart {}, which the new backend has finished with",
                finished.join(", ")
            ),
        };
        self.hold(unit, "conflict", message, Some(evidence));
        Ok(())
    }

    /// The new backend has finished with some of the unit's carts; `places` are those of its parts.
    pub(super) fn finished(
        &self,
        unit: &mut Unit,
        places: &[usize],
        finished: Vec<(usize, Evidence)>,
    ) {
        let finished = finished.into_iter().map(|(part, evidence)| {
            let at = places[part];
            info!(cart = %unit.carts[at].key, "the new backend has finished with this cart");
            (at, evidence)
        });
        let finished: Vec<(usize, Evidence)> = finished.collect();
        let taken = std::mem::take(unit);
        *unit = hand_over(&self.mappers.current, taken, finished);
    }

    pub(super) fn hold(
        &self,
        unit: &mut Unit,
        reason: &'static str,
        message: String,
        evidence: Option<Evidence>,
    ) {
        let mapping = &self.mappers.current.mapping;
        let evidence = evidence.unwrap_or_else(|| {
            let base = unit.open().flat_map(|c| &c.known.left).map(|l| &l.row);
            let ours = unit.open().flat_map(|c| &c.rows);
            Evidence {
                base: Some(rows_json(mapping, base)),
                ours: Some(rows_json(mapping, ours)),
                theirs: None,
            }
        });
        unit.patch = Patch::default();
        unit.merge = None;
        unit.decision = Decision::Hold {
            reason,
            message,
            evidence: Some(evidence),
            tried: true,
        };
    }
}

/// The open carts of a unit, with their places.
pub(super) fn parts(unit: &Unit) -> (Vec<usize>, Vec<Part<'_>>) {
    let open = unit.carts.iter().enumerate();
    open.filter(|(_, cart)| !cart.handed_over)
        .map(|(at, cart)| {
            let part = Part {
                left: &cart.known.left,
                want: &cart.rows,
                kept: &cart.known.kept,
            };
            (at, part)
        })
        .unzip()
}

//! The one unit that could not be written: it is adopted, merged, handed over, or held.

use std::time::Duration;

use tracing::info;

use super::apply::ATTEMPTS;
use super::lane::{Lane, LaneError};
use super::settle::hand_over;
use super::unit::{Decision, Unit};
use crate::mapping::difference::Patch;
use crate::target::claim::Claims;
use crate::target::examine::{Finding, Look, Part, examine, rows_json};
use crate::target::ledger::Evidence;
use crate::target::postgres::printed;
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
        self.look(unit, &error.to_string()).await
    }

    /// Reads what the target holds of a unit that was merged before, and merges it: its patch, taken
    /// from the image alone, is about rows that are not so.
    pub(super) async fn read_merged(&mut self, unit: &mut Unit) -> Result<(), LaneError> {
        // Again where some of its carts turned out to be finished with.
        while !unit.patch.is_empty() && unit.is_merged() && !unit.is_read {
            self.look(unit, "it was merged before").await?;
        }
        Ok(())
    }

    /// Looks at what the target holds of a unit, and decides.
    async fn look(&mut self, unit: &mut Unit, why: &str) -> Result<(), LaneError> {
        let mapping = &self.mappers.current.mapping;
        let (places, parts) = parts(unit);
        let target = self.writer.target();
        let look = Look {
            insist: unit.ends(),
            merged: unit.is_merged(),
        };
        let (finding, overruled) = examine(target, mapping, &parts, &unit.patch, look)
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
            Finding::Finished(finished) => {
                self.finished(unit, &places, finished);
            }
            Finding::Conflict {
                message,
                evidence,
                found,
            } => {
                let claims: Vec<Claims> = unit.claims().into_iter().collect();
                if let Some(claimed) = self.writer.owned(&claims).await? {
                    unit.owner = claimed.owner();
                    self.hold(unit, "conflict", claimed.to_string(), Some(evidence));
                    return Ok(());
                }
                let message = match self.merge(unit, found, &message).await? {
                    None => return Ok(()),
                    Some(message) => message,
                };
                let finished = unit.carts.iter().filter(|c| c.handed_over);
                let finished: Vec<String> = finished.map(|c| c.key.to_string()).collect();
                let message = match finished.is_empty() {
                    true => message,
                    false => format!(
                        "{message}; rows moved from or to cart {}, which the new backend has \
                         finished with",
                        finished.join(", ")
                    ),
                };
                self.hold(unit, "conflict", message, Some(evidence));
            }
        }
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

//! The one unit that could not be written: it is adopted, handed over, or held.

use tracing::info;

use super::apply::ATTEMPTS;
use super::lane::{Lane, LaneError};
use super::settle::hand_over;
use super::unit::{Decision, Unit};
use crate::mapping::difference::Patch;
use crate::target::claim::Claims;
use crate::target::examine::{Finding, Part, examine, rows_json};
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
        let mapping = &self.mappers.current.mapping;
        let (places, parts): (Vec<usize>, Vec<Part<'_>>) = unit
            .carts
            .iter()
            .enumerate()
            .filter(|(_, cart)| !cart.handed_over)
            .map(|(at, cart)| {
                let (left, want) = (&cart.known.left, &cart.rows);
                (at, Part { left, want })
            })
            .unzip();
        let target = self.writer.target();
        let (finding, overruled) = examine(target, mapping, &parts, &unit.patch, unit.ends())
            .await
            .map_err(WriteError::from)?;
        match finding {
            Finding::Adopt(_) if unit.attempts >= ATTEMPTS => {
                self.hold(unit, "conflict", error.to_string(), None);
            }
            Finding::Adopt(patch) => {
                unit.patch = patch;
                unit.overruled = overruled.or(unit.overruled.take());
            }
            Finding::Finished(finished) => {
                let finished = finished.into_iter().map(|(part, evidence)| {
                    let at = places[part];
                    info!(cart = %unit.carts[at].key, "the new backend has finished with this cart");
                    (at, evidence)
                });
                let finished: Vec<(usize, Evidence)> = finished.collect();
                let taken = std::mem::take(unit);
                *unit = hand_over(&self.mappers.current, taken, finished);
            }
            Finding::Conflict { message, evidence } => {
                let claims: Vec<Claims> = unit.claims().into_iter().collect();
                if let Some(claimed) = self.writer.owned(&claims).await? {
                    unit.owner = claimed.owner();
                    self.hold(unit, "conflict", claimed.to_string(), Some(evidence));
                    return Ok(());
                }
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
        unit.decision = Decision::Hold {
            reason,
            message,
            evidence: Some(evidence),
            tried: true,
        };
    }
}

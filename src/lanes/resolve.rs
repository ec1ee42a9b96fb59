//! The one unit that could not be written: it is adopted, handed over, or held.

use tracing::info;

use super::apply::ATTEMPTS;
use super::lane::{Lane, LaneError};
use super::unit::{Decision, Unit};
use crate::mapping::difference::{Left, Patch};
use crate::mapping::map::TargetRow;
use crate::target::examine::{Finding, examine, rows_json};
use crate::target::ledger::Evidence;
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
            self.hold(unit, "constraint", message.to_owned(), None);
            return Ok(());
        }
        let left: Vec<&Left> = unit.carts.iter().flat_map(|c| &c.known.left).collect();
        let want: Vec<&TargetRow> = unit.carts.iter().flat_map(|c| &c.rows).collect();
        let mapping = &self.mappers.current.mapping;
        let client = self.writer.client();
        let insist = unit.ends();
        let (finding, overruled) = examine(client, mapping, &left, &want, &unit.patch, insist)
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
            // Which of several carts it is about is for a human to see.
            Finding::Finished(evidence) if unit.carts.len() > 1 => {
                let message = "rows moved between carts, and the new backend has finished with one";
                self.hold(unit, "conflict", message.to_owned(), Some(evidence));
            }
            Finding::Finished(evidence) => {
                for cart in &unit.carts {
                    info!(cart = %cart.key, "the new backend has finished with this cart");
                }
                unit.patch = Patch::default();
                unit.decision = Decision::HandOver { evidence };
            }
            Finding::Conflict { message, evidence } => {
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
            let base = unit
                .carts
                .iter()
                .flat_map(|c| &c.known.left)
                .map(|l| &l.row);
            let ours = unit.carts.iter().flat_map(|c| &c.rows);
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

//! A cart that is to be repaired: what the target holds of it is read, and what drifted is told from
//! what the new backend has written.

use tracing::info;

use super::apply::ATTEMPTS;
use super::lane::{Lane, LaneError};
use super::merge::{has_header, is_marked};
use super::resolve::parts;
use super::sight::{Lines, Seen, row_of};
use super::unit::{Decision, Merging, Unit, UnitCart};
use crate::cart::image::Life;
use crate::mapping::difference::Patch;
use crate::mapping::map::{RowKey, TargetRow};
use crate::mapping::plan::{Mapping, Role};
use crate::merge::{self, Mended};
use crate::repair::{FINISHED, HELD, Repair, State, document};
use crate::switch::{self, Mutant, Place};
use crate::target::examine::{self, Part, evidence};
use crate::target::found::{self, Ask, FoundRows};
use crate::target::ledger::{Records, RepairRow};
use crate::target::rivals::Rivals;
use crate::target::writer::WriteError;

/// What was decided about a repair.
#[derive(Clone, Debug, Default)]
pub struct Mend {
    /// The rows that were found.
    pub(super) rows: Vec<(usize, RowKey)>,
    pub(super) before: Option<String>,
    pub(super) outcome: Outcome,
}

#[derive(Clone, Debug, Default)]
pub(super) enum Outcome {
    /// It stays asked for: rows move between it and others just now.
    #[default]
    Later,
    Refused(String),
    /// The difference of a refresh does it, if there is any.
    Refreshed,
    Mended {
        back: usize,
        yielded: usize,
    },
}

impl Mend {
    pub(super) fn refused(why: impl Into<String>) -> Self {
        Self {
            outcome: Outcome::Refused(why.into()),
            ..Self::default()
        }
    }

    pub(super) fn of(outcome: Outcome) -> Self {
        Self {
            outcome,
            ..Self::default()
        }
    }
}

impl Unit {
    /// What was written for a repair was not: the next attempt reads anew.
    pub(super) fn mend_again(&mut self) {
        if let Some(ordinary) = self.ordinary.take() {
            self.patch = ordinary;
            self.merge = None;
            self.mend = None;
        }
    }

    /// Says what was repaired. False where it is no repair.
    pub(super) fn log_repair(&self) -> bool {
        let Some(mend) = self.mend.as_ref().filter(|_| self.ordinary.is_some()) else {
            return false;
        };
        if let (Outcome::Mended { back, yielded }, Some(cart)) = (&mend.outcome, self.open().next())
        {
            info!(cart = %cart.key, back, yielded, "repaired");
        }
        true
    }
}

impl Lane {
    /// Reads what the target holds of a unit that is to be repaired, and makes its patch. Where
    /// nothing is to be repaired, the patch stays that of a refresh.
    pub(super) async fn read_repaired(&mut self, unit: &mut Unit) -> Result<(), LaneError> {
        if unit.mends() {
            let mend = self.mend(unit).await?;
            unit.mend = Some(mend);
        }
        Ok(())
    }

    async fn mend(&mut self, unit: &mut Unit) -> Result<Mend, LaneError> {
        let [cart] = &unit.carts[..] else {
            return Ok(Mend::default());
        };
        let (Some(repair), Some(image)) = (cart.repair, &cart.image) else {
            return Ok(Mend::of(Outcome::Refreshed));
        };
        let was = cart.known.entry.as_ref().map(|entry| entry.image.life);
        let lives = image.life == Life::Live;
        // It ends just now, or was never brought: that is what a refresh does.
        let ordinary = cart.known.left.is_empty() || !lives && was == Some(Life::Live);
        if !lives
            && cart.known.left.is_empty()
            && let Some(header) = self.mappers.current.header_of(&cart.key)
        {
            return self.take_out(unit, repair, header).await;
        }
        // What came from the source meanwhile is merged first.
        let busy = !cart.known.kept.is_empty() && unit.patch.has_effect();
        if busy && !repair.take_source {
            return Ok(Mend::default());
        }
        let Some(seen) = self.see(&[unit], Lines::All).await?.pop() else {
            return Ok(Mend::default());
        };
        switch::place(Place::RepairRead);
        let mapping = &self.mappers.current.mapping;
        let rows = seen.found.keys().cloned().collect();
        let before = Some(document::of(mapping, &seen.found));
        let before = before.filter(|_| !switch::mutant(Mutant::BeforeUnrecorded));
        let outcome = match ordinary {
            true => Outcome::Refreshed,
            false => self.judge(unit, repair, &seen, lives).await?,
        };
        Ok(Mend {
            rows,
            before,
            outcome,
        })
    }

    /// Decides; where it is to be repaired, the unit has the patch for it then.
    async fn judge(
        &mut self,
        unit: &mut Unit,
        repair: Repair,
        seen: &Seen,
        lives: bool,
    ) -> Result<Outcome, LaneError> {
        let mapping = &self.mappers.current.mapping;
        let (places, parts) = parts(unit);
        let found = &seen.found;
        let gone = lives && is_headless(mapping, &parts, found);
        let back = repair.restore_deleted || switch::mutant(Mutant::DeletedIsDrift);
        if gone && !back {
            return Ok(Outcome::Refused(
                "its header is gone from the target, which is how the new backend deletes a cart; \
                 a repair by hand puts it back, and so does [reconcile] restore_deleted = true"
                    .to_owned(),
            ));
        }
        let finished = examine::finished(mapping, &parts, found);
        if lives && !gone && !finished.is_empty() {
            self.finished(unit, &places, finished);
            return Ok(Outcome::Refused(FINISHED.to_owned()));
        }
        let judged = self.with_inputs(unit, (&places, &parts), seen, |inputs| {
            let quiet = merge::is_quiet(inputs) || repair.take_source;
            match quiet || switch::mutant(Mutant::AllIsDrift) {
                true => merge::restore(inputs).map_err(|why| why.to_string()),
                false if !lives => Err("it is over, and the new backend has written it since; \
                                        --take source writes over that"
                    .to_owned()),
                false if gone => {
                    Err("its header is gone, and its rows were written since".to_owned())
                }
                false
                    if !has_header(mapping, &parts, found) || is_marked(mapping, &parts, found) =>
                {
                    Err("the new backend has marked it as only an end does".to_owned())
                }
                false => merge::yielding(inputs).map_err(|why| why.to_string()),
            }
        });
        let Mended {
            merged,
            back,
            yielded,
        } = match judged {
            Ok(mended) => mended,
            Err(why) => return Ok(Outcome::Refused(why)),
        };
        // A value that is spelled otherwise because its column was altered has not drifted.
        if back + yielded > 0 {
            let (target, tables) = (self.writer.target(), self.writer.tables());
            let changed = tables.changed(target, mapping).await;
            if let Some(table) = changed.map_err(WriteError::from)? {
                return Err(LaneError::TargetChanged(table));
            }
        }
        let evidence = merged
            .conflict
            .then(|| evidence(mapping, &parts, found, &Rivals::new()));
        let decisions = merged.decisions.iter().map(merge::Decision::json).collect();
        let decided = merged.decisions.len();
        let mut writes = merged.writes;
        writes.extend(unit.dropped());
        unit.merge = Some(Merging {
            kept: places.into_iter().zip(merged.kept).collect(),
            evidence,
            decisions: serde_json::Value::Array(decisions).to_string(),
            decided,
            items: merged.items,
            inputs: None,
            taken: false,
            trusted: true,
        });
        let patch = Patch {
            writes,
            own: merged.own,
            moves: false,
        };
        unit.ordinary = Some(std::mem::replace(&mut unit.patch, patch));
        unit.is_read = true;
        Ok(Outcome::Mended { back, yielded })
    }

    /// The repair was not written. It is tried again, a few times; a cart is not held for it.
    pub(super) async fn mend_failed(
        &self,
        unit: &mut Unit,
        row_fault: Option<&str>,
        error: &WriteError,
    ) {
        let why = match row_fault {
            Some(why) => why.to_owned(),
            None if matches!(error, WriteError::Claimed(_)) => error.to_string(),
            None if unit.attempts > ATTEMPTS => {
                "it moved each time that it was read for the repair".to_owned()
            }
            None => {
                let wait = fastrand::u64(2..10) << unit.attempts.min(ATTEMPTS);
                tokio::time::sleep(std::time::Duration::from_millis(wait)).await;
                return;
            }
        };
        unit.attempts = 0;
        unit.mend = Some(Mend::refused(why));
    }

    /// Adds what becomes of repairs to what commits, with the rows as they are after the writes that
    /// the open transaction holds.
    pub(super) async fn record_repairs(
        &self,
        units: &[Unit],
        records: &mut Records,
    ) -> Result<(), WriteError> {
        for unit in units {
            let asked = unit.carts.iter().filter_map(|c| Some((c, c.repair?)));
            for (cart, repair) in asked {
                let Some((state, note)) = outcome(unit, cart) else {
                    continue;
                };
                let wrote = matches!(state, State::Repaired | State::Merged);
                let after = match wrote && unit.patch.has_effect() {
                    true => self.after(unit).await,
                    false => Ok(None),
                };
                let after = match after {
                    Ok(after) => after,
                    Err(error) => {
                        // Where the connection is gone there is nothing to roll back.
                        let _ = self.writer.target().run("ROLLBACK").await;
                        return Err(error);
                    }
                };
                records.repairs.push(RepairRow {
                    run: repair.run,
                    cart: cart.key.clone(),
                    state: state.name(),
                    before: unit.mend.as_ref().and_then(|mend| mend.before.clone()),
                    after,
                    note,
                });
            }
        }
        Ok(())
    }

    async fn after(&self, unit: &Unit) -> Result<Option<String>, WriteError> {
        let mapper = &self.mappers.current;
        let (target, mapping) = (self.writer.target(), &mapper.mapping);
        let found = unit.mend.iter().flat_map(|mend| mend.rows.iter().cloned());
        let writes = unit.patch.writes.iter();
        let written = writes.filter_map(|w| Some((w.index?, w.key.clone())));
        let rows: Vec<TargetRow> = found.chain(written).map(|id| row_of(mapper, &id)).collect();
        let after = found::find(target, mapping, rows.iter(), Ask::State).await?;
        Ok(Some(document::of(mapping, &after)))
    }
}

/// What becomes of a cart's repair with the unit that commits; none where it stays asked for.
fn outcome(unit: &Unit, cart: &UnitCart) -> Option<(State, String)> {
    if cart.handed_over {
        return Some((State::Refused, FINISHED.to_owned()));
    }
    match &unit.decision {
        Decision::Stop(_) => return None,
        Decision::Hold { message, .. } => {
            return Some((State::Refused, format!("it is held: {message}")));
        }
        Decision::Apply => {}
    }
    let Some(mend) = &unit.mend else {
        let held = cart.known.state() == Some(crate::target::ledger::State::Held);
        return held.then(|| (State::Refused, HELD.to_owned()));
    };
    let effect = unit.patch.has_effect();
    let merged = unit
        .merge
        .iter()
        .flat_map(|merge| &merge.kept)
        .any(|(_, kept)| !kept.is_empty());
    Some(match &mend.outcome {
        Outcome::Later => return None,
        Outcome::Refused(why) => (State::Refused, why.clone()),
        Outcome::Refreshed if merged => (State::Merged, "it was merged".to_owned()),
        Outcome::Refreshed if effect => (
            State::Repaired,
            "it was brought over by an ordinary refresh".to_owned(),
        ),
        Outcome::Refreshed => (State::Nothing, "there was nothing to write".to_owned()),
        Outcome::Mended { back, yielded } if *yielded > 0 => (
            State::Merged,
            format!(
                "{yielded} rows were written by the new backend and stay so; {back} rows were \
                 written"
            ),
        ),
        Outcome::Mended { back: 0, .. } => (State::Nothing, "it was as it should be".to_owned()),
        Outcome::Mended { back, .. } => {
            let rows = if *back == 1 { "row was" } else { "rows were" };
            let note = format!("{back} {rows} changed back, put back or taken out");
            (State::Repaired, note)
        }
    })
}

/// A header that cartage left is not there.
fn is_headless(mapping: &Mapping, parts: &[Part<'_>], found: &FoundRows) -> bool {
    let left = parts.iter().flat_map(|part| part.left);
    let mut headers = left.filter(|left| mapping.intos[left.row.into].role == Role::Header);
    headers.any(|left| {
        let id = (left.row.into, left.row.key.clone());
        left.row.origin.is_some() && !found.contains_key(&id)
    })
}

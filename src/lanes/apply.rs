//! Applying units: all in one transaction if every guard matches; else halves, down to the one unit
//! that does not fit, which is examined and adopted, handed over, or held.

use std::time::Duration;

use tracing::info;

use super::lane::{Lane, LaneError};
use super::record::record;
use super::unit::{Decision, Unit};
use crate::cart::owner::Take;
use crate::fault::Fault;
use crate::mapping::difference::Patch;
use crate::source::change::Position;
use crate::switch::{self, Mutant, Place};
use crate::target::claim::Claims;
use crate::target::error::{Stumble, TargetError};
use crate::target::ledger::Records;
use crate::target::writer::{Tally, WriteError};

/// So many units that were merged before are read and written together: the more there are, the more
/// likely is it that one of them moves meanwhile, and all are read again.
const READ: usize = 64;

/// A unit that never fits is held after so many examinations.
pub(super) const ATTEMPTS: u32 = 5;

impl Lane {
    /// Writes the units and moves the checkpoint to `to` with the last of them.
    pub(super) async fn apply(
        &mut self,
        units: Vec<Unit>,
        to: Position,
        tally: Tally,
    ) -> Result<(), LaneError> {
        // Carts that were merged before are read first, and among themselves: what moves again must
        // not cost the others their batch.
        let (merged, units): (Vec<Unit>, Vec<Unit>) = units.into_iter().partition(|unit| {
            let takes = unit.taking().is_some() || unit.mends();
            takes || unit.is_merged() && !unit.patch.is_empty()
        });
        let mut stack = vec![units];
        let mut merged = merged.into_iter().peekable();
        while merged.peek().is_some() {
            stack.push(merged.by_ref().take(READ).collect());
        }
        if stack.len() > 1 && stack[0].is_empty() {
            stack.remove(0);
        }
        let mut stumbles = 0;
        while let Some(mut group) = stack.pop() {
            for unit in &mut group {
                self.read_taken(unit).await?;
                self.read_repaired(unit).await?;
            }
            self.read_merged(&mut group).await?;
            self.trust(&mut group).await?;
            // Also of units that have lost carts to the new backend just now.
            if let Some((unit, why)) = group.iter().find_map(|u| Some((u, u.stops()?))) {
                return Err(LaneError::Stopped {
                    cart: unit.open().next().map(|c| c.key.to_string()),
                    why: why.to_owned(),
                });
            }
            let last = stack.is_empty() || switch::mutant(Mutant::CheckpointFirst);
            // What is written before the rest keeps its own position in the ledger; the checkpoint
            // does not pass what is still on the stack.
            let (reach, mut counts) = match last {
                true => (to, tally),
                false => (self.writer.position(), Tally::default()),
            };
            add_counts(&mut counts, &group);
            let Err(error) = self.commit(&group, reach, counts).await else {
                if !last {
                    switch::place(Place::PartCommitted);
                }
                continue;
            };
            for unit in &mut group {
                unit.is_read = false;
                unit.mend_again();
            }
            match disposition(&error) {
                Disposition::Again if stumbles < ATTEMPTS => {
                    stumbles += 1;
                    let wait = Duration::from_millis(fastrand::u64(5..50) << stumbles);
                    tokio::time::sleep(wait).await;
                    stack.push(group);
                }
                Disposition::Split(_) if group.len() > 1 => {
                    let right = group.split_off(group.len() / 2);
                    stack.push(right);
                    stack.push(group);
                }
                // Fewer rows in one transaction meet fewer others.
                Disposition::Again if group.len() > 1 && broken_off(&error).is_some() => {
                    stumbles = 0;
                    let right = group.split_off(group.len() / 2);
                    stack.push(right);
                    stack.push(group);
                }
                Disposition::Again if group.len() == 1 && broken_off(&error).is_some() => {
                    stumbles = 0;
                    let message = broken_off(&error).unwrap_or_default();
                    for unit in &mut group {
                        self.hold(unit, "conflict", message.clone(), None);
                    }
                    stack.push(group);
                }
                Disposition::Split(row_fault) if group.len() == 1 => {
                    for unit in &mut group {
                        self.resolve(unit, row_fault.as_deref(), &error).await?;
                    }
                    stack.push(group);
                }
                _ => return Err(error.into()),
            }
        }
        Ok(())
    }

    async fn commit(
        &mut self,
        units: &[Unit],
        to: Position,
        tally: Tally,
    ) -> Result<(), WriteError> {
        let patches: Vec<&Patch> = units.iter().map(|u| &u.patch).collect();
        let mapping = &self.mappers.current.mapping;
        let claims: Vec<Claims> = match mapping.intos.iter().any(|into| into.shareable) {
            true => units.iter().filter_map(Unit::claims).collect(),
            false => Vec::new(),
        };
        let written = self.writer.write(&patches, &claims, to, tally).await?;
        let mut records = Records::default();
        let mut learned = Vec::new();
        for (unit, tokens) in units.iter().zip(&written.tokens) {
            record(
                unit,
                tokens,
                &self.mappers.current,
                &mut records,
                &mut learned,
            );
        }
        self.record_repairs(units, &mut records).await?;
        self.writer.commit(written, &records).await?;
        committed(units, &records);
        for (key, known) in learned {
            match known {
                Some(known) => self.memory.put(key, known),
                None => self.memory.forget(&key),
            }
        }
        Ok(())
    }
}

enum Disposition {
    Again,
    /// Some row does not fit: with a message where the server refused it.
    Split(Option<String>),
    Stop,
}

fn disposition(error: &WriteError) -> Disposition {
    match error {
        WriteError::Guard { .. } | WriteError::Claimed(_) => Disposition::Split(None),
        WriteError::Database(error) if stumbled(error) => Disposition::Again,
        WriteError::Database(error) => match error.fault() {
            Fault::Row => Disposition::Split(Some(error.to_string())),
            Fault::Retry | Fault::Stop => Disposition::Stop,
        },
        WriteError::Ledger(_) | WriteError::FencedOff { .. } => Disposition::Stop,
    }
}

/// The same batch may go through at once: mostly, another transaction came first.
fn stumbled(error: &TargetError) -> bool {
    error.stumble().is_some() && !switch::mutant(Mutant::DeadlockIsFatal)
}

/// The places of what is more than a patch.
fn committed(units: &[Unit], records: &Records) {
    for unit in units {
        if unit.log_repair() {
            continue;
        }
        if let (Some(merge), Some(cart)) = (&unit.merge, unit.open().next()) {
            let (items, decisions) = (merge.items, merge.decided);
            let rows = unit.patch.writes.len();
            if merge.taken {
                let take = unit.take.map(Take::name);
                info!(cart = %cart.key, take, decisions, rows, "one side's rows are taken");
                switch::place(Place::Taken);
                continue;
            }
            info!(
                cart = %cart.key,
                conflict = merge.evidence.is_some(),
                items,
                decisions,
                rows,
                "merged"
            );
        }
    }
    if !records.repairs.is_empty() {
        switch::place(Place::Repaired);
    }
    if !records.wishes.is_empty() {
        switch::place(Place::WishCommitted);
    }
    if !records.granted.is_empty() {
        switch::place(Place::WishGranted);
    }
    if !records.held.is_empty() {
        switch::place(Place::Held);
    }
    let over = |unit: &Unit| unit.carts.iter().any(|c| c.finding.is_some());
    if units.iter().any(over) {
        switch::place(Place::HandedOver);
    }
}

/// Why the server broke a write off each time, where it is about the write alone. A lock that is
/// not free may be one on a whole table, which is no cart's fault.
fn broken_off(error: &WriteError) -> Option<String> {
    let WriteError::Database(error) = error else {
        return None;
    };
    if switch::mutant(Mutant::NeverSerial) {
        return None;
    }
    let what = match error.stumble()? {
        Stumble::Deadlock => "ends in a deadlock",
        Stumble::Serialization => "fails to serialize",
        Stumble::Lock | Stumble::Index => return None,
    };
    let code = error.code()?;
    Some(format!(
        "{code}: the write {what} each time, also alone in its transaction; see what else writes \
         the same rows, triggers included"
    ))
}

fn add_counts(tally: &mut Tally, units: &[Unit]) {
    for unit in units {
        let carts = unit.open().count() as u64;
        tally.late += unit.carts.iter().map(|c| c.late).sum::<u64>();
        if let Some(merge) = unit.merge.as_ref().filter(|merge| !merge.taken) {
            let conflicts = u64::from(merge.evidence.is_some());
            tally.merged_items += merge.items;
            tally.merge_conflicts += conflicts;
            tally.conflicts += conflicts;
        }
        match &unit.decision {
            Decision::Apply if unit.patch.has_effect() => tally.patches += carts,
            Decision::Apply => {}
            Decision::Hold { tried: true, .. } => tally.conflicts += 1,
            Decision::Hold { tried: false, .. } | Decision::Stop(_) => {}
        }
    }
}

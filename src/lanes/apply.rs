//! Applying units: all in one transaction if every guard matches; else halves, down to the one unit
//! that does not fit, which is examined and adopted, handed over, or held.

use std::time::Duration;

use tokio_postgres::error::SqlState;
use tracing::{info, warn};

use super::lane::{Lane, LaneError};
use super::unit::{Decision, Known, Unit, UnitCart};
use crate::cart::codec;
use crate::cart::image::{Image, Life};
use crate::mapping::difference::{Left, Patch, RowOp, RowWrite};
use crate::mapping::map::TargetRow;
use crate::mapping::plan::Role;
use crate::postgres::fault::{self, Fault};
use crate::source::change::Position;
use crate::switch::{self, Place};
use crate::target::examine::{Finding, examine, rows_json};
use crate::target::ledger::{
    ConflictRow, Entry, Evidence, HeldRow, KeptRow, LedgerRow, Patched, Records, State,
};
use crate::target::writer::{Tally, WriteError};

/// A unit that never fits is held after so many examinations.
const ATTEMPTS: u32 = 5;

impl Lane {
    /// Writes the units and moves the checkpoint to `to` with the last of them.
    pub(super) async fn apply(
        &mut self,
        units: Vec<Unit>,
        to: Position,
        tally: Tally,
    ) -> Result<(), LaneError> {
        let mut stack = vec![units];
        let mut stumbles = 0;
        while let Some(mut group) = stack.pop() {
            let last = stack.is_empty();
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
        let written = self.writer.write(&patches, to, tally).await?;
        let mut records = Records::default();
        let mut learned = Vec::new();
        for (unit, tokens) in units.iter().zip(&written.tokens) {
            record(
                unit,
                tokens,
                self.mappers.current.id,
                &mut records,
                &mut learned,
            );
        }
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

    /// Decides what becomes of the one unit that could not be written.
    async fn resolve(
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

    fn hold(
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

enum Disposition {
    Again,
    /// Some row does not fit: with a message where the server refused it.
    Split(Option<String>),
    Stop,
}

fn disposition(error: &WriteError) -> Disposition {
    match error {
        WriteError::Guard { .. } => Disposition::Split(None),
        WriteError::Database(error) if stumbled(error) => Disposition::Again,
        WriteError::Database(error) => match fault::of(error) {
            Fault::Row => Disposition::Split(Some(fault::describe(error))),
            Fault::Retry | Fault::Stop => Disposition::Stop,
        },
        WriteError::Ledger(_) | WriteError::FencedOff { .. } => Disposition::Stop,
    }
}

/// Another transaction came first: the same batch may go through at once.
fn stumbled(error: &tokio_postgres::Error) -> bool {
    [
        SqlState::T_R_SERIALIZATION_FAILURE,
        SqlState::T_R_DEADLOCK_DETECTED,
        SqlState::LOCK_NOT_AVAILABLE,
    ]
    .iter()
    .any(|state| error.code() == Some(state))
}

/// The places of what is more than a patch.
fn committed(units: &[Unit], records: &Records) {
    if !records.wishes.is_empty() {
        switch::place(Place::WishCommitted);
    }
    if !records.granted.is_empty() {
        switch::place(Place::WishGranted);
    }
    for unit in units {
        match unit.decision {
            Decision::Hold { .. } => switch::place(Place::Held),
            Decision::HandOver { .. } => switch::place(Place::HandedOver),
            Decision::Apply => {}
        }
    }
}

fn add_counts(tally: &mut Tally, units: &[Unit]) {
    for unit in units {
        let carts = unit.carts.len() as u64;
        tally.late += unit.carts.iter().map(|c| c.late).sum::<u64>();
        match &unit.decision {
            Decision::Apply if !unit.patch.is_empty() => tally.patches += carts,
            Decision::Apply => {}
            Decision::Hold { tried: true, .. } => tally.conflicts += 1,
            Decision::Hold { tried: false, .. } => {}
            Decision::HandOver { .. } => tally.late += carts,
        }
    }
}

type Learned = Vec<(crate::cart::key::CartKey, Option<Known>)>;

/// What commits with a unit beside its rows, and what the lane then knows of its carts.
fn record(
    unit: &Unit,
    tokens: &[Option<Box<str>>],
    mapping: i32,
    records: &mut Records,
    learned: &mut Learned,
) {
    // Carts of a unit that is held come back together.
    let name = (unit.carts.len() > 1).then(|| unit.carts[0].key.to_string());
    for (at, cart) in unit.carts.iter().enumerate() {
        if let Some(why) = cart.wish {
            records.wishes.push((cart.key.clone(), why.name()));
        } else if cart.refreshed {
            records.granted.push(cart.key.clone());
        }
        let wished = cart.wish.is_some() || cart.known.wished && !cart.refreshed;
        let mut known = match &unit.decision {
            Decision::Apply => applied(unit, cart, tokens, mapping, records),
            Decision::Hold {
                reason,
                message,
                evidence,
                tried,
            } => {
                if *tried {
                    warn!(cart = %cart.key, reason, message, "held");
                }
                records.held.push(HeldRow {
                    cart: cart.key.clone(),
                    unit: name.clone(),
                    reason,
                    message: message.clone(),
                    pending: codec::encode(cart.image.as_ref().unwrap_or(&nothing())),
                    evidence: evidence.clone().filter(|_| at == 0 || name.is_none()),
                    tried: *tried,
                });
                if let Some(evidence) = evidence
                    && at == 0
                {
                    records
                        .conflicts
                        .push(conflict(cart, "held", evidence.clone()));
                }
                stay(cart, State::Held, mapping, records, name.clone())
            }
            Decision::HandOver { evidence } => {
                records
                    .conflicts
                    .push(conflict(cart, "late", evidence.clone()));
                records.released.push(cart.key.clone());
                stay(cart, State::HandedOver, mapping, records, None)
            }
        };
        if let Some(evidence) = unit.overruled.clone().filter(|_| at == 0) {
            records
                .conflicts
                .push(conflict(cart, "source_end", evidence));
        }
        if let Some(known) = &mut known {
            known.wished = wished;
        }
        learned.push((cart.key.clone(), known));
    }
}

fn conflict(cart: &UnitCart, kind: &'static str, evidence: Evidence) -> ConflictRow {
    ConflictRow {
        cart: cart.key.clone(),
        kind,
        position: cart.position,
        evidence,
    }
}

/// The ledger row of a cart whose patch is written. None where cartage knows nothing of it.
fn applied(
    unit: &Unit,
    cart: &UnitCart,
    tokens: &[Option<Box<str>>],
    mapping: i32,
    records: &mut Records,
) -> Option<Known> {
    let before = cart.known.entry.as_ref();
    if cart.late > 0 {
        records
            .conflicts
            .push(conflict(cart, "late", Evidence::default()));
        return stay(cart, State::HandedOver, mapping, records, None);
    }
    if before.is_some_and(|e| e.state == State::HandedOver) || !cart.touched {
        // Only a wish came or went.
        return Some((*cart.known).clone()).filter(|k| k.entry.is_some() || k.wished);
    }
    let image = cart.image.clone()?;
    let left: Vec<Left> = cart
        .rows
        .iter()
        .map(|row| Left {
            token: token_of(unit, tokens, row),
            row: row.clone(),
        })
        .collect();
    let state = match (image.life, before.map(|e| e.state)) {
        (Life::Live, Some(State::Merged)) => State::Merged,
        (Life::Live, _) => State::Mirror,
        (Life::Ended { .. } | Life::Deleted { .. }, _) => State::Ended,
    };
    let has_tokens = left.iter().any(|l| l.token.is_some());
    let token_list: Vec<Option<Box<str>>> = left.iter().map(|l| l.token.clone()).collect();
    records.ledger.push(LedgerRow {
        cart: cart.key.clone(),
        state,
        position: cart.position,
        mapping,
        patched: patched(unit, cart),
        refreshed: cart.refreshed,
        image: codec::encode(&image),
        tokens: has_tokens.then(|| codec::encode_tokens(token_list.iter().map(Option::as_deref))),
    });
    if before.is_some_and(|e| e.pending.is_some()) {
        records.released.push(cart.key.clone());
    }
    Some(Known {
        entry: Some(Entry {
            state,
            position: cart.position,
            mapping,
            image,
            tokens: Vec::new(),
            pending: None,
        }),
        left,
        ..Known::default()
    })
}

/// What the unit's patch does to this cart of it.
fn patched(unit: &Unit, cart: &UnitCart) -> Patched {
    let is = |row: &TargetRow, w: &RowWrite| w.index == Some(row.into) && w.key == row.key;
    let wanted = |w: &RowWrite| cart.rows.iter().any(|row| is(row, w));
    let left = |w: &RowWrite| cart.known.left.iter().any(|left| is(&left.row, w));
    let begins = |w: &RowWrite| {
        w.into.role == Role::Header && matches!(w.op, RowOp::Insert { .. }) && wanted(w)
    };
    let writes = &unit.patch.writes;
    if writes.iter().any(begins) {
        Patched::First
    } else if writes.iter().any(|w| wanted(w) || left(w)) || !cart.known.dropped.is_empty() {
        Patched::Yes
    } else {
        Patched::No
    }
}

/// The token that our write left on a row, else the one that it had.
fn token_of(unit: &Unit, tokens: &[Option<Box<str>>], row: &TargetRow) -> Option<Box<str>> {
    let written = unit
        .patch
        .writes
        .iter()
        .zip(tokens)
        .find(|(w, _)| w.index == Some(row.into) && w.key == row.key);
    if let Some((_, token)) = written {
        return token.clone();
    }
    unit.carts
        .iter()
        .flat_map(|c| &c.known.left)
        .find(|left| left.row.id() == row.id())
        .and_then(|left| left.token.clone())
}

/// The ledger of a cart whose target rows stay as they are: its image and tokens stay too, under
/// the mapping that made them.
fn stay(
    cart: &UnitCart,
    state: State,
    mapping: i32,
    records: &mut Records,
    unit: Option<String>,
) -> Option<Known> {
    let image = match cart.known.entry.as_ref() {
        Some(entry) => {
            records.kept.push(KeptRow {
                cart: cart.key.clone(),
                state,
                position: cart.position,
            });
            entry.image.clone()
        }
        None => {
            let image = nothing();
            records.ledger.push(LedgerRow {
                cart: cart.key.clone(),
                state,
                position: cart.position,
                mapping,
                patched: Patched::No,
                refreshed: cart.refreshed,
                image: codec::encode(&image),
                tokens: None,
            });
            image
        }
    };
    if cart.known.older {
        return None;
    }
    let unit = unit.or_else(|| cart.known.held_unit().map(str::to_owned));
    let pending =
        (state == State::Held).then(|| (cart.image.clone().unwrap_or_else(nothing), unit));
    Some(Known {
        entry: Some(Entry {
            state,
            position: cart.position,
            mapping,
            image,
            tokens: Vec::new(),
            pending,
        }),
        left: cart.known.left.clone(),
        ..Known::default()
    })
}

/// The image of a cart of which nothing is in the target.
fn nothing() -> Image {
    Image {
        life: Life::Deleted { stamp: 0 },
        tables: Box::default(),
        ghosts: Vec::new(),
    }
}

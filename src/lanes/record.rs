//! What commits with a unit beside its rows, and what the lane then knows of its carts.

use tracing::warn;

use super::known::Known;
use super::unit::{Decision, Unit, UnitCart};
use crate::cart::codec;
use crate::cart::image::{Image, Life};
use crate::cart::layout::Layout;
use crate::cart::owner::Wish;
use crate::hash::HashMap;
use crate::mapping::difference::{Left, RowOp, RowWrite};
use crate::mapping::map::{Mapper, RowKey, TargetRow, row_number};
use crate::mapping::plan::Role;
use crate::merge::{self, Kept};
use crate::switch::{self, Mutant};
use crate::target::ledger::{
    ConflictRow, Entry, Evidence, HeldRow, KeptRow, LedgerRow, Patched, Records, State, Unanswered,
};

pub(super) type Learned = Vec<(crate::cart::key::CartKey, Option<Known>)>;

/// What commits with a unit beside its rows, and what the lane then knows of its carts.
pub(super) fn record(
    unit: &Unit,
    tokens: &[Option<Box<str>>],
    mapper: &Mapper,
    records: &mut Records,
    learned: &mut Learned,
) {
    // Open carts of a unit that is held come back together.
    let mut open = unit.open();
    let first = open.next().map(|c| &c.key);
    let name = first
        .filter(|_| open.next().is_some() && !switch::mutant(Mutant::HeldAlone))
        .map(|key| key.to_string());
    let rows = Rows::of(unit, tokens);
    if let Some(owner) = &unit.owner {
        records.wishes.push((owner.clone(), Wish::Owner.name()));
    }
    for cart in &unit.carts {
        let is_first = Some(&cart.key) == first;
        if let Some(why) = cart.wish
            && !switch::mutant(Mutant::WishForgotten)
        {
            records.wishes.push((cart.key.clone(), why.name()));
        } else if cart.refreshed {
            records.granted.push(cart.key.clone());
        }
        let wished = cart.wish.is_some() || cart.known.wished && !cart.refreshed;
        let mut known = match &unit.decision {
            _ if cart.handed_over => over(cart, mapper, records),
            // A lane stops before it writes anything of such a unit.
            Decision::Stop(_) => continue,
            Decision::Apply => {
                let kept = kept(unit, &rows, cart);
                applied(&rows, cart, kept, mapper, records)
            }
            Decision::Hold {
                reason,
                message,
                evidence,
                tried,
            } => {
                if *tried {
                    warn!(cart = %cart.key, reason, message, "held");
                }
                let held = HeldRow {
                    cart: cart.key.clone(),
                    unit: name.clone(),
                    reason,
                    message: message.clone(),
                    pending: codec::encode_pending(
                        mapper.id,
                        pending(cart).unwrap_or(&nothing(mapper.layout())),
                    ),
                    evidence: evidence.clone().filter(|_| is_first),
                    tried: *tried,
                    taken: unit.take.is_some(),
                };
                if !switch::mutant(Mutant::HoldForgets) {
                    records.held.push(held);
                }
                if let Some(evidence) = evidence
                    && is_first
                {
                    records
                        .conflicts
                        .push(conflict(cart, "held", evidence.clone()));
                }
                stay(cart, State::Held, mapper, records, name.clone())
            }
        };
        if let Some(merge) = &unit.merge
            && let Some(evidence) = merge.evidence.clone().filter(|_| is_first)
        {
            let kind = if merge.taken { "taken" } else { "merged" };
            records.conflicts.push(ConflictRow {
                decisions: Some(merge.decisions.clone()),
                items: merge.items,
                inputs: merge.inputs.clone(),
                ..conflict(cart, kind, evidence)
            });
        }
        if let Some(evidence) = unit.overruled.clone().filter(|_| is_first) {
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
        decisions: None,
        items: 0,
        inputs: None,
    }
}

/// The ledger row of a cart that the new backend has finished with: only late changes are counted.
fn over(cart: &UnitCart, mapper: &Mapper, records: &mut Records) -> Option<Known> {
    if cart.late == 0 {
        // Only a wish came or went.
        return Some((*cart.known).clone());
    }
    let evidence = cart.finding.clone().unwrap_or_default();
    records.conflicts.push(conflict(cart, "late", evidence));
    if cart
        .known
        .entry
        .as_ref()
        .is_some_and(|e| e.pending.is_some())
    {
        records.released.push(cart.key.clone());
    }
    stay(cart, State::HandedOver, mapper, records, None)
}

/// The ledger row of a cart whose patch is written. None where cartage knows nothing of it.
fn applied(
    rows: &Rows<'_>,
    cart: &UnitCart,
    kept: Vec<Kept>,
    mapper: &Mapper,
    records: &mut Records,
) -> Option<Known> {
    let before = cart.known.entry.as_ref();
    if !cart.touched {
        // Only a wish came or went.
        return Some((*cart.known).clone()).filter(|k| k.entry.is_some() || k.wished);
    }
    let image = cart.image.clone()?;
    let left: Vec<Left> = cart
        .rows
        .iter()
        .map(|row| Left {
            token: rows.token(row),
            row: row.clone(),
        })
        .collect();
    let state = match image.life {
        Life::Live if !kept.is_empty() => State::Merged,
        Life::Live => State::Mirror,
        Life::Ended { .. } | Life::Deleted { .. } => State::Ended,
    };
    let has_tokens = left.iter().any(|l| l.token.is_some());
    let token_list: Vec<Option<Box<str>>> = left.iter().map(|l| l.token.clone()).collect();
    records.ledger.push(LedgerRow {
        cart: cart.key.clone(),
        before: cart.known.state(),
        state,
        position: cart.position,
        mapping: mapper.id,
        patched: rows.patched(cart),
        refreshed: cart.refreshed,
        image: codec::encode(&image),
        shareable: cart
            .rows
            .iter()
            .filter_map(|row| {
                let into = &mapper.mapping.intos[row.into];
                into.shareable.then(|| row_number(into, &row.key))
            })
            .collect(),
        kept: (!kept.is_empty()).then(|| merge::encode(&kept)),
        unanswered: unanswered(cart, &image),
        tokens: has_tokens.then(|| codec::encode_tokens(token_list.iter().map(Option::as_deref))),
    });
    if before.is_some_and(|e| e.pending.is_some()) {
        records.released.push(cart.key.clone());
    }
    let known = Known {
        entry: Some(Entry {
            state,
            position: cart.position,
            mapping: mapper.id,
            image,
            tokens: Vec::new(),
            pending: None,
            pending_mapping: mapper.id,
            kept: Vec::new(),
        }),
        left,
        kept,
        ..Known::default()
    };
    Some(known.bounded())
}

/// What no lookup found is asked again for a cart that is still shopped in.
fn unanswered(cart: &UnitCart, image: &Image) -> Unanswered {
    match image.life == Life::Live && image.answers.lacks() {
        false => Unanswered::None,
        true if cart.retried || cart.refreshed => Unanswered::Asked,
        true => Unanswered::Still,
    }
}

/// The rows of a cart that are other than its image says, with the tokens that our writes left.
fn kept(unit: &Unit, rows: &Rows<'_>, cart: &UnitCart) -> Vec<Kept> {
    if cart
        .image
        .as_ref()
        .is_none_or(|image| image.life != Life::Live)
    {
        // It is as its end has made it.
        return Vec::new();
    }
    if switch::mutant(Mutant::MergeForgets) {
        return Vec::new();
    }
    let Some(merge) = &unit.merge else {
        return cart.known.kept.clone();
    };
    let merged = merge
        .kept
        .iter()
        .find(|(at, _)| std::ptr::eq(&unit.carts[*at], cart));
    let mut kept = merged.map_or_else(Vec::new, |(_, kept)| kept.clone());
    for row in &mut kept {
        if let Some((write, token)) = rows.written.get(&(row.into, &row.key))
            && !matches!(write.op, RowOp::Check { .. })
        {
            row.token = token.map(Into::into);
        }
    }
    kept
}

/// A unit's target rows by their number of `[[into]]` and their key: carts can have thousands.
struct Rows<'u> {
    /// With the token that our write left.
    written: HashMap<(usize, &'u RowKey), (&'u RowWrite, Option<&'u str>)>,
    left: HashMap<(usize, &'u RowKey), &'u Left>,
    /// A merge has written something, if only rows of the new backend's.
    merged: bool,
}

impl<'u> Rows<'u> {
    fn of(unit: &'u Unit, tokens: &'u [Option<Box<str>>]) -> Self {
        let mut rows = Rows {
            written: HashMap::default(),
            left: HashMap::default(),
            merged: unit.merge.is_some() && unit.patch.has_effect(),
        };
        for (write, token) in unit.patch.writes.iter().zip(tokens) {
            if let Some(into) = write.index {
                let entry = rows.written.entry((into, &write.key));
                entry.or_insert((write, token.as_deref()));
            }
        }
        for left in unit.carts.iter().flat_map(|c| &c.known.left) {
            rows.left.entry(left.row.id()).or_insert(left);
        }
        rows
    }

    /// The token that our write left on a row, else the one that it had.
    fn token(&self, row: &TargetRow) -> Option<Box<str>> {
        let token = match self.written.get(&row.id()) {
            Some((_, token)) => *token,
            None => self.left.get(&row.id()).and_then(|l| l.token.as_deref()),
        };
        token.map(Into::into)
    }

    /// What the unit's patch does to this cart of it.
    fn patched(&self, cart: &UnitCart) -> Patched {
        let written = |row: &TargetRow| self.written.get(&row.id()).map(|(write, _)| *write);
        let begins =
            |w: &RowWrite| w.into.role == Role::Header && matches!(w.op, RowOp::Insert { .. });
        if cart.rows.iter().filter_map(written).any(begins) {
            return Patched::First;
        }
        let mut rows = cart
            .known
            .left
            .iter()
            .map(|left| &left.row)
            .chain(&cart.rows);
        // Rows that are only looked at are no effect.
        let writes =
            |row: &TargetRow| written(row).is_some_and(|w| !matches!(w.op, RowOp::Check { .. }));
        let merged = self.merged && cart.touched;
        match merged || rows.any(writes) || !cart.known.dropped.is_empty() {
            true => Patched::Yes,
            false => Patched::No,
        }
    }
}

/// The ledger of a cart whose target rows stay as they are: its image and tokens stay too, under
/// the mapping that made them.
fn stay(
    cart: &UnitCart,
    state: State,
    mapper: &Mapper,
    records: &mut Records,
    unit: Option<String>,
) -> Option<Known> {
    let image = match cart.known.entry.as_ref() {
        Some(entry) => {
            records.kept.push(KeptRow {
                cart: cart.key.clone(),
                before: entry.state,
                state,
                position: cart.position,
            });
            entry.image.clone()
        }
        None => {
            let image = nothing(mapper.layout());
            records.ledger.push(LedgerRow {
                cart: cart.key.clone(),
                before: None,
                state,
                position: cart.position,
                mapping: mapper.id,
                patched: Patched::No,
                refreshed: cart.refreshed,
                image: codec::encode(&image),
                tokens: None,
                kept: None,
                unanswered: Unanswered::None,
                shareable: Vec::new(),
            });
            image
        }
    };
    if cart.known.older {
        return None;
    }
    let unit = unit.or_else(|| cart.known.held_unit().map(str::to_owned));
    let pending = (state == State::Held).then(|| {
        let image = pending(cart).cloned();
        (image.unwrap_or_else(|| nothing(mapper.layout())), unit)
    });
    Some(Known {
        entry: Some(Entry {
            state,
            position: cart.position,
            mapping: mapper.id,
            image,
            tokens: Vec::new(),
            pending,
            pending_mapping: mapper.id,
            kept: Vec::new(),
        }),
        left: cart.known.left.clone(),
        kept: cart.known.kept.clone(),
        ..Known::default()
    })
}

/// The image that a held cart is to be brought to.
fn pending(cart: &UnitCart) -> Option<&Image> {
    let before = cart.known.entry.as_ref().and_then(|e| e.pending.as_ref());
    match before {
        Some((before, _)) if switch::mutant(Mutant::PendingStays) => Some(before),
        _ => cart.image.as_ref(),
    }
}

/// The image of a cart of which nothing is in the target. It has tables as any other: what reads it
/// looks into them by number.
fn nothing(layout: &Layout) -> Image {
    Image {
        life: Life::Deleted { stamp: 0 },
        ..Image::empty(layout)
    }
}

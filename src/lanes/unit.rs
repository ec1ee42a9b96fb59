//! Carts that are applied or held together: usually one, more where rows move between them.

use std::sync::Arc;

use super::item::Work;
use super::known::Known;
use super::mend::Mend;
use crate::cart::fold::Folding;
use crate::cart::image::{Image, Life};
use crate::cart::key::CartKey;
use crate::cart::owner::{Take, Wish};
use crate::hash::HashSet;
use crate::mapping::difference::{Patch, RowOp, RowWrite};
use crate::mapping::map::{TargetRow, row_number};
use crate::merge::Kept;
use crate::repair::Repair;
use crate::source::change::Position;
use crate::target::claim::{Claim, Claims};
use crate::target::ledger::{Evidence, State};

/// What is to be done with a unit.
#[derive(Clone, Debug, Default)]
pub enum Decision {
    /// Write the patch (which may be empty) and the ledger.
    #[default]
    Apply,
    /// Set its carts aside, with what was found.
    Hold {
        reason: &'static str,
        message: String,
        evidence: Option<Evidence>,
        /// It is a new or repeated attempt, not just a change to what is pending.
        tried: bool,
    },
    /// Nothing of it is written: the mapping asks the daemon to stop, with this message.
    Stop(String),
}

/// What a merge came to, beside the patch that it gave.
#[derive(Clone, Debug, Default)]
pub struct Merging {
    /// By the place of the cart: its rows that are other than its image says.
    pub kept: Vec<(usize, Vec<Kept>)>,
    /// What was found, where the new backend has written it since cartage last looked.
    pub evidence: Option<Evidence>,
    /// What was decided, as JSON.
    pub decisions: String,
    pub decided: usize,
    /// Lines whose quantity both sides had changed.
    pub items: u64,
    /// All that it looked at, and the mapping by which it did, where there is evidence.
    pub inputs: Option<(i32, Vec<u8>)>,
    /// It was no merge: one side's rows were taken.
    pub taken: bool,
    /// The tables were seen to be as they are known, after they were read.
    pub trusted: bool,
}

/// One cart of a unit.
#[derive(Debug)]
pub struct UnitCart {
    pub key: CartKey,
    pub known: Arc<Known>,
    pub image: Option<Image>,
    pub rows: Vec<TargetRow>,
    pub position: Position,
    /// A wish that is not in the table yet.
    pub wish: Option<Wish>,
    pub refreshed: bool,
    pub touched: bool,
    /// It is to be tried again.
    pub retried: bool,
    /// Whose rows it is to have, while it is held.
    pub take: Option<Take>,
    /// It is to be repaired.
    pub repair: Option<Repair>,
    pub late: u64,
    /// The new backend has finished with it: its target rows stay as they are.
    pub handed_over: bool,
    /// What was found when that was seen just now.
    pub finding: Option<Evidence>,
}

#[derive(Debug, Default)]
pub struct Unit {
    pub carts: Vec<UnitCart>,
    pub patch: Patch,
    pub decision: Decision,
    pub attempts: u32,
    /// A source end that wins over the new backend's edits: what was overwritten.
    pub overruled: Option<Evidence>,
    /// Whose rows its carts are to have.
    pub take: Option<Take>,
    /// The patch is that of a merge.
    pub merge: Option<Merging>,
    /// The patch of a mere refresh, where that of a repair stands in its place.
    pub ordinary: Option<Patch>,
    /// What was decided about the repair that it is to have.
    pub mend: Option<Mend>,
    /// What the target holds was just read for it.
    pub is_read: bool,
    /// The owner of a row that it wants, to be read again: it may have given it up unseen.
    pub owner: Option<CartKey>,
    /// Where there are several carts: what they were before they were settled, in their order.
    pub foldings: Vec<Folding>,
}

impl Unit {
    /// Nothing to write, not even into the ledger.
    pub fn idle(&self) -> bool {
        let still = |c: &UnitCart| !c.touched && !c.refreshed && c.wish.is_none() && c.late == 0;
        self.patch.is_empty() && self.carts.iter().all(still) && self.stops().is_none()
    }

    /// Why the daemon is to stop over it.
    pub fn stops(&self) -> Option<&str> {
        match &self.decision {
            Decision::Stop(why) => Some(why),
            Decision::Apply | Decision::Hold { .. } => None,
        }
    }

    /// A merge has left rows of it other than its image says: what the target holds has to be read
    /// before anything is written.
    pub fn is_merged(&self) -> bool {
        self.merge.is_some() || self.open().any(|c| !c.known.kept.is_empty())
    }

    /// The side whose rows are to be taken, if they still are. An end in the source is written over
    /// what was found anyway.
    pub fn taking(&self) -> Option<Take> {
        let open = matches!(self.decision, Decision::Apply) && !self.ends();
        self.take.filter(|_| open)
    }

    /// A cart of it is to be repaired, and nothing was decided about that.
    pub fn mends(&self) -> bool {
        let asked = |c: &UnitCart| c.repair.is_some() && c.known.state() != Some(State::Held);
        let open = matches!(self.decision, Decision::Apply);
        open && self.mend.is_none() && self.open().any(asked)
    }

    /// The carts that the new backend has not finished with.
    pub fn open(&self) -> impl Iterator<Item = &UnitCart> {
        self.carts.iter().filter(|c| !c.handed_over)
    }

    /// Rows that it takes and that could be another cart's.
    pub fn claims(&self) -> Option<Claims> {
        let is = |row: &TargetRow, w: &RowWrite| w.index == Some(row.into) && w.key == row.key;
        let has = |w: &&RowWrite| {
            let mut left = self.open().flat_map(|c| &c.known.left);
            left.any(|left| is(&left.row, w))
        };
        let wants = |w: &&RowWrite| self.open().flat_map(|c| &c.rows).any(|row| is(row, w));
        let writes = self.patch.writes.iter();
        let rows: Vec<Claim> = writes
            .filter(|w| w.into.shareable && wants(w) && !has(w))
            .map(|w| Claim {
                table: w.into.full_name(),
                number: row_number(&w.into, &w.key),
                adopts: !matches!(w.op, RowOp::Insert { .. }),
            })
            .collect();
        (!rows.is_empty()).then(|| Claims {
            carts: self.open().map(|c| c.key.to_string()).collect(),
            rows,
        })
    }

    /// Writes to tables that the mapping no longer has.
    pub fn dropped(&self) -> impl Iterator<Item = RowWrite> + '_ {
        let touched = self.open().filter(|cart| cart.touched);
        touched.flat_map(|cart| cart.known.dropped.iter().cloned())
    }

    /// All its open carts have ended or been deleted in the source.
    pub fn ends(&self) -> bool {
        let over = |c: &UnitCart| c.image.as_ref().is_some_and(|i| i.life != Life::Live);
        self.open().all(over)
    }
}

/// All carts that work concerns, each once, in order of appearance.
pub fn carts_of(works: &[Work]) -> Vec<CartKey> {
    let mut seen = HashSet::default();
    let mut carts = Vec::new();
    for work in works {
        let reads = work.reads.iter().map(|r| &r.cart);
        let changes = work.changes.iter().flat_map(|c| c.action.carts());
        for cart in reads.chain(changes) {
            if seen.insert(cart) {
                carts.push(cart.clone());
            }
        }
    }
    carts
}

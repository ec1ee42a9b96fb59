//! Dealing a source transaction out: each change finds its cart, and goes to the cart's lane or
//! into the window. A large transaction is brought into the order of its carts first.

use tracing::warn;

use super::dispatch::Load;
use super::groups::{Groups, LAST};
use super::reader::{Reader, ReaderError};
use super::transaction::{Spill, Transaction};
use super::window::Window;
use crate::cart::key::CartKey;
use crate::cart::owner::{Action, Question, Routed, Untraceable, Wish};
use crate::params;
use crate::refresh::owners::carts_of;
use crate::refresh::runs::{self, Kind};
use crate::source::IdentityError;
use crate::source::change::{Change, Lsn, Position};
use crate::switch::{self, Mutant, Place};

/// Owners that are asked for at once.
const QUESTIONS: usize = 5_000;
/// Changes after which other tasks may go on.
const TURN: usize = 1_000;

impl Reader {
    /// Deals out what has come in of the transaction. Once that is durable, lanes are done up to
    /// `through`.
    pub(super) async fn deal(
        &mut self,
        of: &mut Transaction,
        through: Position,
    ) -> Result<(), ReaderError> {
        let (spill, changes) = of.take();
        let Some(spill) = spill else {
            return self.deal_small(of, changes, through).await;
        };
        let Some((first, _)) = changes.first() else {
            return self.deal_large(of, spill, through).await;
        };
        let spilled = Position {
            lsn: of.id.commit,
            seq: first - 1,
        };
        self.deal_large(of, spill, spilled).await?;
        of.dealt = spilled;
        self.deal_small(of, changes, through).await
    }

    /// The transaction is dealt out in parts, so its carts are not atomic (protocol rule 5).
    pub(super) async fn waive(&mut self, of: &mut Transaction) -> Result<(), ReaderError> {
        if of.waived {
            return Ok(());
        }
        of.waived = true;
        warn!(
            commit = %of.id.commit,
            "a source transaction is larger than what is kept whole: \
             its carts are applied in parts; see [apply] transaction_rows"
        );
        self.control
            .execute(
                "UPDATE cartage.pipeline SET waived = waived + 1 WHERE id = $1",
                params![self.pipeline],
            )
            .await?;
        Ok(())
    }

    async fn deal_small(
        &mut self,
        of: &Transaction,
        mut changes: Vec<(u32, Change)>,
        through: Position,
    ) -> Result<(), ReaderError> {
        self.router.join_moves(&mut changes);
        for (_, change) in &changes {
            self.router.learn(change);
        }
        let mut unsure = Unsure::default();
        let mut load = Load {
            commit_time: Some(of.time),
            ..Load::default()
        };
        for (seq, change) in changes {
            let routed = self.route(of, seq, change, &mut unsure).await?;
            load.changes.extend(routed);
        }
        load.changes.extend(self.wishes(of, unsure).await?);
        if self.state.window.as_ref().is_some_and(Window::overflows) {
            self.abandon(&mut load);
        }
        load.through = self.state.through(through);
        self.dispatch.load(load).await?;
        Ok(())
    }

    async fn deal_large(
        &mut self,
        of: &mut Transaction,
        spill: Spill,
        through: Position,
    ) -> Result<(), ReaderError> {
        let mut groups = self.groups()?;
        let mut unsure = Unsure::default();
        let mut walk = spill.walk();
        let mut turn = 0;
        while let Some((seq, change)) = walk.next().map_err(|e| self.scratch_fault(e))? {
            if let Some(routed) = self.route(of, seq, change, &mut unsure).await?
                && let Err(error) = groups.push(seq, &routed.action)
            {
                warn!(folder = %self.room.folder.display(), "no scratch space: {error}");
                self.waive(of).await?;
                let before = Position {
                    lsn: of.id.commit,
                    seq: seq - 1,
                };
                self.deal_groups(of, groups, before).await?;
                of.dealt = before;
                groups = self.groups()?;
                groups
                    .push(seq, &routed.action)
                    .map_err(|e| self.scratch_fault(e))?;
            }
            if unsure.len() >= QUESTIONS {
                self.group_wishes(of, &mut unsure, &mut groups).await?;
            }
            if self.state.window.as_ref().is_some_and(Window::overflows) {
                self.abandon_into(of, &mut groups).await?;
            }
            turn += 1;
            if turn % TURN == 0 {
                tokio::task::yield_now().await;
            }
        }
        self.group_wishes(of, &mut unsure, &mut groups).await?;
        switch::place(Place::Grouped);
        self.deal_groups(of, groups, through).await
    }

    /// Deals groups out piece by piece. Lanes are done with the transaction only after the last.
    async fn deal_groups(
        &mut self,
        of: &mut Transaction,
        mut groups: Groups,
        through: Position,
    ) -> Result<(), ReaderError> {
        let pieces = groups.pieces();
        let last = pieces.len().saturating_sub(1);
        for (at, piece) in pieces.into_iter().enumerate() {
            if *self.stop.borrow() {
                return Err(ReaderError::Stopping);
            }
            if piece.cut {
                self.waive(of).await?;
            }
            let changes = groups.read(piece).map_err(|e| self.scratch_fault(e))?;
            let through = match at == last {
                true => through,
                false => of.dealt,
            };
            let load = Load {
                changes: changes
                    .into_iter()
                    .map(|(seq, action)| routed(of, seq, action))
                    .collect(),
                through: self.state.through(through),
                commit_time: Some(of.time),
                ..Load::default()
            };
            self.dispatch.load(load).await?;
            switch::place(Place::PieceDealt);
        }
        Ok(())
    }

    fn groups(&self) -> Result<Groups, ReaderError> {
        Groups::create(&self.room.folder).map_err(|e| self.scratch_fault(e))
    }

    pub(super) fn scratch_fault(&self, error: std::io::Error) -> ReaderError {
        ReaderError::Scratch {
            folder: self.room.folder.clone(),
            error,
        }
    }

    /// A change on its way to its lane, unless the window keeps it or it is nobody's.
    async fn route(
        &mut self,
        of: &Transaction,
        seq: u32,
        change: Change,
        unsure: &mut Unsure,
    ) -> Result<Option<Routed>, ReaderError> {
        let routing = match self.router.route(change) {
            Ok(routing) => routing,
            Err(Untraceable { table }) => {
                self.read_all_again(table, of.id.commit).await?;
                return Ok(None);
            }
        };
        unsure.questions.extend(routing.questions);
        unsure.carts.extend(routing.returned);
        let action = routing.action;
        Ok(action.and_then(|action| self.state.offer(routed(of, seq, action))))
    }

    /// A change of which the log does not tell the cart, or the row, is let go, and all carts are
    /// read again: before the checkpoint passes it, that is durable. Where the log still does not
    /// tell, somebody has to widen the replica identity first.
    async fn read_all_again(&mut self, table: usize, commit: Lsn) -> Result<(), ReaderError> {
        if commit < self.state.reread || switch::mutant(Mutant::UntracedUnread) {
            return Ok(());
        }
        let layout = self.router.layout();
        let small = self.source.too_small(layout).await?;
        if let Some(error) = small.into_iter().next() {
            return Err(error.into());
        }
        warn!(
            table = layout.tables[table].alias,
            "the log has rows of before their table was altered, which do not hold all that the \
             mapping reads; reading all carts again"
        );
        let end = self.source.log_end().await;
        self.state.reread = end.map_err(IdentityError::from)?.max(commit);
        runs::begin(&self.control, self.pipeline, Kind::All, self.state.at.lsn).await?;
        Ok(())
    }

    /// Wishes for the carts that the source names today for rows whose cart nobody knew, and for those
    /// to which parents have returned.
    async fn wishes(
        &mut self,
        of: &Transaction,
        unsure: Unsure,
    ) -> Result<Vec<Routed>, ReaderError> {
        let Unsure {
            mut questions,
            mut carts,
        } = unsure;
        carts.sort();
        carts.dedup();
        let returned = carts.into_iter().map(|cart| (cart, Wish::Arrival));
        let mut wishes: Vec<(CartKey, Wish)> = returned.collect();
        if !questions.is_empty() && !switch::mutant(Mutant::OwnersUnasked) {
            questions.sort_by(|a, b| (a.table, &a.key).cmp(&(b.table, &b.key)));
            questions.dedup();
            let owners = carts_of(&self.source, self.router.layout(), &questions).await?;
            wishes.extend(owners.into_iter().map(|cart| (cart, Wish::Owner)));
        }
        Ok(wishes
            .into_iter()
            .map(|(cart, why)| routed(of, LAST, Action::Refresh { cart, why }))
            .filter_map(|wish| self.state.offer(wish))
            .collect())
    }

    async fn group_wishes(
        &mut self,
        of: &Transaction,
        unsure: &mut Unsure,
        groups: &mut Groups,
    ) -> Result<(), ReaderError> {
        for wish in self.wishes(of, std::mem::take(unsure)).await? {
            let pushed = groups.push(LAST, &wish.action);
            pushed.map_err(|e| self.scratch_fault(e))?;
        }
        Ok(())
    }

    /// The window keeps too much: what it kept of earlier transactions goes its way, and what it
    /// kept of this one goes with the rest of it.
    async fn abandon_into(
        &mut self,
        of: &Transaction,
        groups: &mut Groups,
    ) -> Result<(), ReaderError> {
        let mut load = Load::default();
        self.abandon(&mut load);
        let (this, earlier): (Vec<_>, Vec<_>) = std::mem::take(&mut load.changes)
            .into_iter()
            .partition(|change| change.position.lsn == of.id.commit);
        for change in this {
            let pushed = groups.push(change.position.seq, &change.action);
            pushed.map_err(|e| self.scratch_fault(e))?;
        }
        load.changes = earlier;
        load.through = self.state.through(of.dealt);
        self.dispatch.load(load).await?;
        Ok(())
    }
}

/// What of a transaction the log alone does not tell.
#[derive(Debug, Default)]
struct Unsure {
    /// Rows whose cart is not known.
    questions: Vec<Question>,
    /// Carts to which parents have returned that were deleted.
    carts: Vec<CartKey>,
}

impl Unsure {
    fn len(&self) -> usize {
        self.questions.len() + self.carts.len()
    }
}

/// What follows all changes has the position of the last one that has come in.
fn routed(of: &Transaction, seq: u32, action: Action) -> Routed {
    let seq = match seq {
        LAST => of.seq,
        seq => seq,
    };
    Routed {
        position: Position {
            lsn: of.id.commit,
            seq,
        },
        time: of.time,
        transaction: of.id,
        action,
    }
}

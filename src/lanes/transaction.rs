//! A source transaction as it comes in: in memory while it is small, else in scratch space.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::path::PathBuf;

use super::scratch::{Records, Scratch, Spot};
use crate::cart::image::Cells;
use crate::cart::key::CartKey;
use crate::cart::owner::Router;
use crate::hash::{HashMap, HashSet};
use crate::source::change::{Change, Op, Position, TransactionId};
use crate::switch::{self, Bound};

/// What is kept in memory; more goes into scratch space.
const IN_MEMORY: u64 = 5_000;
const BYTES_IN_MEMORY: usize = 4 << 20;

/// How much of a transaction may wait for its commit.
#[derive(Clone, Debug)]
pub struct Room {
    /// Changes; a larger transaction is applied in parts.
    pub changes: usize,
    /// The folder of the scratch files.
    pub folder: PathBuf,
}

#[derive(Debug)]
pub struct Transaction {
    pub id: TransactionId,
    /// Commit time, microseconds since 1970 UTC.
    pub time: i64,
    /// Number of the last change.
    pub seq: u32,
    /// All before it was dealt out.
    pub dealt: Position,
    /// It is dealt out in parts, and that was counted.
    pub waived: bool,
    /// No scratch space is to be had.
    pub confined: bool,
    pub changes: Vec<(u32, Change)>,
    bytes: usize,
    pub spill: Option<Spill>,
}

impl Transaction {
    pub fn new(id: TransactionId, time: i64, before: Position) -> Self {
        Self {
            id,
            time,
            seq: 0,
            dealt: before,
            waived: false,
            confined: false,
            changes: Vec::new(),
            bytes: 0,
            spill: None,
        }
    }

    /// The position of its last change.
    pub fn reached(&self) -> Position {
        Position {
            lsn: self.id.commit,
            seq: self.seq,
        }
    }

    /// Takes the next change in. After an error all changes are still there, in memory and in the
    /// scratch file, in this order of being dealt out: scratch file, memory.
    pub fn push(&mut self, change: Change, router: &mut Router, room: &Room) -> io::Result<()> {
        self.seq = self.seq.saturating_add(1);
        self.bytes += change.footprint();
        self.changes.push((self.seq, change));
        if self.confined || self.is_small() && self.spill.is_none() {
            return Ok(());
        }
        if self.spill.is_none() {
            self.spill = Some(Spill::create(room)?);
        }
        if let Some(spill) = &mut self.spill {
            let mut done = 0;
            let pushed = self.changes.iter().try_for_each(|(seq, change)| {
                spill.push(*seq, change, router)?;
                done += 1;
                io::Result::Ok(())
            });
            self.changes.drain(..done);
            pushed?;
        }
        self.bytes = 0;
        Ok(())
    }

    /// More may not wait.
    pub fn is_full(&self, room: &Room) -> bool {
        let spilled = self.spill.as_ref().map_or(0, |spill| spill.changes);
        self.confined && !self.is_small() || spilled + self.changes.len() >= room.changes
    }

    /// What waits in memory may stay there.
    fn is_small(&self) -> bool {
        let most = switch::bound(Bound::InMemory, IN_MEMORY);
        (self.changes.len() as u64) < most && self.bytes < BYTES_IN_MEMORY
    }

    /// Something has come in that was not dealt out.
    pub fn is_pending(&self) -> bool {
        self.spill.is_some() || !self.changes.is_empty()
    }

    /// What has come in since the last time.
    pub fn take(&mut self) -> (Option<Spill>, Vec<(u32, Change)>) {
        self.bytes = 0;
        (self.spill.take(), std::mem::take(&mut self.changes))
    }
}

/// Changes in scratch space, and which of them are halves of moves.
#[derive(Debug)]
pub struct Spill {
    records: Scratch,
    changes: usize,
    /// Deletes by row, for inserts that turn them into moves. A hash is enough to find one; the
    /// rows themselves are compared.
    deleted: HashMap<u64, Spot>,
    /// Inserts that are moves, with their deletes.
    moves: HashMap<Spot, Spot>,
    /// The deletes of those.
    joined: HashSet<Spot>,
}

impl Spill {
    fn create(room: &Room) -> io::Result<Self> {
        Ok(Self {
            records: Scratch::create(&room.folder)?,
            changes: 0,
            deleted: HashMap::default(),
            moves: HashMap::default(),
            joined: HashSet::default(),
        })
    }

    fn push(&mut self, seq: u32, change: &Change, router: &mut Router) -> io::Result<()> {
        let delete = self.delete_of(change, router)?;
        let spot = self.records.push(&(seq, change))?;
        self.changes += 1;
        match (&change.op, delete) {
            (Op::Insert { new }, Some((delete, old))) => {
                self.moves.insert(spot, delete);
                self.joined.insert(delete);
                router.joined(change.table, new);
                let (old, new) = (Some(old), new.clone());
                router.learn(&Change {
                    table: change.table,
                    op: Op::Update { old, new },
                });
            }
            (Op::Delete { old }, _) => {
                let row = router.row_beside_cart(change.table, old);
                if let Some(row) = row {
                    self.deleted.insert(hash(change.table, &row), spot);
                }
            }
            _ => router.learn(change),
        }
        Ok(())
    }

    /// The delete that an insert turns into a move.
    fn delete_of(&mut self, change: &Change, router: &Router) -> io::Result<Option<(Spot, Cells)>> {
        let Op::Insert { new } = &change.op else {
            return Ok(None);
        };
        let Some(row) = router.row_beside_cart(change.table, new) else {
            return Ok(None);
        };
        let Some(spot) = self.deleted.remove(&hash(change.table, &row)) else {
            return Ok(None);
        };
        let (_, delete): (u32, Change) = self.records.read(spot)?;
        let Op::Delete { old } = delete.op else {
            return Ok(None);
        };
        let same = delete.table == change.table
            && router.row_beside_cart(delete.table, &old) == Some(row)
            && router.is_move(change.table, &old, new);
        Ok(same.then_some((spot, old)))
    }

    pub fn walk(&self) -> Walk<'_> {
        Walk {
            spill: self,
            records: self.records.records(),
        }
    }
}

/// The changes of a [`Spill`] in order, with moves joined.
pub struct Walk<'a> {
    spill: &'a Spill,
    records: Records<'a>,
}

impl Walk<'_> {
    #[expect(
        clippy::should_implement_trait,
        reason = "the end of the changes and the end of the file are told apart by `?`"
    )]
    pub fn next(&mut self) -> io::Result<Option<(u32, Change)>> {
        while let Some((spot, (seq, mut change))) = self.records.next::<(u32, Change)>()? {
            if self.spill.joined.contains(&spot) {
                continue;
            }
            if let Some(delete) = self.spill.moves.get(&spot) {
                let (_, deleted): (u32, Change) = self.spill.records.read(*delete)?;
                if let (Op::Delete { old }, Op::Insert { new }) = (deleted.op, &change.op) {
                    let (old, new) = (Some(old), new.clone());
                    change.op = Op::Update { old, new };
                }
            }
            return Ok(Some((seq, change)));
        }
        Ok(None)
    }
}

fn hash(table: usize, row: &CartKey) -> u64 {
    let mut hasher = DefaultHasher::new();
    (table, row).hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cart::image::Cell;
    use crate::cart::owner::Routing;
    use crate::cart::owner::tests::router;

    /// Carts, lines that name their cart, and details that name their line.
    fn new_router() -> Router {
        router(&["cart", "line", "detail"])
    }

    fn change(rng: &mut fastrand::Rng) -> Change {
        let mut row = || -> Cells {
            [rng.u8(..20), rng.u8(..20)]
                .map(|n| Cell::Text(n.to_string().into()))
                .into()
        };
        let (old, new) = (row(), row());
        let op = match rng.u8(..4) {
            0 => Op::Delete { old },
            1 => Op::Update {
                old: Some(old),
                new,
            },
            _ => Op::Insert { new },
        };
        let table = rng.usize(..3);
        Change { table, op }
    }

    fn routed(router: &mut Router, changes: Vec<(u32, Change)>) -> Vec<(u32, Routing)> {
        changes
            .into_iter()
            .map(|(seq, change)| (seq, router.route(change).unwrap()))
            .collect()
    }

    #[test]
    fn scratch_space_changes_nothing_about_where_changes_go() {
        for seed in 0..200 {
            let mut rng = fastrand::Rng::with_seed(seed);
            let changes: Vec<Change> = (0..100).map(|_| change(&mut rng)).collect();

            let mut router = new_router();
            let mut kept: Vec<(u32, Change)> = (1..).zip(changes.clone()).collect();
            router.join_moves(&mut kept);
            for (_, change) in &kept {
                router.learn(change);
            }
            let in_memory = routed(&mut router, kept);

            let room = Room {
                changes: usize::MAX,
                folder: std::env::temp_dir(),
            };
            let mut router = new_router();
            let mut spill = Spill::create(&room).unwrap();
            for (seq, change) in (1..).zip(&changes) {
                spill.push(seq, change, &mut router).unwrap();
            }
            let mut walked = Vec::new();
            let mut walk = spill.walk();
            while let Some(next) = walk.next().unwrap() {
                walked.push(next);
            }
            assert_eq!(routed(&mut router, walked), in_memory, "seed {seed}");
        }
    }

    #[test]
    fn a_large_transaction_goes_into_scratch_space_in_order() {
        let mut rng = fastrand::Rng::with_seed(1);
        let mut router = new_router();
        let room = Room {
            changes: 8_000,
            folder: std::env::temp_dir(),
        };
        let mut transaction = Transaction::new(TransactionId::default(), 0, Position::default());
        for n in 1..=8_000 {
            assert!(!transaction.is_full(&room), "after {n}");
            let change = change(&mut rng);
            transaction.push(change, &mut router, &room).unwrap();
        }
        assert!(transaction.is_full(&room));
        let (spill, changes) = transaction.take();
        assert!(changes.is_empty());
        let mut walk = spill.as_ref().unwrap().walk();
        let mut last = 0;
        while let Some((seq, _)) = walk.next().unwrap() {
            assert!(seq > last);
            last = seq;
        }
        assert!(last > 7_900);
    }

    #[test]
    fn without_scratch_space_nothing_is_lost() {
        let mut rng = fastrand::Rng::with_seed(1);
        let mut router = new_router();
        let room = Room {
            changes: 8_000,
            folder: "/nonexistent".into(),
        };
        let mut transaction = Transaction::new(TransactionId::default(), 0, Position::default());
        let mut taken = 0;
        for _ in 0..12_000 {
            if transaction
                .push(change(&mut rng), &mut router, &room)
                .is_err()
            {
                transaction.confined = true;
            }
            if transaction.is_full(&room) {
                taken += transaction.take().1.len();
            }
        }
        let (spill, rest) = transaction.take();
        assert!(spill.is_none());
        assert_eq!((taken, rest.len()), (10_000, 2_000));
    }
}

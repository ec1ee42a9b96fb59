//! The changes of a large source transaction, brought into the order of their carts: each piece has
//! all of the changes of its carts, so that these stay atomic (protocol rule 5).

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::path::Path;

use super::scratch::{Scratch, Spot};
use crate::cart::key::CartKey;
use crate::cart::owner::Action;
use crate::switch::{self, Mutant};

/// A piece ends at the border of a cart once it has so many changes, or so many bytes of them.
const PIECE: usize = 4_000;
const PIECE_BYTES: u64 = 2 << 20;
/// More changes of one cart, or of carts between which rows moved, are cut.
const WHOLE: usize = 50_000;
const WHOLE_BYTES: u64 = 16 << 20;

/// Numbers of changes; what follows all of them is last.
pub const LAST: u32 = u32::MAX;

#[derive(Debug)]
pub struct Groups {
    actions: Scratch,
    entries: Vec<Entry>,
    /// Carts between which rows moved: from a cart to one of its group, up to the root.
    up: HashMap<u64, u64>,
}

/// One change. Two carts of one hash form one group, which is no harm.
#[derive(Debug)]
struct Entry {
    group: u64,
    at: u64,
    seq: u32,
    length: u32,
}

/// Entries from..to, dealt out together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece {
    from: usize,
    to: usize,
    /// It ends inside a group.
    pub cut: bool,
}

impl Groups {
    pub fn create(folder: &Path) -> io::Result<Self> {
        Ok(Self {
            actions: Scratch::create(folder)?,
            entries: Vec::new(),
            up: HashMap::new(),
        })
    }

    /// Adds a change with its number in the transaction.
    pub fn push(&mut self, seq: u32, action: &Action) -> io::Result<()> {
        let Spot(at) = self.actions.push(&(seq, action))?;
        let length = u32::try_from(self.actions.len() - at).unwrap_or(u32::MAX);
        let mut carts = action.carts().map(hash);
        let group = carts.next().unwrap_or_default();
        for other in carts {
            let (a, b) = (self.root(group), self.root(other));
            if a != b {
                self.up.insert(a.max(b), a.min(b));
            }
        }
        self.entries.push(Entry {
            group,
            at,
            seq,
            length,
        });
        Ok(())
    }

    fn root(&self, mut group: u64) -> u64 {
        while let Some(up) = self.up.get(&group) {
            group = *up;
        }
        group
    }

    /// Orders the changes by group, the groups by their first change, and cuts them into pieces.
    pub fn pieces(&mut self) -> Vec<Piece> {
        let mut entries = std::mem::take(&mut self.entries);
        for entry in &mut entries {
            entry.group = self.root(entry.group);
        }
        entries.sort_unstable_by_key(|e| (e.group, e.seq, e.at));
        for group in entries.chunk_by_mut(|a, b| a.group == b.group) {
            let name = u64::from(group[0].seq) << 32 | group[0].group & 0xffff_ffff;
            for entry in group {
                entry.group = name;
            }
        }
        entries.sort_unstable_by_key(|e| (e.group, e.seq, e.at));
        self.entries = entries;
        self.cut()
    }

    fn cut(&self) -> Vec<Piece> {
        let mut pieces = Vec::new();
        let (mut from, mut bytes) = (0, 0);
        let mut group = Weight::default();
        for (at, entry) in self.entries.iter().enumerate() {
            let border = at > 0 && self.entries[at - 1].group != entry.group;
            if border {
                group = Weight::default();
            }
            let full = at - from >= PIECE || bytes >= PIECE_BYTES;
            let too_large = group.changes >= WHOLE || group.bytes >= WHOLE_BYTES;
            let anywhere = full && switch::mutant(Mutant::PiecesAnywhere);
            if border && full || too_large || anywhere {
                let cut = !border;
                pieces.push(Piece { from, to: at, cut });
                (from, bytes) = (at, 0);
                group = Weight::default();
            }
            bytes += u64::from(entry.length);
            group.changes += 1;
            group.bytes += u64::from(entry.length);
        }
        if from < self.entries.len() {
            pieces.push(Piece {
                from,
                to: self.entries.len(),
                cut: false,
            });
        }
        pieces
    }

    /// The changes of a piece.
    pub fn read(&self, piece: Piece) -> io::Result<Vec<(u32, Action)>> {
        self.entries[piece.from..piece.to]
            .iter()
            .map(|entry| self.actions.read(Spot(entry.at)))
            .collect()
    }
}

#[derive(Default)]
struct Weight {
    changes: usize,
    bytes: u64,
}

fn hash(cart: &CartKey) -> u64 {
    let mut hasher = DefaultHasher::new();
    cart.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::sync::Arc;

    use super::*;
    use crate::cart::image::{Cell, Cells};
    use crate::cart::owner::Wish;

    fn cart(n: usize) -> CartKey {
        CartKey::of([n.to_string().as_str()])
    }

    fn remove(n: usize) -> Action {
        let old = Arc::new([Cell::Text("1".into())]);
        let (cart, table) = (cart(n), 1);
        Action::Remove { cart, table, old }
    }

    fn groups(actions: &[Action]) -> Groups {
        let mut groups = Groups::create(&std::env::temp_dir()).unwrap();
        for (seq, action) in (1..).zip(actions) {
            groups.push(seq, action).unwrap();
        }
        groups
    }

    #[test]
    fn each_cart_is_in_one_piece_and_in_order() {
        let actions: Vec<Action> = (0..30_000).map(|i| remove(i * 7 % 3_001)).collect();
        let mut groups = groups(&actions);
        let pieces = groups.pieces();
        assert!(pieces.len() >= 5, "{pieces:?}");
        let mut seen: HashSet<CartKey> = HashSet::new();
        let mut all = 0;
        for piece in pieces {
            assert!(!piece.cut);
            let changes = groups.read(piece).unwrap();
            all += changes.len();
            let mut last: HashMap<CartKey, u32> = HashMap::new();
            for (seq, action) in &changes {
                assert_eq!(*action, actions[*seq as usize - 1]);
                let cart = action.carts().next().unwrap().clone();
                let before = last.insert(cart, *seq);
                assert!(before.is_none_or(|before| before < *seq));
            }
            for cart in last.into_keys() {
                assert!(seen.insert(cart), "a cart in two pieces");
            }
        }
        assert_eq!(all, actions.len());
    }

    #[test]
    fn rows_that_move_tie_their_carts_and_what_follows_all_is_last() {
        let mut actions: Vec<Action> = (0..9_000).map(remove).collect();
        let cells = || -> Cells { Arc::new([Cell::Null]) };
        actions[8_999] = Action::Move {
            from: cart(3),
            to: cart(8_000),
            table: 1,
            old: cells(),
            new: cells(),
        };
        let mut groups = groups(&actions);
        let wish = Action::Refresh {
            cart: cart(3),
            why: Wish::Owner,
        };
        groups.push(LAST, &wish).unwrap();
        groups.push(1, &remove(3)).unwrap();
        let pieces = groups.pieces();
        let with = |n: usize| {
            let has = |p: &&Piece| {
                let changes = groups.read(**p).unwrap();
                changes
                    .iter()
                    .any(|(_, a)| a.carts().any(|c| *c == cart(n)))
            };
            pieces.iter().filter(has).copied().collect::<Vec<_>>()
        };
        assert_eq!(with(3).len(), 1);
        assert_eq!(with(3), with(8_000));
        let changes = groups.read(with(3)[0]).unwrap();
        let of_three = |(_, a): &&(u32, Action)| a.carts().any(|c| *c == cart(3));
        let last = changes.iter().rfind(of_three).unwrap();
        assert_eq!(last.1, wish);
    }

    #[test]
    fn a_cart_that_is_too_large_is_cut() {
        let actions: Vec<Action> = (0..WHOLE + 10).map(|_| remove(1)).collect();
        let mut groups = groups(&actions);
        let pieces = groups.pieces();
        assert_eq!(pieces.len(), 2);
        assert!(pieces[0].cut && !pieces[1].cut);
    }
}

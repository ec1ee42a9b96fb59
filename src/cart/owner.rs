//! Which cart a row change belongs to.
//!
//! A row names its cart by a column, or through its parent. Owners of parents are learned from the
//! log as it passes and kept in a bounded cache. What the cache does not know becomes a
//! [`Question`] for the source; since the source answers for today and the change is of yesterday,
//! an answer may only cause a refresh of the cart that it names, never route the change.

use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::sync::Arc;

use lru::LruCache;
use serde::{Deserialize, Serialize};

use super::image::{Cell, Cells, Image, footprint};
use super::key::CartKey;
use super::layout::Layout;
use crate::source::change::{Change, Op, Position};
use crate::switch::{self, Mutant};

/// Why a cart must be read again from the source. The names are stored in `cartage.wish`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Wish {
    /// It was let go and may be live now.
    BecameLive,
    /// It appeared in the log, but its children may have passed before its header.
    BornUnproved,
    /// A row came from a cart whose image is not complete.
    Arrival,
    /// The log did not carry a large value that did not change.
    Toast,
    /// A change of a row whose owner only the source knows.
    Owner,
    /// The mapping reads columns that the image does not hold.
    Mapping,
}

impl Wish {
    pub fn name(self) -> &'static str {
        match self {
            Wish::BecameLive => "became_live",
            Wish::BornUnproved => "born_unproved",
            Wish::Arrival => "arrival",
            Wish::Toast => "toast",
            Wish::Owner => "owner",
            Wish::Mapping => "mapping",
        }
    }
}

/// A change on its way to its cart.
#[derive(Clone, Debug, PartialEq)]
pub struct Routed {
    pub position: Position,
    /// Commit time, microseconds since 1970 UTC.
    pub time: i64,
    pub xid: u32,
    pub action: Action,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Action {
    Put {
        cart: CartKey,
        table: usize,
        old: Option<Cells>,
        new: Cells,
        insert: bool,
    },
    Remove {
        cart: CartKey,
        table: usize,
        old: Cells,
    },
    /// A row leaves one cart for another; of the header: the cart's key changes.
    Move {
        from: CartKey,
        to: CartKey,
        table: usize,
        old: Cells,
        new: Cells,
    },
    Refresh {
        cart: CartKey,
        why: Wish,
    },
    /// These source tables were emptied.
    Clear {
        cart: CartKey,
        tables: Arc<[usize]>,
    },
    /// Look at the cart again: its mapping changed, or it is held and due.
    Touch {
        cart: CartKey,
    },
}

impl Routed {
    /// About how many bytes it takes in memory.
    pub fn footprint(&self) -> usize {
        self.action.footprint()
    }
}

impl Action {
    fn footprint(&self) -> usize {
        let cells = match self {
            Action::Put { old, new, .. } => old.as_deref().map_or(0, footprint) + footprint(new),
            Action::Remove { old, .. } => footprint(old),
            Action::Move { old, new, .. } => footprint(old) + footprint(new),
            Action::Refresh { .. } | Action::Clear { .. } | Action::Touch { .. } => 0,
        };
        size_of::<Routed>() + cells
    }

    /// The carts concerned: one, or two for a move.
    pub fn carts(&self) -> impl Iterator<Item = &CartKey> {
        let (first, second) = match self {
            Action::Put { cart, .. }
            | Action::Remove { cart, .. }
            | Action::Refresh { cart, .. }
            | Action::Clear { cart, .. }
            | Action::Touch { cart } => (cart, None),
            Action::Move { from, to, .. } => (from, Some(to)),
        };
        std::iter::once(first).chain(second)
    }
}

/// Whose cart does the row with this key of this table belong to?
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Question {
    pub table: usize,
    pub key: CartKey,
}

/// The log does not say which row of which cart it was, or what it became: the replica identity was
/// too small, or the table had other columns then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Untraceable {
    pub table: usize,
}

enum Owner {
    Cart(CartKey),
    Nobody,
    Ask(Question),
}

/// What routing one change gave.
#[derive(Debug, Default, PartialEq)]
pub struct Routing {
    pub action: Option<Action>,
    pub questions: Vec<Question>,
}

/// Finds owners, and remembers those of parents.
pub struct Router {
    layout: Arc<Layout>,
    is_parent: Vec<bool>,
    owners: LruCache<Question, CartKey>,
}

impl Router {
    pub fn new(layout: Arc<Layout>, remembered: NonZeroUsize) -> Self {
        let is_parent = (0..layout.tables.len())
            .map(|t| t != Layout::HEADER && layout.children(t).next().is_some())
            .collect();
        Self {
            layout,
            is_parent,
            owners: LruCache::new(remembered),
        }
    }

    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Takes note of the owner that a parent row has before its first change of a transaction, if
    /// nothing is known of it: children may stand before their parent. What is known stays, for
    /// the changes are routed in order.
    pub fn learn(&mut self, change: &Change) {
        let (Op::Insert { new: cells }
        | Op::Update {
            old: Some(cells), ..
        }
        | Op::Update {
            old: None,
            new: cells,
        }) = &change.op
        else {
            return;
        };
        let table = change.table;
        if self.is_parent[table]
            && let Some(key) =
                self.layout.tables[table].cart_key(cells, &self.layout.tables[table].key)
            && !self.owners.contains(&Question { table, key })
            && let Owner::Cart(cart) = self.owner(table, cells)
        {
            self.remember(table, cells, cart);
        }
    }

    /// Takes note again of the owners that these changes gave, after a read that may be older.
    pub fn learn_again(&mut self, changes: &[Routed]) {
        for change in changes {
            let (Action::Put {
                cart, table, new, ..
            }
            | Action::Move {
                to: cart,
                table,
                new,
                ..
            }) = &change.action
            else {
                continue;
            };
            if self.is_parent[*table] {
                self.remember(*table, new, cart.clone());
            }
        }
    }

    /// Takes note of the owners in a cart that was read whole.
    pub fn learn_image(&mut self, cart: &CartKey, image: &Image) {
        for (table, rows) in image.tables.iter().enumerate() {
            if self.is_parent[table] {
                for row in rows {
                    self.remember(table, &row.cells, cart.clone());
                }
            }
        }
    }

    /// Turns a row's delete from one cart and its insert into another, in one transaction, into the
    /// move that they are: an UPDATE that crosses partitions is logged so. The row is the same where
    /// the columns of its key that do not name the cart are. A header that is deleted and inserted
    /// under its key has changed.
    pub fn join_moves(&self, changes: &mut Vec<(u32, Change)>) {
        let mut deleted: HashMap<(usize, CartKey), usize> = HashMap::new();
        let mut joined = vec![false; changes.len()];
        for at in 0..changes.len() {
            let change = &changes[at].1;
            let (cells, insert) = match &change.op {
                Op::Delete { old } => (old, false),
                Op::Insert { new } => (new, true),
                Op::Update { .. } => continue,
            };
            let Some(row) = self.row_beside_cart(change.table, cells) else {
                continue;
            };
            let id = (change.table, row);
            if !insert {
                deleted.insert(id, at);
                continue;
            }
            let Some(from) = deleted.remove(&id) else {
                continue;
            };
            let Op::Delete { old } = &changes[from].1.op else {
                continue;
            };
            let Op::Insert { new } = &change.op else {
                continue;
            };
            if self.is_move(change.table, old, new) {
                let (old, new) = (Some(old.clone()), new.clone());
                changes[at].1.op = Op::Update { old, new };
                joined[from] = true;
            }
        }
        let mut joined = joined.into_iter();
        changes.retain(|_| joined.next() != Some(true));
    }

    /// Whether a row that is deleted and inserted again has moved to another cart. A header has
    /// changed then.
    pub fn is_move(&self, table: usize, old: &[Cell], new: &[Cell]) -> bool {
        let owners = self.owner_columns(table);
        table == Layout::HEADER || owners.iter().any(|&c| old[c] != new[c])
    }

    /// The key of a row without the columns that name its cart; none where nothing is left.
    pub fn row_beside_cart(&self, table: usize, cells: &[Cell]) -> Option<CartKey> {
        let owners = self.owner_columns(table);
        let key = &self.layout.tables[table].key;
        let rest: Vec<usize> = key
            .iter()
            .copied()
            .filter(|k| !owners.contains(k))
            .collect();
        let known = owners.iter().all(|&c| cells[c] != Cell::Missing);
        if table == Layout::HEADER {
            return self.layout.tables[table].cart_key(cells, key);
        }
        if rest.is_empty() || !known {
            return None;
        }
        self.layout.tables[table].cart_key(cells, &rest)
    }

    fn owner_columns(&self, table: usize) -> &[usize] {
        let this = &self.layout.tables[table];
        match (&this.cart, &this.parent) {
            (Some(columns), _) => columns,
            (None, Some((_, by))) => by,
            (None, None) => &[],
        }
    }

    /// Finds the cart or carts of a change.
    pub fn route(&mut self, change: Change) -> Result<Routing, Untraceable> {
        let Change { table, op } = change;
        let mut routing = Routing::default();
        routing.action = match op {
            Op::Insert { new } => {
                self.require(table, &new)?;
                self.place(table, &new, &mut routing)
                    .map(|cart| Action::Put {
                        cart,
                        table,
                        old: None,
                        new,
                        insert: true,
                    })
            }
            Op::Delete { old } => {
                self.require(table, &old)?;
                self.place(table, &old, &mut routing)
                    .map(|cart| Action::Remove { cart, table, old })
            }
            Op::Update { old: None, new } => {
                self.require(table, &new)?;
                self.place(table, &new, &mut routing)
                    .map(|cart| Action::Put {
                        cart,
                        table,
                        old: None,
                        new,
                        insert: false,
                    })
            }
            Op::Update {
                old: Some(old),
                new,
            } => {
                self.require(table, &old)?;
                self.require(table, &new)?;
                self.update(table, old, new, &mut routing)
            }
        };
        Ok(routing)
    }

    fn update(
        &mut self,
        table: usize,
        old: Cells,
        new: Cells,
        routing: &mut Routing,
    ) -> Option<Action> {
        let from = self.place(table, &old, routing);
        let to = self.place(table, &new, routing);
        match (from, to) {
            (Some(from), Some(to)) if from != to => Some(Action::Move {
                from,
                to,
                table,
                old,
                new,
            }),
            (Some(cart), Some(_)) => Some(Action::Put {
                cart,
                table,
                old: Some(old),
                new,
                insert: false,
            }),
            (Some(cart), None) => Some(Action::Remove { cart, table, old }),
            // From nobody: what hung below the row never passed as part of a cart.
            (None, Some(cart))
                if self.is_parent[table] && !switch::mutant(Mutant::NobodyUnread) =>
            {
                Some(Action::Refresh {
                    cart,
                    why: Wish::Arrival,
                })
            }
            (None, Some(cart)) => Some(Action::Put {
                cart,
                table,
                old: Some(old),
                new,
                insert: false,
            }),
            (None, None) => None,
        }
    }

    fn place(&mut self, table: usize, cells: &[Cell], routing: &mut Routing) -> Option<CartKey> {
        match self.owner(table, cells) {
            Owner::Cart(cart) => {
                if self.is_parent[table] {
                    self.remember(table, cells, cart.clone());
                }
                Some(cart)
            }
            Owner::Nobody => None,
            Owner::Ask(question) => {
                routing.questions.push(question);
                None
            }
        }
    }

    fn owner(&mut self, table: usize, cells: &[Cell]) -> Owner {
        let this = &self.layout.tables[table];
        if let Some(columns) = &this.cart {
            return match this.cart_key(cells, columns) {
                Some(cart) => Owner::Cart(cart),
                None => Owner::Nobody,
            };
        }
        let Some((parent, by)) = &this.parent else {
            return Owner::Nobody;
        };
        let Some(key) = this.cart_key(cells, by) else {
            return Owner::Nobody;
        };
        if *parent == Layout::HEADER {
            return Owner::Cart(key);
        }
        let question = Question {
            table: *parent,
            key,
        };
        match self.owners.get(&question) {
            Some(cart) => Owner::Cart(cart.clone()),
            None => Owner::Ask(question),
        }
    }

    /// Key and owner must be known, and NULL is.
    fn require(&self, table: usize, cells: &[Cell]) -> Result<(), Untraceable> {
        let key = &self.layout.tables[table].key;
        let mut needed = self.owner_columns(table).iter().chain(key);
        match needed.any(|&i| cells[i] == Cell::Missing) {
            true => Err(Untraceable { table }),
            false => Ok(()),
        }
    }

    fn remember(&mut self, table: usize, cells: &[Cell], cart: CartKey) {
        if let Some(key) = self.layout.tables[table].cart_key(cells, &self.layout.tables[table].key)
        {
            self.owners.put(Question { table, key }, cart);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cart::layout::{Column, Table};
    use crate::sqltype::SqlType;

    /// Lines under a header, keyed by cart and number, as a table partitioned by cart must be.
    fn router() -> Router {
        let table = |alias: &str, columns: &[&str], cart: usize| Table {
            alias: alias.into(),
            schema: "public".into(),
            name: alias.into(),
            columns: columns
                .iter()
                .map(|name| Column {
                    name: (*name).into(),
                    ty: SqlType::parse("integer"),
                    not_null: true,
                    bytewise: false,
                })
                .collect(),
            key: (0..columns.len()).collect(),
            cart: Some(vec![cart]),
            parent: None,
        };
        let tables = vec![table("cart", &["id"], 0), table("line", &["cart", "id"], 0)];
        Router::new(Arc::new(Layout { tables }), NonZeroUsize::MIN)
    }

    fn line(cart: &str, id: &str) -> Cells {
        Box::new([Cell::Text(cart.into()), Cell::Text(id.into())])
    }

    fn joined(ops: Vec<Op>) -> Vec<Op> {
        let changes = ops.into_iter().map(|op| Change { table: 1, op });
        let mut changes: Vec<(u32, Change)> = (1..).zip(changes).collect();
        router().join_moves(&mut changes);
        changes.into_iter().map(|(_, change)| change.op).collect()
    }

    #[test]
    fn a_delete_and_an_insert_in_another_cart_are_a_move() {
        let (old, new) = (line("1", "7"), line("2", "7"));
        let ops = vec![
            Op::Delete { old: old.clone() },
            Op::Insert { new: new.clone() },
        ];
        let old = Some(old);
        assert_eq!(joined(ops), [Op::Update { old, new }]);
    }

    #[test]
    fn other_rows_and_the_same_cart_stay_as_they_are() {
        let ops = vec![
            Op::Delete {
                old: line("1", "7"),
            },
            Op::Insert {
                new: line("2", "8"),
            },
            Op::Delete {
                old: line("3", "9"),
            },
            Op::Insert {
                new: line("3", "9"),
            },
        ];
        assert_eq!(joined(ops.clone()), ops);
    }
}

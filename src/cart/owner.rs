//! Which cart a row change belongs to.
//!
//! A row names its cart by a column, or through its parent. Owners of parents are learned from the
//! log as it passes and kept in a bounded cache. What the cache does not know becomes a
//! [`Question`] for the source; since the source answers for today and the change is of yesterday,
//! an answer may only cause a refresh of the cart that it names, never route the change.

mod action;
mod moves;
#[cfg(test)]
pub(crate) mod tests;

use std::num::NonZeroUsize;
use std::sync::Arc;

use lru::LruCache;

use super::image::{Cell, Cells, Image, Row};
use super::key::CartKey;
use super::layout::Layout;
use crate::source::change::{Change, Op};
use crate::switch::{self, Mutant};
pub use action::{Action, Routed, Take, Wish};

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
    /// A row is back under a key that was deleted, in these carts. What hung below it may still be
    /// there, or not.
    pub returned: Vec<CartKey>,
}

/// What a row hangs below. That of its parent may change without a word of the row itself.
enum Above {
    Cart(CartKey),
    Row(Question),
    Nothing,
}

/// What is remembered of a row, as the note of this number.
struct Noted {
    above: Above,
    number: usize,
}

/// Rows one above the other, at most: a row of a table that is its own parent may hang below itself.
const LEVELS: usize = 100;

/// Rows that are remembered to have left a cart: more than lanes are apart.
const LEFT: NonZeroUsize = NonZeroUsize::new(50_000).expect("not zero");

/// Finds owners, and remembers what parents hang below.
pub struct Router {
    layout: Arc<Layout>,
    is_parent: Vec<bool>,
    above: LruCache<Question, Noted>,
    /// Notes so far.
    notes: usize,
    /// Those of them that a read which has begun may be older than come after these.
    before_read: usize,
    /// Parents that were deleted lately.
    deleted: LruCache<Question, ()>,
    /// Rows that have left a cart for none lately.
    left: LruCache<Question, CartKey>,
    /// The log tells what foreign keys do to the children of a row.
    tells_cascades: bool,
}

impl Router {
    pub fn new(layout: Arc<Layout>, remembered: NonZeroUsize, tells_cascades: bool) -> Self {
        let is_parent = (0..layout.tables.len())
            .map(|t| t != Layout::HEADER && layout.children(t).next().is_some())
            .collect();
        Self {
            layout,
            is_parent,
            above: LruCache::new(remembered),
            notes: 0,
            before_read: 0,
            deleted: LruCache::new(remembered),
            left: LruCache::new(remembered.min(LEFT)),
            tells_cascades,
        }
    }

    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Takes note of what a parent row hangs below before its first change of a transaction, if
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
            && let Some(row) = self.row(table, cells)
            && !self.above.contains(&row)
        {
            self.note(row, cells);
        }
    }

    /// Carts are going to be read, by a snapshot that sees all that was noted before.
    pub fn read_begins(&mut self) {
        self.before_read = self.notes;
    }

    /// Takes note of the rows of a cart that was read whole. What the log has told since the read
    /// began stays, for the read may be older; where that is more than is remembered, nothing is
    /// learned.
    pub fn learn_image(&mut self, image: &Image) {
        if self.notes - self.before_read >= self.above.cap().get() {
            return;
        }
        for (table, rows) in image.tables.iter().enumerate() {
            if !self.is_parent[table] {
                continue;
            }
            for Row { cells, .. } in rows {
                let Some(row) = self.row(table, cells) else {
                    continue;
                };
                let noted = self.above.peek(&row);
                if noted.is_none_or(|noted| noted.number <= self.before_read) {
                    self.note(row, cells);
                }
            }
        }
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
                let placed = self.place(table, &new, &mut routing);
                if self.returns(table, &new) {
                    routing.returned.extend(placed.clone());
                }
                placed.map(|cart| match self.left_another(table, &new, &cart) {
                    Some(from) => Action::Move {
                        from,
                        to: cart,
                        table,
                        old: new.clone(),
                        new,
                    },
                    None => Action::Put {
                        cart,
                        table,
                        old: None,
                        new,
                        insert: true,
                    },
                })
            }
            Op::Delete { old } => {
                self.require(table, &old)?;
                if table != Layout::HEADER
                    && let Some(row) = self.parent(table, &old)
                {
                    self.deleted.put(row, ());
                }
                let placed = self.place(table, &old, &mut routing);
                placed.map(|cart| self.leaves(cart, table, old))
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

    /// Whether a row of this key was deleted before: rows that hung below it went with it for us, and
    /// are still there unless a foreign key took them.
    fn returns(&mut self, table: usize, cells: &[Cell]) -> bool {
        self.parent(table, cells)
            .is_some_and(|row| self.deleted.pop(&row).is_some())
            && !switch::mutant(Mutant::ReturnsAlone)
    }

    /// The row, if others may hang below it.
    fn parent(&self, table: usize, cells: &[Cell]) -> Option<Question> {
        match table == Layout::HEADER || self.is_parent[table] {
            true => self.row(table, cells),
            false => None,
        }
    }

    /// The row by its key.
    fn row(&self, table: usize, cells: &[Cell]) -> Option<Question> {
        let this = &self.layout.tables[table];
        let key = this.cart_key(cells, &this.key)?;
        Some(Question { table, key })
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
        if self.returns(table, &new) {
            routing
                .returned
                .extend([&from, &to].into_iter().flatten().cloned());
        }
        let from = match (from, &to) {
            (None, Some(to)) => self.left_another(table, &new, to),
            (from, _) => from,
        };
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
            (Some(cart), None) => Some(self.leaves(cart, table, old)),
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

    /// The row goes, or is nobody's from now on.
    fn leaves(&mut self, cart: CartKey, table: usize, old: Cells) -> Action {
        if let Some(row) = self.wanderer(table, &old) {
            self.left.put(row, cart.clone());
        }
        Action::Remove { cart, table, old }
    }

    /// The cart that a row has left before it came to another one: that is a move too, for its target
    /// row is the first cart's until that has let it go, and each has a lane of its own.
    fn left_another(&mut self, table: usize, new: &[Cell], to: &CartKey) -> Option<CartKey> {
        if self.left.is_empty() {
            return None;
        }
        let row = self.wanderer(table, new)?;
        let from = self.left.pop(&row)?;
        (from != *to).then_some(from)
    }

    /// A row that is the same in every cart: not one that its cart's name tells from another cart's,
    /// as the first line of each.
    fn wanderer(&self, table: usize, cells: &[Cell]) -> Option<Question> {
        let owners = self.owner_columns(table);
        let key = &self.layout.tables[table].key;
        let named =
            key.iter().any(|k| owners.contains(k)) && !switch::mutant(Mutant::NamesakesMove);
        match table == Layout::HEADER || named {
            true => None,
            false => self
                .row_beside_cart(table, cells)
                .map(|key| Question { table, key }),
        }
    }

    fn place(&mut self, table: usize, cells: &[Cell], routing: &mut Routing) -> Option<CartKey> {
        self.remember(table, cells);
        match self.owner(table, cells) {
            Owner::Cart(cart) => Some(cart),
            Owner::Nobody => None,
            Owner::Ask(question) => {
                routing.questions.push(question);
                None
            }
        }
    }

    /// The cart at the end of the way up from row to row, of which no step may be missing.
    fn owner(&mut self, table: usize, cells: &[Cell]) -> Owner {
        let parent = match self.above(table, cells) {
            Above::Nothing => return Owner::Nobody,
            Above::Cart(cart) => return Owner::Cart(cart),
            Above::Row(parent) => parent,
        };
        let mut higher = None;
        for _ in 1..LEVELS {
            let Some(noted) = self.above.get(higher.as_ref().unwrap_or(&parent)) else {
                break;
            };
            match &noted.above {
                Above::Nothing => return Owner::Nobody,
                Above::Cart(cart) => return Owner::Cart(cart.clone()),
                Above::Row(row) => higher = Some(row.clone()),
            }
        }
        Owner::Ask(parent)
    }

    /// What the row hangs below, by its own columns.
    fn above(&self, table: usize, cells: &[Cell]) -> Above {
        let this = &self.layout.tables[table];
        let Some(key) = this.cart_key(cells, self.owner_columns(table)) else {
            return Above::Nothing;
        };
        match (&this.cart, &this.parent) {
            (Some(_), _) | (None, Some((Layout::HEADER, _))) => Above::Cart(key),
            (None, Some((table, _))) => Above::Row(Question { table: *table, key }),
            (None, None) => Above::Nothing,
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

    /// Takes note of what a row hangs below, if others may hang below it.
    fn remember(&mut self, table: usize, cells: &[Cell]) {
        if self.is_parent[table]
            && let Some(row) = self.row(table, cells)
        {
            self.note(row, cells);
        }
    }

    fn note(&mut self, row: Question, cells: &[Cell]) {
        let owners = self.owner_columns(row.table);
        if owners.iter().any(|&i| cells[i] == Cell::Missing) {
            self.above.pop(&row);
            return;
        }
        self.notes += 1;
        let noted = Noted {
            above: self.above(row.table, cells),
            number: self.notes,
        };
        self.above.put(row, noted);
    }
}

//! Which cart a row change belongs to.
//!
//! A row names its cart by a column, or through its parent. Owners of parents are learned from the
//! log as it passes and kept in a bounded cache. What the cache does not know becomes a
//! [`Question`] for the source; since the source answers for today and the change is of yesterday,
//! an answer may only cause a refresh of the cart that it names, never route the change.

mod action;
mod moves;

use std::num::NonZeroUsize;
use std::sync::Arc;

use lru::LruCache;

use super::image::{Cell, Cells, Image};
use super::key::CartKey;
use super::layout::Layout;
use crate::source::change::{Change, Op};
use crate::switch::{self, Mutant};
pub use action::{Action, Routed, Wish};

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
#[derive(Clone)]
enum Above {
    Cart(CartKey),
    Row(Question),
}

/// Rows one above the other, at most: a row of a table that is its own parent may hang below itself.
const LEVELS: usize = 100;

/// Finds owners, and remembers what parents hang below.
pub struct Router {
    layout: Arc<Layout>,
    is_parent: Vec<bool>,
    above: LruCache<Question, Above>,
    /// Parents that were deleted lately.
    deleted: LruCache<Question, ()>,
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
            deleted: LruCache::new(remembered),
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
            self.remember(table, cells);
        }
    }

    /// Takes note again of what these changes gave, after a read that may be older.
    pub fn learn_again(&mut self, changes: &[Routed]) {
        for change in changes {
            let (Action::Put { table, new, .. } | Action::Move { table, new, .. }) = &change.action
            else {
                continue;
            };
            self.remember(*table, new);
        }
    }

    /// Takes note of the rows of a cart that was read whole.
    pub fn learn_image(&mut self, image: &Image) {
        for (table, rows) in image.tables.iter().enumerate() {
            for row in rows {
                self.remember(table, &row.cells);
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
                placed.map(|cart| Action::Put {
                    cart,
                    table,
                    old: None,
                    new,
                    insert: true,
                })
            }
            Op::Delete { old } => {
                self.require(table, &old)?;
                if table != Layout::HEADER
                    && let Some(row) = self.parent(table, &old)
                {
                    self.deleted.put(row, ());
                }
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
            None => return Owner::Nobody,
            Some(Above::Cart(cart)) => return Owner::Cart(cart),
            Some(Above::Row(parent)) => parent,
        };
        let mut step = Some(Above::Row(parent.clone()));
        for _ in 0..LEVELS {
            match step {
                None => break,
                Some(Above::Cart(cart)) => return Owner::Cart(cart),
                Some(Above::Row(row)) => step = self.above.get(&row).cloned(),
            }
        }
        Owner::Ask(parent)
    }

    /// What the row hangs below, by its own columns.
    fn above(&self, table: usize, cells: &[Cell]) -> Option<Above> {
        let this = &self.layout.tables[table];
        if let Some(columns) = &this.cart {
            return this.cart_key(cells, columns).map(Above::Cart);
        }
        let (table, by) = this.parent.as_ref()?;
        let key = this.cart_key(cells, by)?;
        Some(match *table {
            Layout::HEADER => Above::Cart(key),
            table => Above::Row(Question { table, key }),
        })
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
        if !self.is_parent[table] {
            return;
        }
        let Some(row) = self.row(table, cells) else {
            return;
        };
        match self.above(table, cells) {
            Some(above) => self.above.put(row, above),
            None => self.above.pop(&row),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cart::layout::{Column, Table};
    use crate::sqltype::SqlType;

    const LINE: usize = 1;
    const OPTION: usize = 2;
    const FILE: usize = 3;

    /// Files of options of lines of carts; each has a key, and names what it hangs below.
    fn router() -> Router {
        let table = |alias: &str, cart: Option<usize>, parent: Option<usize>| Table {
            alias: alias.into(),
            schema: "public".into(),
            name: alias.into(),
            columns: ["id", "above"]
                .map(|name| Column {
                    name: name.into(),
                    ty: SqlType::parse("integer"),
                    not_null: false,
                    bytewise: false,
                })
                .into(),
            key: vec![0],
            cart: cart.map(|column| vec![column]),
            parent: parent.map(|table| (table, vec![1])),
        };
        let tables = vec![
            table("cart", Some(0), None),
            table("line", Some(1), None),
            table("option", None, Some(LINE)),
            table("file", None, Some(OPTION)),
        ];
        let remembered = NonZeroUsize::new(100).unwrap_or(NonZeroUsize::MIN);
        Router::new(Arc::new(Layout { tables }), remembered, true)
    }

    fn row(id: &str, above: &str) -> Cells {
        Box::new([Cell::Text(id.into()), Cell::Text(above.into())])
    }

    fn insert(router: &mut Router, table: usize, id: &str, above: &str) -> Routing {
        let new = row(id, above);
        let op = Op::Insert { new };
        router.route(Change { table, op }).expect("traceable")
    }

    fn update(router: &mut Router, table: usize, id: &str, above: [&str; 2]) -> Routing {
        let [old, new] = above.map(|above| row(id, above));
        let old = Some(old);
        let op = Op::Update { old, new };
        router.route(Change { table, op }).expect("traceable")
    }

    fn carts(routing: &Routing) -> Vec<String> {
        let action = routing.action.iter();
        action
            .flat_map(Action::carts)
            .map(CartKey::to_string)
            .collect()
    }

    #[test]
    fn what_hangs_below_a_row_that_moved_has_moved() {
        let mut router = router();
        insert(&mut router, LINE, "1", "A");
        insert(&mut router, OPTION, "2", "1");
        assert_eq!(carts(&insert(&mut router, FILE, "3", "2")), ["A"]);
        assert_eq!(
            carts(&update(&mut router, LINE, "1", ["A", "B"])),
            ["A", "B"]
        );
        assert_eq!(carts(&update(&mut router, FILE, "3", ["2", "2"])), ["B"]);
        // An option that goes to a line of which nothing is known has no cart until somebody says.
        assert_eq!(carts(&update(&mut router, OPTION, "2", ["1", "9"])), ["B"]);
        let unknown = insert(&mut router, FILE, "4", "2");
        assert_eq!((carts(&unknown).len(), unknown.questions.len()), (0, 1));
        insert(&mut router, LINE, "9", "C");
        assert_eq!(carts(&update(&mut router, FILE, "3", ["2", "2"])), ["C"]);
    }

    #[test]
    fn rows_in_a_circle_have_no_cart() {
        let mut router = router();
        let mut tables = router.layout.tables.clone();
        tables[LINE].cart = None;
        tables[LINE].parent = Some((LINE, vec![1]));
        router = Router::new(Arc::new(Layout { tables }), router.above.cap(), true);
        insert(&mut router, LINE, "1", "2");
        let circle = insert(&mut router, LINE, "2", "1");
        assert_eq!((carts(&circle).len(), circle.questions.len()), (0, 1));
    }
}

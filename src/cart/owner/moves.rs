//! Moves that the log tells as a delete and an insert.

use std::collections::HashMap;

use super::Router;
use crate::cart::image::Cell;
use crate::cart::key::CartKey;
use crate::cart::layout::Layout;
use crate::source::change::{Change, Op};
use crate::switch::{self, Mutant};

impl Router {
    /// Turns a row's delete from one cart and its insert into another, in one transaction, into the
    /// move that they are: an UPDATE that crosses partitions is logged so. The row is the same where
    /// the columns of its key that do not name the cart are. A header that is deleted and inserted
    /// under its key has changed.
    pub fn join_moves(&mut self, changes: &mut Vec<(u32, Change)>) {
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
                self.joined(change.table, &new);
                changes[at].1.op = Op::Update { old, new };
                joined[from] = true;
            }
        }
        let mut joined = joined.into_iter();
        changes.retain(|_| joined.next() != Some(true));
    }

    /// Takes note of a row that was deleted and inserted again. Where the log does not tell what foreign
    /// keys did in between, what hung below it has moved along or is gone.
    pub fn joined(&mut self, table: usize, new: &[Cell]) {
        if self.tells_cascades || switch::mutant(Mutant::ReplacedIsMoved) {
            return;
        }
        if let Some(row) = self.parent(table, new) {
            self.deleted.put(row, ());
        }
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
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroUsize;
    use std::sync::Arc;

    use super::*;
    use crate::cart::image::Cells;
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
        Router::new(Arc::new(Layout { tables }), NonZeroUsize::MIN, true)
    }

    fn line(cart: &str, id: &str) -> Cells {
        Arc::new([Cell::Text(cart.into()), Cell::Text(id.into())])
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

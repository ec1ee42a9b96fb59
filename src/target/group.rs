//! Which rows are written by one statement, and in which order.

use super::shape::{Kind, Shape};
use super::tables::Tables;
use crate::mapping::difference::{Patch, RowWrite};
use crate::switch::{self, Mutant};

/// Rows that one statement writes, each with its place: patch, and write in the patch.
pub(super) struct Group<'a> {
    pub shape: Shape,
    pub rows: Vec<((usize, usize), &'a RowWrite)>,
}

/// Groups the writes by shape, in an order that foreign keys allow: deletes first, children before
/// parents, then the rest, parents before children. Where rows moved between carts, parents are
/// deleted last, lest a cascade takes what has moved away.
pub(super) fn group<'a>(patches: &[&'a Patch], tables: &Tables) -> Vec<Group<'a>> {
    let mut groups: Vec<Group<'a>> = Vec::new();
    for (p, patch) in patches.iter().enumerate() {
        for (w, write) in patch.writes.iter().enumerate() {
            let shape = Shape::of(write);
            match groups.iter_mut().find(|g| g.shape.same(&shape)) {
                Some(group) => group.rows.push(((p, w), write)),
                None => groups.push(Group {
                    shape,
                    rows: vec![((p, w), write)],
                }),
            }
        }
    }
    let moves = patches.iter().any(|p| p.moves);
    groups.sort_by_key(|g| {
        let rank = tables.rank(&g.shape.into) as isize;
        match g.shape.kind {
            Kind::Delete if moves => (2, -rank, g.shape.kind),
            Kind::Delete => (0, -rank, g.shape.kind),
            kind => (1, rank, kind),
        }
    });
    groups
}

/// Rows that are written or deleted, not only looked at.
pub(super) fn rows_applied(groups: &[Group<'_>]) -> i64 {
    let written = groups.iter().filter(|g| g.shape.kind != Kind::Check);
    let rows: usize = written.map(|g| g.rows.len()).sum();
    i64::try_from(rows).unwrap_or(i64::MAX)
}

/// Whether triggers of any written table may change what these statements wrote: one of a line may
/// write its header.
pub(super) fn has_triggers(groups: &[Group<'_>], tables: &Tables) -> bool {
    let has = |group: &Group<'_>| tables.has_triggers(&group.shape.into);
    groups.iter().any(has) && !switch::mutant(Mutant::TokensBeforeTriggers)
}

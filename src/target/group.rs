//! Which rows are written by one statement, and in which order.

use std::collections::HashSet;

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
/// deleted last, lest a cascade takes what has moved away; so are rows that others may have referred
/// to until they are written.
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
    let late = let_go(&groups, tables);
    groups.sort_by_key(|g| {
        let rank = tables.rank(&g.shape.into) as isize;
        match g.shape.kind {
            Kind::Delete if moves || late.contains(&name(&g.shape)) => (2, -rank, g.shape.kind),
            Kind::Delete => (0, -rank, g.shape.kind),
            kind => (1, rank, kind),
        }
    });
    groups
}

fn name(shape: &Shape) -> (String, String) {
    (shape.into.schema.clone(), shape.into.table.clone())
}

/// Tables whose rows are deleted after rows are written that let go of them, with what these tables'
/// rows refer to themselves.
fn let_go(groups: &[Group<'_>], tables: &Tables) -> HashSet<(String, String)> {
    let owned = |(schema, table): (&str, &str)| (schema.to_owned(), table.to_owned());
    let writes = groups.iter().filter(|g| g.shape.kind == Kind::Update);
    let mut late: HashSet<(String, String)> = writes
        .flat_map(|g| tables.lets_go(&g.shape))
        .map(owned)
        .collect();
    if switch::mutant(Mutant::DeletesFirst) {
        late.clear();
    }
    loop {
        let deletes = groups.iter().filter(|g| g.shape.kind == Kind::Delete);
        let deleted = deletes.filter(|g| late.contains(&name(&g.shape)));
        let above: Vec<_> = deleted
            .flat_map(|g| tables.above(&g.shape.into))
            .map(owned)
            .filter(|table| !late.contains(table))
            .collect();
        if above.is_empty() {
            return late;
        }
        late.extend(above);
    }
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

#[cfg(test)]
mod tests;

//! What a value depends on, so that it is not made again where nothing of that has changed.

use super::plan::{Node, Place, Plan};
use crate::cart::image::{Image, Row};
use crate::cart::layout::Layout;

#[derive(Clone, Debug, Default)]
pub struct Depends {
    /// Columns of the row itself.
    own: Vec<usize>,
    /// Columns of the header.
    header: Vec<usize>,
    /// Tables of which any row may count.
    tables: Vec<usize>,
    /// The moment of the row's last change.
    stamp: bool,
    /// What a lookup has answered.
    answers: bool,
}

/// A row before and after, in its image.
pub struct Pair<'a> {
    pub before: (&'a Image, &'a Row),
    pub after: (&'a Image, &'a Row),
    /// By table: whether any of its rows came, went or changed.
    pub changed: &'a [bool],
}

impl Depends {
    pub(super) fn of(plan: &Plan, layout: &Layout, per: usize) -> Self {
        let mut depends = Self::default();
        plan.walk(&mut |plan| match &plan.node {
            Node::Column {
                place,
                table,
                column,
            } => match place {
                Place::Row => depends.own.push(*column),
                Place::Header => depends.header.push(*column),
                Place::Parent | Place::Only | Place::Item => depends.tables.push(*table),
            },
            Node::Aggregate(aggregate) => depends.tables.push(aggregate.table),
            Node::Lookup(_) => depends.answers = true,
            Node::Item { .. } => depends.tables.push(per),
            Node::Call { function, .. } => depends.stamp |= function.name == "commit_time",
            _ => {}
        });
        if !depends.tables.is_empty() {
            // By these columns the other rows are found.
            let this = &layout.tables[per];
            depends.own.extend(&this.key);
            depends
                .own
                .extend(this.parent.iter().flat_map(|(_, by)| by));
        }
        for list in [&mut depends.own, &mut depends.header, &mut depends.tables] {
            list.sort_unstable();
            list.dedup();
        }
        depends
    }

    /// Whether it names the moment of the row's last change.
    pub fn on_stamp(&self) -> bool {
        self.stamp
    }

    /// Whether the value is the same for the row after as for the row before.
    pub fn unchanged(&self, pair: &Pair<'_>) -> bool {
        let same = |columns: &[usize], before: &Row, after: &Row| {
            let differs = |&c: &usize| before.cells.get(c) != after.cells.get(c);
            std::sync::Arc::ptr_eq(&before.cells, &after.cells) || !columns.iter().any(differs)
        };
        let ((old_image, before), (new_image, after)) = (pair.before, pair.after);
        let headers = || match (old_image.header(), new_image.header()) {
            (Some(before), Some(after)) => same(&self.header, before, after),
            (before, after) => before.is_none() && after.is_none(),
        };
        let changed = |&table: &usize| pair.changed.get(table) != Some(&false);
        (!self.stamp || before.stamp == after.stamp)
            && (!self.answers || old_image.answers == new_image.answers)
            && same(&self.own, before, after)
            && (self.header.is_empty() || headers())
            && !self.tables.iter().any(changed)
    }
}

//! A cart as it was mapped last: what has not changed since is not evaluated again.

use std::sync::Arc;

use super::expr::{Expr, Pair};
use super::map::TargetRow;
use crate::cart::image::{Image, Life, Row};
use crate::cart::layout::Layout;

/// What a cart was, and its target rows.
#[derive(Clone, Copy, Debug)]
pub struct Before<'a> {
    pub image: &'a Image,
    pub rows: &'a [TargetRow],
    /// The mapping in force gave these rows of this image.
    pub current: bool,
}

/// A cart as it was, beside its image now.
pub(super) struct Former<'a> {
    before: Before<'a>,
    layout: &'a Layout,
    /// By table: whether any of its rows came, went or changed.
    changed: Vec<bool>,
    /// The target row of each source row: by `[[into]]` and place in its table.
    by_origin: Vec<Vec<Option<&'a TargetRow>>>,
}

impl<'a> Former<'a> {
    /// None where nothing can be taken over.
    pub fn of(layout: &'a Layout, before: Before<'a>, now: &Image) -> Option<Self> {
        if !before.current || before.image.life != Life::Live {
            return None;
        }
        let same = |a: &Row, b: &Row| Arc::ptr_eq(&a.cells, &b.cells) || a.cells == b.cells;
        let tables = before.image.tables.iter().zip(&now.tables);
        let changed = tables
            .map(|(a, b)| a.len() != b.len() || !a.iter().zip(b).all(|(a, b)| same(a, b)))
            .collect();
        let mut by_origin: Vec<Vec<Option<&TargetRow>>> = Vec::new();
        for row in before.rows {
            let Some((_, at)) = row.origin else { continue };
            if by_origin.len() <= row.into {
                by_origin.resize(row.into + 1, Vec::new());
            }
            let places = &mut by_origin[row.into];
            if places.len() <= at {
                places.resize(at + 1, None);
            }
            places[at] = Some(row);
        }
        Some(Self {
            before,
            layout,
            changed,
            by_origin,
        })
    }

    /// The target row of an `[[into]]` that the source row of this key had.
    pub fn row<'s>(
        &'s self,
        into: usize,
        table: usize,
        at: usize,
        image: &'s Image,
        row: &'s Row,
    ) -> Option<FormerRow<'s>> {
        let rows = self.before.image.tables.get(table)?;
        let order = &self.layout.tables[table];
        let is = |other: &Row| order.compare_keys(&other.cells, &row.cells);
        // Mostly at the same place.
        let at = match rows.get(at) {
            Some(other) if is(other).is_eq() => at,
            _ => rows.binary_search_by(is).ok()?,
        };
        let target = (*self.by_origin.get(into)?.get(at)?)?;
        let pair = Pair {
            before: (self.before.image, &rows[at]),
            after: (image, row),
            changed: &self.changed,
        };
        Some(FormerRow { pair, target })
    }
}

/// A source row before and after, with the target row that it had.
pub(super) struct FormerRow<'a> {
    pair: Pair<'a>,
    pub target: &'a TargetRow,
}

impl<'a> FormerRow<'a> {
    /// Another row of the same image, with the target row that it has been given: an expression that
    /// reads the same of both has one value. What reads other rows finds them by the key, which is
    /// another one.
    pub fn beside(target: &'a TargetRow, image: &'a Image, row: &'a Row) -> Option<Self> {
        let (table, at) = target.origin?;
        let other = image.tables.get(table)?.get(at)?;
        let pair = Pair {
            before: (image, other),
            after: (image, row),
            changed: &[],
        };
        Some(Self { pair, target })
    }

    /// Whether the expression has the same value now.
    pub fn still(&self, expr: &Expr) -> bool {
        expr.depends().unchanged(&self.pair)
    }
}

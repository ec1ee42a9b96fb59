//! When each side wrote: the source by `changed_at`, the target by its own clock.
//!
//! The target's clock is the lock column where that is one, else the column that holds `changed_at`.
//! Either is a time of the new backend's only where it is not as cartage left it. A row without such
//! a column has that of its header, and so has a row that is gone.

use std::cmp::Ordering;

use super::slot::{Slot, Slots};
use crate::cart::image::Cell;
use crate::cart::layout::Layout;
use crate::mapping::expr::{Zone, parse_timestamp, to_utc};
use crate::mapping::plan::{Into, Lock, Mapping, Role};
use crate::sqltype::Class;

/// Which side wrote later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Later {
    Source,
    Target,
    /// At the same time.
    Tie,
}

impl Later {
    /// Where one of them is not known, the source's change counts as the later: it is seen last.
    pub fn between(source: Option<i64>, target: Option<i64>) -> Self {
        match (source, target) {
            (Some(source), Some(target)) => match source.cmp(&target) {
                Ordering::Less => Self::Target,
                Ordering::Equal => Self::Tie,
                Ordering::Greater => Self::Source,
            },
            _ => Self::Source,
        }
    }

    /// `Less` where the target's value is taken. Of one time the greater value is, so that both
    /// directions take the same.
    pub fn of<T: Ord>(self, ours: &T, theirs: &T) -> Ordering {
        match self {
            Self::Source => Ordering::Greater,
            Self::Target => Ordering::Less,
            Self::Tie => ours.cmp(theirs),
        }
    }
}

/// When the new backend last wrote a row of this cart.
pub(super) fn of_row(mapping: &Mapping, slots: &Slots<'_>, slot: &Slot<'_>) -> Option<i64> {
    let own = written(mapping, slot);
    own.or_else(|| {
        let header = |other: &&Slot<'_>| {
            mapping.intos[other.into].role == Role::Header && other.part == slot.part
        };
        let mut headers = slots.all.values().filter(header);
        headers.find_map(|header| written(mapping, header))
    })
}

/// The same of this row alone.
pub(super) fn written(mapping: &Mapping, slot: &Slot<'_>) -> Option<i64> {
    let theirs = slot.theirs?;
    let into = &mapping.intos[slot.into];
    let before = slot.kept.and_then(|kept| kept.time);
    let (text, left) = match &into.lock {
        Lock::Clock(_) => (theirs.token.as_deref(), slot.token()),
        _ => {
            let column = changed_at(mapping, into)?;
            let left = slot.left().and_then(|cells| cells[column].text());
            (theirs.cells[column].text(), left)
        }
    };
    match text {
        Some(text) if Some(text) != left => moment(text, chrono_tz::UTC).or(before),
        _ => before,
    }
}

/// The column that holds the source's `changed_at` and nothing else.
fn changed_at(mapping: &Mapping, into: &Into) -> Option<usize> {
    let at = mapping.changed_at?;
    into.columns.iter().position(|column| {
        let is_time = matches!(column.ty.class, Class::Timestamp | Class::TimestampTz);
        let expr = column.expr.as_ref();
        is_time && !column.once && expr.is_some_and(|expr| expr.is_column(Layout::HEADER, at))
    })
}

/// Microseconds since 1970 UTC.
pub(super) fn moment(text: &str, zoneless: chrono_tz::Tz) -> Option<i64> {
    let (micros, zone) = parse_timestamp(text)?;
    match zone {
        Zone::None => to_utc(micros, zoneless),
        Zone::Offset(seconds) => micros.checked_sub(seconds.checked_mul(1_000_000)?),
        Zone::Named(zone) => to_utc(micros, zone),
    }
}

/// When the source last changed a cart, by its `changed_at`.
pub fn of_cell(mapping: &Mapping, cell: &Cell) -> Option<i64> {
    moment(cell.text()?, mapping.time_zone)
}

//! A cart's image: its source rows as of a position, reduced to what the mapping reads.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use super::answers::Answers;
use super::layout::Layout;

/// One value of a row. NULL and "the log did not carry it" are different things.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Cell {
    Null,
    /// Not in the log record: unchanged TOAST, or a column outside the replica identity.
    Missing,
    /// The type's own text form (ISO dates, UTC, hex bytea, shortest floats).
    /// Shared by the images, rows and parameters that hold the value, unless it is short.
    Text(SmolStr),
}

impl Cell {
    pub fn text(&self) -> Option<&str> {
        match self {
            Cell::Text(t) => Some(t),
            _ => None,
        }
    }
}

/// The values of a row in the order of its [`Layout`] table.
pub type Cells = Arc<[Cell]>;

/// Values that are made where they stay: a list that becomes shared would be copied. What `fill` leaves
/// out is missing.
pub fn made<E>(width: usize, fill: impl FnOnce(&mut [Cell]) -> Result<(), E>) -> Result<Cells, E> {
    let mut cells: Cells = std::iter::repeat_n(Cell::Missing, width).collect();
    // Nobody else has it yet.
    if let Some(cells) = Arc::get_mut(&mut cells) {
        fill(cells)?;
    }
    Ok(cells)
}

/// About how many bytes a row's values take in memory, allocations included.
pub fn footprint(cells: &[Cell]) -> usize {
    const ALLOCATION: usize = 16;
    let text = |cell: &Cell| match cell {
        Cell::Text(text) if text.is_heap_allocated() => text.len() + 2 * ALLOCATION,
        _ => 0,
    };
    ALLOCATION + size_of_val(cells) + cells.iter().map(text).sum::<usize>()
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    pub cells: Cells,
    /// Commit time of the change that last altered a mapped value, microseconds since 1970 UTC.
    pub stamp: i64,
}

/// Where a cart stands in its life in the source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Life {
    Live,
    /// `live` turned false.
    Ended {
        stamp: i64,
    },
    /// The header was deleted.
    Deleted {
        stamp: i64,
    },
}

/// A target row whose source is gone, and that `deleted` or `ended` kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ghost {
    /// Index of its `[[into]]`.
    pub into: usize,
    pub key: Arc<[Box<str>]>,
    /// What the target row holds, in the order of the `[[into]]`'s columns.
    pub cells: Cells,
    /// When it became one.
    pub stamp: i64,
}

/// When an element of a payload was last changed, where that is not when its row was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moment {
    /// Index of its `[[into]]`.
    pub into: usize,
    /// The key of its target row.
    pub key: Arc<[Box<str>]>,
    pub stamp: i64,
}

/// All source rows of one cart, and the ghosts that it left in the target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    pub life: Life,
    /// Rows by table of the layout, each sorted by key.
    pub tables: Box<[Vec<Row>]>,
    pub ghosts: Vec<Ghost>,
    /// Sorted by `[[into]]` and key.
    pub moments: Vec<Moment>,
    /// Of the lookups that the mapping calls for it.
    pub answers: Answers,
}

impl Image {
    pub fn empty(layout: &Layout) -> Self {
        Self {
            life: Life::Live,
            tables: layout.tables.iter().map(|_| Vec::new()).collect(),
            ghosts: Vec::new(),
            moments: Vec::new(),
            answers: Answers::default(),
        }
    }

    /// About how many bytes it takes in memory.
    pub fn footprint(&self) -> usize {
        let rows = self.tables.iter().flatten().map(|row| &row.cells);
        let ghosts = self.ghosts.iter().map(|ghost| &ghost.cells);
        let each = |cells: &Cells| size_of::<Row>() + footprint(cells);
        let cells = rows.chain(ghosts).map(each).sum::<usize>();
        size_of::<Self>() + cells + self.answers.footprint()
    }

    /// When this element was last changed, if that is not when its row was.
    pub fn moment(&self, into: usize, key: &Arc<[Box<str>]>) -> Option<i64> {
        let order = |m: &Moment| (m.into, &m.key).cmp(&(into, key));
        let at = self.moments.binary_search_by(order).ok()?;
        Some(self.moments[at].stamp)
    }

    pub fn header(&self) -> Option<&Row> {
        self.tables.first()?.first()
    }
}

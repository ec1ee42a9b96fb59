//! When a target row belongs to the new backend: `closed` holds, and not by what cartage itself wrote
//! there, as when it ended the cart (protocol rule 21).
//!
//! Of the columns that `closed` names some may be ours: what cartage left in them is known, and any
//! other value there is the new backend's. The others are never written by cartage, so it is the new
//! backend's doing where they are what makes the condition true.

use crate::cart::image::Cell;
use crate::mapping::plan::{Closed, Into};
use crate::switch::{self, Mutant};

use super::found::Found;

/// The condition, as far as writes are guarded by it.
pub fn guards(into: &Into) -> Option<&Closed> {
    into.closed
        .as_ref()
        .filter(|_| !switch::mutant(Mutant::ClosedUnseen))
}

/// The columns of `closed` that cartage writes: indices into the columns of the `[[into]]`.
pub fn ours<'a>(into: &'a Into) -> impl Iterator<Item = usize> + 'a {
    let named = |name: &String| {
        into.closed
            .as_ref()
            .is_some_and(|c| c.columns.contains(name))
    };
    (0..into.columns.len()).filter(move |&i| !into.columns[i].once && named(&into.columns[i].name))
}

/// Whether the columns that are ours are as cartage left them.
pub fn as_left(into: &Into, left: &[Cell], row: &Found) -> bool {
    ours(into).all(|i| row.holds(i, &left[i]))
}

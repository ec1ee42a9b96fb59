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
use super::statement::quote;

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

/// The condition over `t` that columns which are not ours make a row closed, given that ours hold
/// what cartage left there. None where all are ours.
pub fn by_others(into: &Into) -> Option<String> {
    let closed = into.closed.as_ref()?;
    let is_ours = |name: &String| ours(into).any(|i| &into.columns[i].name == name);
    if switch::mutant(Mutant::ClosedIsClosed) || !closed.columns.iter().any(is_ours) {
        return Some(closed.sql.clone());
    }
    if closed.columns.iter().all(is_ours) {
        return None;
    }
    // They close it alone, or it would not be closed without them.
    let alone = without(closed, is_ours);
    let rest = without(closed, |name| !is_ours(name));
    Some(format!(
        "coalesce({alone}, false) OR ({}) AND NOT coalesce({rest}, false)",
        closed.sql
    ))
}

/// The condition as if these columns were null.
fn without(closed: &Closed, blank: impl Fn(&String) -> bool) -> String {
    let columns: Vec<String> = closed
        .columns
        .iter()
        .map(|name| {
            let column = quote(name);
            match blank(name) {
                true => format!("CASE WHEN false THEN t.{column} END AS {column}"),
                false => format!("t.{column}"),
            }
        })
        .collect();
    format!(
        "(SELECT {} FROM (SELECT {}) AS t)",
        closed.sql,
        columns.join(", ")
    )
}

/// Whether the columns that are ours are as cartage left them.
pub fn as_left(into: &Into, left: &[Cell], row: &Found) -> bool {
    ours(into).all(|i| row.holds(i, &left[i]))
}

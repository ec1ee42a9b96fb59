//! What closes a row, in Postgres' SQL.

use super::statement::quote;
use crate::mapping::plan::{Closed, Into};
use crate::switch::{self, Mutant};
use crate::target::closed::ours;

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

//! Whether storefronts find each cart by its token, and that one alone.

use super::super::report::{Difference, Kind};
use super::Subject;
use crate::config::beyond::Token;
use crate::mapping::map::TargetRow;
use crate::mapping::plan::{Into, Mapping};
use crate::target::beside::{self, Wanted};
use crate::target::error::TargetError;
use crate::target::seen::{Seen, Sights};
use crate::target::session::Target;

/// What the row has in the column, key columns included.
fn value<'r>(into: &Into, row: &'r TargetRow, column: &str) -> Option<&'r str> {
    let key = into.key.iter().position(|key| key.name == column);
    let cell = into.columns.iter().position(|c| c.name == column);
    match (key, cell) {
        (Some(at), _) => row.key.get(at).map(|part| &**part),
        (None, Some(at)) => row.cells.get(at).and_then(|cell| cell.text()),
        (None, None) => None,
    }
}

/// A row whose token is looked for.
struct Asked<'a> {
    /// Place of its cart.
    at: usize,
    row: &'a TargetRow,
    is_there: bool,
    token: &'a str,
}

pub(super) async fn look(
    target: &Target,
    mapping: &Mapping,
    tokens: &[Token],
    subjects: &[Subject<'_>],
    sights: &Sights,
    found: &mut [Vec<Difference>],
) -> Result<(), TargetError> {
    for token in tokens {
        for &index in &token.intos {
            let Some(into) = mapping.intos.get(index) else {
                continue;
            };
            let column = token.column.as_str();
            // A cart that is not there at all is missing, and its token with it.
            let living = subjects
                .iter()
                .enumerate()
                .filter(|(_, s)| s.header.is_some());
            let asked: Vec<Asked<'_>> = living
                .flat_map(|(at, subject)| {
                    let seen = sights.cart(at);
                    let rows = subject.rows.iter().enumerate();
                    rows.map(move |(nth, row)| (at, row, seen.get(nth)))
                })
                .filter(|(_, row, _)| row.into == index && row.origin.is_some())
                .filter_map(|(at, row, seen)| {
                    Some(Asked {
                        at,
                        row,
                        is_there: seen.is_some_and(Seen::is_there),
                        token: value(into, row, column)?,
                    })
                })
                .collect();
            let wanted = Wanted {
                into,
                columns: vec![column],
                values: asked.iter().map(|asked| vec![asked.token]).collect(),
            };
            let keys: Vec<&str> = into.key.iter().map(|key| key.name.as_str()).collect();
            let there = beside::rows(target, &wanted, &keys).await?;
            let ours: Vec<_> = asked.iter().map(|asked| &asked.row.key).collect();
            let ours = beside::normal(target, into, &ours).await?;
            let mut own = vec![false; asked.len()];
            let mut others = vec![Vec::new(); asked.len()];
            for row in there {
                let key = row
                    .texts
                    .iter()
                    .map(|text| text.as_deref().unwrap_or_default());
                let key = into.normal(key);
                match ours.get(row.nth) {
                    Some(ours) if *ours == key => own[row.nth] = true,
                    Some(_) => others[row.nth].push(key),
                    None => {}
                }
            }
            for (nth, asked) in asked.iter().enumerate() {
                let (row, subject) = (asked.row, &subjects[asked.at]);
                let other = others[nth].first();
                let kind = match (own[nth], other) {
                    (true, None) => continue,
                    (true, Some(_)) => Kind::TokenAmbiguous,
                    (false, Some(_)) => Kind::TokenElsewhere,
                    // A merge may have left another one.
                    (false, None) if subject.merged => continue,
                    (false, None) if !asked.is_there => continue,
                    (false, None) => Kind::TokenMissing,
                };
                let key = row.key.iter().map(|part| &**part);
                let mut told = Difference::of_key(kind, mapping, subject.cart, index, key);
                told.column = Some(column.to_owned());
                told.source = Some(asked.token.to_owned());
                told.target = other.map(|key| key.join("|"));
                found[asked.at].push(told);
            }
        }
    }
    Ok(())
}

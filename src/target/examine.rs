//! A guard did not match: what is in the target now, and what follows from it.

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::Arc;

use super::error::TargetError;
use super::found::{self, Ask, Found, FoundRows};
use super::ledger::Evidence;
use super::rivals::{self, Rivals};
use super::session::Target;
use super::shape::has_token;
use crate::cart::image::Cell;
use crate::mapping::difference::{Left, Patch, RowOp, RowWrite};
use crate::mapping::expr::Expr;
use crate::mapping::map::TargetRow;
use crate::mapping::plan::{Fate, Into, Lock, Mapping, Role};
use crate::merge::Kept;
use crate::switch::{self, Mutant};

/// One cart of the unit: its target rows as we left them, and as we want them.
#[derive(Clone, Copy, Debug)]
pub struct Part<'a> {
    pub left: &'a [Left],
    pub want: &'a [TargetRow],
    /// Rows that a merge has left other than they are in `left`.
    pub kept: &'a [Kept],
}

/// What the examination of a unit gave.
#[derive(Debug)]
pub enum Finding {
    /// Nothing that the new backend wrote is in the way: the patch, under the tokens found.
    Adopt(Patch),
    /// The new backend has deleted or finished these carts, by their places.
    Finished(Vec<(usize, Evidence)>),
    /// The new backend has written the same rows, or had before.
    Conflict {
        message: String,
        evidence: Evidence,
        found: FoundRows,
    },
}

/// All target rows of a unit: as they were left, as they are to be, and as a merge has left them.
pub fn rows<'a>(parts: &'a [Part<'a>]) -> Vec<Cow<'a, TargetRow>> {
    let left = parts.iter().flat_map(|p| p.left).map(|l| &l.row);
    let own = left.chain(parts.iter().flat_map(|p| p.want));
    let kept = parts.iter().flat_map(|p| p.kept).filter_map(kept_row);
    own.map(Cow::Borrowed).chain(kept.map(Cow::Owned)).collect()
}

/// Reads the target rows of a unit and compares them with what we left and what we want. Where the
/// source has ended the cart, this insists: an end wins over edits of an open cart.
pub async fn examine(
    target: &Target,
    mapping: &Mapping,
    parts: &[Part<'_>],
    patch: &Patch,
    ends: bool,
) -> Result<(Finding, Option<Evidence>), TargetError> {
    let insist = ends && !switch::mutant(Mutant::EndYields);
    let rows = rows(parts);
    let found = found::find(target, mapping, rows.iter().map(|row| &**row), Ask::State).await?;
    let rivals = rivals::find(target, patch).await?;
    let evidence = || evidence(mapping, parts, &found, &rivals);
    let finished = finished(mapping, parts, &found);
    if !finished.is_empty() {
        return Ok((Finding::Finished(finished), None));
    }
    let mut adopted = Patch {
        own: patch.own.clone(),
        moves: patch.moves,
        writes: Vec::new(),
    };
    let mut against = Vec::new();
    for (at, write) in patch.writes.iter().enumerate() {
        if write.index.is_none() {
            // Of a table that the mapping no longer has: its guard speaks for itself.
            adopted.writes.push(write.clone());
            continue;
        }
        let there = write.index.and_then(|i| found.get(&(i, write.key.clone())));
        let verdict = match there {
            None if rivals.contains_key(&at) => {
                Verdict::Against("the new backend put the same product into the cart".to_owned())
            }
            _ if !insist && counts_twice(write, there) => {
                Verdict::Against("the new backend changed the quantity too".to_owned())
            }
            _ => judge(write, there),
        };
        match verdict {
            Verdict::Write(write) => adopted.writes.push(write),
            Verdict::Done => {}
            Verdict::Against(what) => {
                against.push(format!("{}: {what}", write.into.full_name()));
                if insist && let Some(write) = overrule(write, there) {
                    adopted.writes.push(write);
                }
            }
        }
    }
    if !insist && !switch::mutant(Mutant::OthersUnseen) {
        let others = parts
            .iter()
            .flat_map(|part| others(mapping, part, patch, &found));
        against.extend(
            others.map(|into| format!("{}: the new backend changed other rows", into.full_name())),
        );
    }
    if insist {
        let folded = parts
            .iter()
            .flat_map(|part| end_folded(mapping, part, &found));
        for write in folded {
            against.push(format!("{}: a merged line", write.into.full_name()));
            adopted.writes.push(write);
        }
    }
    if against.is_empty() {
        return Ok((Finding::Adopt(adopted), None));
    }
    if insist {
        return Ok((Finding::Adopt(adopted), Some(evidence())));
    }
    against.sort();
    against.dedup();
    let evidence = evidence();
    let conflict = Finding::Conflict {
        message: against.join("; "),
        evidence,
        found,
    };
    Ok((conflict, None))
}

/// Tables with rows of a cart that the patch does not touch and the new backend has changed. If the
/// header's token were adopted without them, nothing would tell any more that it was the new backend:
/// often its version is the one that moves with each write to a line.
fn others<'m>(
    mapping: &'m Mapping,
    part: &Part<'_>,
    patch: &Patch,
    found: &FoundRows,
) -> Vec<&'m Arc<Into>> {
    let there = |row: &TargetRow| found.get(&(row.into, row.key.clone()));
    let into = |left: &Left| &mapping.intos[left.row.into];
    let moved = |left: &Left| {
        has_token(&into(left).lock) && there(&left.row).is_some_and(|row| row.token != left.token)
    };
    let is_header = |left: &&Left| into(left).role == Role::Header;
    let header_moved = part.left.iter().filter(is_header).any(moved);
    let written: HashSet<_> = patch
        .writes
        .iter()
        .filter_map(|write| Some((write.index?, &write.key)))
        .collect();
    let kept: HashSet<_> = part.kept.iter().map(|k| (k.into, &k.key)).collect();
    let changed = |left: &&Left| {
        let row = &left.row;
        let ours =
            row.origin.is_some() && !written.contains(&row.id()) && !kept.contains(&row.id());
        ours && (header_moved || moved(left))
            && there(row).is_none_or(|there| !differing(into(left), &row.cells, there).is_empty())
    };
    let mut tables: Vec<&Arc<Into>> = Vec::new();
    for left in part.left.iter().filter(changed) {
        let table = &mapping.intos[left.row.into];
        if !tables.iter().any(|known| Arc::ptr_eq(known, table)) {
            tables.push(table);
        }
    }
    tables
}

/// A line that a merge has folded into a row of the new backend's ends with that row.
fn end_folded(mapping: &Mapping, part: &Part<'_>, found: &FoundRows) -> Vec<RowWrite> {
    let left = part.left.iter().map(|left| &left.row);
    let ours: HashSet<_> = left.chain(part.want).map(TargetRow::id).collect();
    let end = |kept: &Kept| {
        let into = &mapping.intos[kept.into];
        let there = found.get(&(kept.into, kept.key.clone()))?;
        if ours.contains(&(kept.into, &kept.key)) || into.line.is_none() {
            return None;
        }
        let old = there.cells.clone();
        let ghost = |row: &&TargetRow| row.into == kept.into && row.origin.is_none();
        let op = match part.want.iter().find(ghost) {
            None => RowOp::Delete { old },
            Some(ghost) => {
                let mut new = old.clone();
                let set = Arc::make_mut(&mut new);
                for (column, _) in [&into.ended, &into.deleted].into_iter().flat_map(sets) {
                    set[*column] = ghost.cells[*column].clone();
                }
                let changed = differing(into, &new, there);
                if changed.is_empty() {
                    return None;
                }
                RowOp::Update { old, new, changed }
            }
        };
        Some(RowWrite {
            into: into.clone(),
            index: Some(kept.into),
            key: kept.key.clone(),
            op,
            token: there.token.clone(),
        })
    };
    part.kept.iter().filter_map(end).collect()
}

fn sets(fate: &Fate) -> &[(usize, Expr)] {
    match fate {
        Fate::Set(sets) => sets,
        Fate::Delete | Fate::Keep => &[],
    }
}

/// A row as a merge has left it, where it is there.
fn kept_row(kept: &Kept) -> Option<TargetRow> {
    Some(TargetRow {
        into: kept.into,
        key: kept.key.clone(),
        cells: kept.cells.clone()?,
        origin: None,
    })
}

/// The carts whose header the new backend has deleted or closed, and those that would be written
/// into such a header: a cart whose key changed is still the same cart there. With what was found.
pub fn finished(
    mapping: &Mapping,
    parts: &[Part<'_>],
    found: &FoundRows,
) -> Vec<(usize, Evidence)> {
    let is_header = |row: &TargetRow| mapping.intos[row.into].role == Role::Header;
    let over = |left: &&Left| {
        let row = &left.row;
        match found.get(&(row.into, row.key.clone())) {
            // A ghost's row may be gone for good; a living cart's row must be there.
            None => row.origin.is_some(),
            Some(there) => there.finished(&mapping.intos[row.into], &row.cells),
        }
    };
    let headers: HashSet<_> = parts
        .iter()
        .flat_map(|p| p.left)
        .filter(|left| is_header(&left.row))
        .filter(over)
        .map(|left| left.row.id())
        .collect();
    let rows = |part: &Part<'_>| {
        let left = part.left.iter().map(|l| &l.row);
        let mut rows = left.chain(part.want);
        rows.any(|row| is_header(row) && headers.contains(&row.id()))
    };
    let evidence = |at: usize| {
        let part = &parts[at..=at];
        let ids = part[0].left.iter().map(|l| &l.row).chain(part[0].want);
        let own = ids.filter_map(|row| found.get_key_value(&(row.into, row.key.clone())));
        let own = own.map(|(id, row)| (id.clone(), row.clone())).collect();
        (at, evidence(mapping, part, &own, &Rivals::new()))
    };
    let over = (0..parts.len()).filter(|&at| rows(&parts[at]));
    over.map(evidence).collect()
}

/// Both sides have made the same of a line's quantity: one more here and one more there are two, and
/// not done already.
fn counts_twice(write: &RowWrite, found: Option<&Found>) -> bool {
    let (RowOp::Update { old, changed, .. }, Some(row)) = (&write.op, found) else {
        return false;
    };
    let line = write.into.line.as_ref();
    let column = |i: &&usize| line.is_some_and(|l| write.into.columns[**i].name == l.quantity);
    let quantity = changed.iter().find(column);
    quantity.is_some_and(|&i| old[i] != Cell::Missing && !row.holds(i, &old[i]))
}

enum Verdict {
    Write(RowWrite),
    /// The target is already as the write would make it.
    Done,
    Against(String),
}

fn judge(write: &RowWrite, found: Option<&Found>) -> Verdict {
    let into = &write.into;
    let adopt = |row: &Found| {
        let mut write = write.clone();
        write.token = row.token.clone();
        Verdict::Write(write)
    };
    match (&write.op, found) {
        (RowOp::Insert { .. }, None) => Verdict::Write(write.clone()),
        (RowOp::Insert { new }, Some(row)) if differing(into, new, row).is_empty() => {
            Verdict::Write(check(write, row))
        }
        (RowOp::Insert { .. }, Some(_)) => Verdict::Against("the row exists already".to_owned()),
        (RowOp::Delete { .. }, None) => Verdict::Done,
        (_, None) => Verdict::Against("the row was deleted".to_owned()),
        (RowOp::Update { new, .. }, Some(row)) if differing(into, new, row).is_empty() => {
            match into.lock {
                Lock::Counter(_) | Lock::Clock(_) => adopt(row),
                _ => Verdict::Write(check(write, row)),
            }
        }
        (RowOp::Update { old, .. } | RowOp::Delete { old } | RowOp::Check { old }, Some(row)) => {
            let differ = differing(into, old, row);
            if differ.is_empty() && !switch::mutant(Mutant::TokenIsLaw) {
                return adopt(row);
            }
            let names: Vec<&str> = differ
                .iter()
                .map(|&i| into.columns[i].name.as_str())
                .collect();
            Verdict::Against(format!("the new backend changed {}", names.join(", ")))
        }
    }
}

/// The row is as we want it: only take note of its token.
fn check(write: &RowWrite, row: &Found) -> RowWrite {
    RowWrite {
        op: RowOp::Check {
            old: row.cells.clone(),
        },
        token: row.token.clone(),
        ..write.clone()
    }
}

/// The same write from what was found, whoever wrote it.
fn overrule(write: &RowWrite, found: Option<&Found>) -> Option<RowWrite> {
    let row = found?;
    let old = row.cells.clone();
    let op = match &write.op {
        RowOp::Insert { new } | RowOp::Update { new, .. } => RowOp::Update {
            changed: differing(&write.into, new, row),
            old,
            new: new.clone(),
        },
        RowOp::Delete { .. } => RowOp::Delete { old },
        RowOp::Check { .. } => RowOp::Check { old },
    };
    Some(RowWrite {
        op,
        token: row.token.clone(),
        ..write.clone()
    })
}

/// Columns, other than those written once, in which the row is not as `cells` say.
fn differing(into: &Into, cells: &[Cell], row: &Found) -> Vec<usize> {
    (0..into.columns.len())
        .filter(|&i| !into.columns[i].once && cells[i] != Cell::Missing)
        .filter(|&i| !row.holds(i, &cells[i]))
        .collect()
}

/// What the sides hold, for a human to see.
pub fn evidence(
    mapping: &Mapping,
    parts: &[Part<'_>],
    found: &FoundRows,
    rivals: &Rivals,
) -> Evidence {
    // In one order, so that what is found again is seen to be the same.
    let mut found: Vec<_> = found.iter().collect();
    found.sort_by_key(|(id, _)| *id);
    let found = found.into_iter().filter_map(|((into, _), row)| {
        Some((mapping.intos[*into].full_name(), row.json.as_deref()?))
    });
    let rivals = rivals
        .values()
        .flatten()
        .map(|rival| (rival.table.clone(), &*rival.row));
    let rows: Vec<serde_json::Value> = found
        .chain(rivals)
        .map(|(table, row)| {
            let row = match row.contains("\\u0000") {
                // A json column can hold it, and the evidence, which is jsonb, cannot.
                true => row.into(),
                false => serde_json::from_str(row).unwrap_or(serde_json::Value::Null),
            };
            serde_json::json!({ "table": table, "row": row })
        })
        .collect();
    Evidence {
        base: Some(rows_json(
            mapping,
            parts.iter().flat_map(|p| p.left).map(|l| &l.row),
        )),
        ours: Some(rows_json(mapping, parts.iter().flat_map(|p| p.want))),
        theirs: Some(serde_json::Value::Array(rows).to_string()),
    }
}

/// Target rows as a JSON array of `{"table": …, "row": {column: text or null}}`.
pub fn rows_json<'a>(mapping: &Mapping, rows: impl Iterator<Item = &'a TargetRow>) -> String {
    let rows = rows
        .map(|row| {
            let into = &mapping.intos[row.into];
            let mut object = serde_json::Map::new();
            for (column, text) in into.key.iter().zip(&*row.key) {
                object.insert(column.name.clone(), (&**text).into());
            }
            for (column, cell) in into.columns.iter().zip(&*row.cells) {
                if *cell != Cell::Missing {
                    object.insert(column.name.clone(), cell.text().into());
                }
            }
            serde_json::json!({ "table": into.full_name(), "row": object })
        })
        .collect();
    serde_json::Value::Array(rows).to_string()
}

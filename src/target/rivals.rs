//! The identity guard: a line is not inserted where the new backend has put the same product into
//! the same cart, be it in a transaction that has yet to commit.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::error::TargetError;
use super::session::Target;
use super::shape::Shape;
use super::{mysql, postgres};
use crate::mapping::difference::{Patch, RowOp, RowWrite};
use crate::mapping::map::{RowKey, TargetRow};
use crate::mapping::plan::{Into, Mapping, Role};
use crate::switch::{self, Mutant};

/// The columns that identify a line: its cart's, then its product.
pub(super) fn identity(into: &Into) -> Option<Vec<&str>> {
    if switch::mutant(Mutant::AnyLine) {
        return None;
    }
    let line = into.line.as_ref().filter(|line| !line.cart.is_empty())?;
    let cart = line.cart.iter().map(|(column, _)| column.as_str());
    Some(cart.chain([line.product.as_str()]).collect())
}

/// The header rows of carts into which lines are put under the identity guard, by table: keys as
/// columns. The guard of an insert cannot see a line that another transaction has not committed
/// yet; that transaction refers to the header, and the lock waits for it.
///
/// `guarded` are the `[[into]]`s whose inserts have that guard.
pub(super) fn line_headers<'a>(
    patches: &[&'a Patch],
    guarded: &[usize],
) -> Vec<(&'a Arc<Into>, Vec<Vec<&'a str>>)> {
    let mut tables: Vec<(&Arc<Into>, Vec<Vec<&str>>)> = Vec::new();
    if switch::mutant(Mutant::UnlockedHeader) || guarded.is_empty() {
        return tables;
    }
    let writes = patches
        .iter()
        .filter(|p| p.own.iter().any(|(into, _)| guarded.contains(into)))
        .flat_map(|p| &p.writes);
    for write in writes {
        let into = &write.into;
        if into.role != Role::Header || matches!(write.op, RowOp::Insert { .. }) {
            continue;
        }
        let at = tables
            .iter()
            .position(|(known, _)| Arc::ptr_eq(known, into));
        let at = at.unwrap_or_else(|| {
            tables.push((into, vec![Vec::new(); into.key.len()]));
            tables.len() - 1
        });
        for (column, text) in tables[at].1.iter_mut().zip(&*write.key) {
            column.push(text);
        }
    }
    tables
}

/// A line of the new backend.
#[derive(Debug)]
pub struct Rival {
    pub table: String,
    /// As JSON.
    pub row: String,
}

/// By the place in the patch of the insert in whose way they are.
pub type Rivals = BTreeMap<usize, Vec<Rival>>;

/// The keys of all rows of the new backend, or ours, that are the same line as one of these, each
/// with the place of that line.
pub async fn keys(
    target: &Target,
    mapping: &Mapping,
    lines: &[&TargetRow],
) -> Result<Vec<(usize, RowKey)>, TargetError> {
    let mut groups: Vec<(Shape, Vec<(usize, RowWrite)>)> = Vec::new();
    for (at, row) in lines.iter().enumerate() {
        let write = RowWrite {
            into: mapping.intos[row.into].clone(),
            index: Some(row.into),
            key: row.key.clone(),
            op: RowOp::Insert {
                new: row.cells.clone(),
            },
            token: None,
        };
        let shape = Shape::of(&write);
        match groups.iter_mut().find(|(known, _)| known.same(&shape)) {
            Some((_, rows)) => rows.push((at, write)),
            None => groups.push((shape, vec![(at, write)])),
        }
    }
    let mut keys = Vec::new();
    for (shape, rows) in &groups {
        let writes: Vec<&RowWrite> = rows.iter().map(|(_, write)| write).collect();
        let found = match target {
            Target::Postgres(client) => postgres::rivals::keys(client, shape, &writes).await?,
            Target::Mysql(session) => mysql::rivals::keys(session, shape, &writes).await?,
        };
        keys.extend(found.into_iter().map(|(nth, key)| (rows[nth].0, key)));
    }
    Ok(keys)
}

pub async fn find(target: &Target, patch: &Patch) -> Result<Rivals, TargetError> {
    let mut rivals = Rivals::new();
    for (at, write) in patch.writes.iter().enumerate() {
        let own: Vec<&[Box<str>]> = patch
            .own
            .iter()
            .filter(|(into, _)| Some(*into) == write.index)
            .map(|(_, key)| &**key)
            .collect();
        let rows = match target {
            Target::Postgres(client) => postgres::rivals::of(client, write, &own).await?,
            Target::Mysql(session) => mysql::rivals::of(session, write, &own).await?,
        };
        for row in rows {
            let table = write.into.full_name();
            rivals.entry(at).or_default().push(Rival { table, row });
        }
    }
    Ok(rivals)
}

//! The identity guard: a line is not inserted where the new backend has put the same product into
//! the same cart, be it in a transaction that has yet to commit.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio_postgres::Client;
use tokio_postgres::types::ToSql;

use super::statement::{self, Kind, Shape, quote, table};
use crate::mapping::difference::{Patch, RowOp, RowWrite};
use crate::mapping::plan::{Into, Role};
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

/// The condition of an insert: there is no line of the new backend that is the same as `d`. The keys
/// of our own lines are the parameters after the first `params`.
pub(super) fn none(shape: &Shape, identity: &[&str], params: usize) -> String {
    format!(
        "NOT EXISTS (SELECT 1 FROM {} AS x WHERE {})",
        table(&shape.into),
        same_line(shape, identity, params)
    )
}

/// `x` is the same line as `d`, and not one of ours.
fn same_line(shape: &Shape, identity: &[&str], params: usize) -> String {
    let into = &shape.into;
    let matches: Vec<String> = identity
        .iter()
        .filter_map(|name| {
            let key = into.key.iter().position(|k| k.name == **name);
            let set = shape
                .sets
                .iter()
                .position(|&i| into.columns[i].name == **name);
            let (value, ty) = match (key, set) {
                (Some(k), _) => (format!("d.k{k}"), &into.key[k].ty),
                (None, Some(n)) => (format!("d.n{n}"), &into.columns[shape.sets[n]].ty),
                (None, None) => return None,
            };
            Some(format!("x.{} = {value}::{}", quote(name), ty.name))
        })
        .collect();
    let arrays: Vec<String> = (0..into.key.len())
        .map(|i| format!("${}::text[]", params + 1 + i))
        .collect();
    let names: Vec<String> = (0..into.key.len()).map(|i| format!("k{i}")).collect();
    let same: Vec<String> = into
        .key
        .iter()
        .enumerate()
        .map(|(n, k)| format!("x.{} = o.k{n}::{}", quote(&k.name), k.ty.name))
        .collect();
    format!(
        "{} AND NOT EXISTS (SELECT 1 FROM unnest({}) AS o({}) WHERE {})",
        matches.join(" AND "),
        arrays.join(", "),
        names.join(", "),
        same.join(" AND ")
    )
}

/// The header rows of carts into which lines are put under the identity guard, by table: keys as
/// columns. The guard of an insert cannot see a line that another transaction has not committed
/// yet; that transaction refers to the header, and the lock waits for it.
pub(super) fn line_headers<'a>(patches: &[&'a Patch]) -> Vec<(&'a Arc<Into>, Vec<Vec<&'a str>>)> {
    let mut tables: Vec<(&Arc<Into>, Vec<Vec<&str>>)> = Vec::new();
    if switch::mutant(Mutant::UnlockedHeader) {
        return tables;
    }
    let writes = patches
        .iter()
        .filter(|p| !p.own.is_empty())
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
        for (column, text) in tables[at].1.iter_mut().zip(&write.key) {
            column.push(text);
        }
    }
    tables
}

/// Locks rows by key against whatever refers to them: a line that is being put into a cart holds
/// its header until it commits, and no new one comes meanwhile.
pub(super) fn lock_rows(into: &Into) -> String {
    format!(
        "SELECT 1 FROM {} AS t, {} WHERE {} FOR UPDATE OF t",
        statement::table(into),
        statement::keys(into),
        statement::key_match(into)
    )
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

pub async fn find(client: &Client, patch: &Patch) -> Result<Rivals, tokio_postgres::Error> {
    let mut rivals = Rivals::new();
    for (at, write) in patch.writes.iter().enumerate() {
        let own: Vec<&[Box<str>]> = patch
            .own
            .iter()
            .filter(|(into, _)| Some(*into) == write.index)
            .map(|(_, key)| &**key)
            .collect();
        for row in of(client, write, &own).await? {
            let table = write.into.full_name();
            rivals.entry(at).or_default().push(Rival { table, row });
        }
    }
    Ok(rivals)
}

async fn of(
    client: &Client,
    write: &RowWrite,
    own: &[&[Box<str>]],
) -> Result<Vec<String>, tokio_postgres::Error> {
    let shape = Shape::of(write);
    let Some(identity) = identity(&write.into).filter(|_| shape.kind == Kind::Insert) else {
        return Ok(Vec::new());
    };
    let bound = shape.bind(&[write], own);
    let params = bound.params.len() - write.into.key.len();
    let sql = format!(
        "SELECT to_json(x)::text FROM {} JOIN {} AS x ON {}",
        shape.data(params),
        table(&write.into),
        same_line(&shape, &identity, params)
    );
    let params: Vec<&(dyn ToSql + Sync)> = bound
        .params
        .iter()
        .map(|p| p as &(dyn ToSql + Sync))
        .collect();
    let rows = client.query(&sql, &params).await?;
    rows.iter().map(|row| row.try_get(0)).collect()
}

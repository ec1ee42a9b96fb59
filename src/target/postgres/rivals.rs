//! The identity guard in Postgres' SQL.

use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Row};

use super::statement::{self, Guard, quote, table};
use crate::mapping::difference::RowWrite;
use crate::mapping::map::RowKey;
use crate::mapping::plan::Into;
use crate::target::rivals::identity;
use crate::target::shape::{Kind, Shape};

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

/// The keys of the lines that are the same as one of these, as their server prints them, each with
/// the place of that one.
pub async fn keys(
    client: &Client,
    shape: &Shape,
    writes: &[&RowWrite],
) -> Result<Vec<(usize, RowKey)>, tokio_postgres::Error> {
    let into = &shape.into;
    let Some(identity) = identity(into) else {
        return Ok(Vec::new());
    };
    let bound = shape.bind(writes, &Guard::Look(Vec::new()));
    let params = bound.params.len() - into.key.len();
    let columns: String = into
        .key
        .iter()
        .map(|key| format!(", format('%s', x.{})", quote(&key.name)))
        .collect();
    let sql = format!(
        "SELECT d.ord{columns} FROM {} JOIN {} AS x ON {}",
        shape.numbered(params),
        table(into),
        same_line(shape, &identity, params)
    );
    let params: Vec<&(dyn ToSql + Sync)> = bound
        .params
        .iter()
        .map(|p| p as &(dyn ToSql + Sync))
        .collect();
    let rows = client.query(&sql, &params).await?;
    let key = |row: &Row| {
        let ord: i64 = row.try_get(0)?;
        let parts = (1..=into.key.len()).map(|i| row.try_get::<_, &str>(i).map(Box::from));
        let key = parts.collect::<Result<RowKey, tokio_postgres::Error>>()?;
        Ok((usize::try_from(ord - 1).unwrap_or_default(), key))
    };
    rows.iter().map(key).collect()
}

/// The lines in the way of an insert, as JSON.
pub async fn of(
    client: &Client,
    write: &RowWrite,
    own: &[&[Box<str>]],
) -> Result<Vec<String>, tokio_postgres::Error> {
    let shape = Shape::of(write);
    let Some(identity) = identity(&write.into).filter(|_| shape.kind == Kind::Insert) else {
        return Ok(Vec::new());
    };
    let bound = shape.bind(&[write], &Guard::Look(own.to_vec()));
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

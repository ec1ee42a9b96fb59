//! Lines of the new backend that stand where a line is to be inserted: the same product in the same
//! cart. The guard of the insert only says that there is one.

use std::collections::BTreeMap;

use tokio_postgres::Client;
use tokio_postgres::types::ToSql;

use super::statement::Shape;
use crate::mapping::difference::{Patch, RowWrite};

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
    let Some(bound) = Shape::of(write).rivals(&[write], own) else {
        return Ok(Vec::new());
    };
    let params: Vec<&(dyn ToSql + Sync)> = bound
        .params
        .iter()
        .map(|p| p as &(dyn ToSql + Sync))
        .collect();
    let rows = client.query(&bound.sql, &params).await?;
    rows.iter().map(|row| row.try_get(0)).collect()
}

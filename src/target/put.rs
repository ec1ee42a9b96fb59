//! One target row put back as it was recorded, with every column: outside of any mapping of values, for
//! whoever undoes what cartage has written.

use serde_json::Value;

use super::error::TargetError;
use super::session::Target;
use super::{mysql, postgres};
use crate::mapping::map::RowKey;
use crate::mapping::plan::Into;
use crate::params;

/// What is done to the row.
#[derive(Clone, Copy, Debug)]
pub enum Put<'a> {
    /// These columns hold what the recorded row does, and the version moves.
    Set {
        row: &'a Value,
        columns: &'a [String],
    },
    /// It is there again.
    Insert {
        row: &'a Value,
    },
    Delete,
}

/// Writes the row by its key, in the transaction that is open; answers how many rows were met.
pub async fn put(
    target: &Target,
    into: &Into,
    key: &RowKey,
    put: Put<'_>,
) -> Result<u64, TargetError> {
    let generated = generated(target, into).await?;
    let writable = |names: Vec<String>| -> Vec<String> {
        names
            .into_iter()
            .filter(|n| !generated.contains(n))
            .collect()
    };
    let columns = match put {
        Put::Set { columns, .. } => writable(columns.to_vec()),
        Put::Insert { row } => {
            let names = row.as_object().into_iter().flat_map(|row| row.keys());
            writable(names.cloned().collect())
        }
        Put::Delete => Vec::new(),
    };
    match target {
        Target::Postgres(_) => {
            let Some((sql, params)) = postgres::put::statement(into, key, put, &columns) else {
                return Ok(1);
            };
            target.execute(sql.as_str(), &params).await
        }
        Target::Mysql(session) => mysql::put(session, into, key, put, &columns).await,
    }
}

/// Columns that the server computes by itself.
async fn generated(target: &Target, into: &Into) -> Result<Vec<String>, TargetError> {
    let sql = super::words::Words::each(
        "SELECT column_name::text FROM information_schema.columns \
         WHERE table_schema = $1 AND table_name = $2 AND is_generated = 'ALWAYS'",
        "SELECT column_name FROM information_schema.columns \
         WHERE table_schema = $1 AND table_name = $2 AND coalesce(generation_expression, '') <> ''",
    );
    let rows = target
        .query(sql, params![&into.schema, &into.table])
        .await?;
    rows.iter().map(|row| row.get(0)).collect()
}

//! Cart keys as the source prints them.

use tokio_postgres::Client;
use tokio_postgres::types::ToSql;

use crate::cart::layout::Table;
use crate::postgres::fault;
use crate::source::error::AskError;
use crate::source::session::NotAKey;
use crate::target::postgres::statement;

/// The server reads each value as its column's type and prints it: `007` is the cart 7, and a uuid
/// may be typed in capitals.
pub async fn printed(
    source: &Client,
    table: &Table,
    key: &[usize],
    values: &[String],
) -> Result<Vec<String>, NotAKey> {
    // Without a length or scale, for a cast would cut what is too long, and name another cart.
    let printed: Vec<String> = (1..)
        .zip(key)
        .map(|(n, &c)| {
            let ty = &table.columns[c].ty;
            format!("format('%s', ${n}::text::{})", statement::cast(ty))
        })
        .collect();
    let query = format!("SELECT {}", printed.join(", "));
    let params: Vec<&(dyn ToSql + Sync)> =
        values.iter().map(|v| v as &(dyn ToSql + Sync)).collect();
    let failed = |error: tokio_postgres::Error| match error.as_db_error() {
        Some(_) => NotAKey::Refused(fault::describe(&error)),
        None => NotAKey::Ask(AskError::Postgres(error)),
    };
    let row = source.query_one(&query, &params).await.map_err(failed)?;
    (0..key.len())
        .map(|at| row.try_get(at).map_err(failed))
        .collect()
}

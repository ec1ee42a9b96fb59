//! Whose the rows are that are taken, in Postgres' SQL.

use tokio_postgres::{Client, Error};

use crate::target::claim::{Claimed, Claims, Owner, adopted, judge, numbers};

const WALKING: &str = "SELECT EXISTS (SELECT FROM cartage.refresh_run \
    WHERE pipeline = $1 AND kind = 'mapping' AND finished_at IS NULL)";

const OWNERS: &str = "SELECT cart, state = 'handed_over', shareable FROM cartage.ledger \
    WHERE pipeline = $1 AND shareable && $2::bigint[]";

/// Serializes those that adopt: two that find a row of nobody's must not both take it.
const ALONE: &str =
    "SELECT pg_advisory_xact_lock(hashtextextended('cartage claims', $1::integer::bigint))";

/// Inside the transaction that takes the rows, after they are written and locked.
pub async fn check(
    client: &Client,
    pipeline: i32,
    claims: &[Claims],
) -> Result<Option<Claimed>, Error> {
    if let Some(claim) = adopted(claims) {
        client.execute(ALONE, &[&pipeline]).await?;
        // Ledger rows of the former mapping have no numbers of this one.
        if client.query_one(WALKING, &[&pipeline]).await?.try_get(0)? {
            let table = claim.table.clone();
            return Ok(Some(Claimed::Untold { table }));
        }
    }
    owned(client, pipeline, claims).await
}

/// The first of the rows that belongs to a cart outside its unit.
pub async fn owned(
    client: &Client,
    pipeline: i32,
    claims: &[Claims],
) -> Result<Option<Claimed>, Error> {
    let numbers = numbers(claims);
    if numbers.is_empty() {
        return Ok(None);
    }
    let rows = client.query(OWNERS, &[&pipeline, &numbers]).await?;
    let owners: Result<Vec<Owner>, Error> = rows
        .iter()
        .map(|row| {
            Ok(Owner {
                cart: row.try_get(0)?,
                over: row.try_get(1)?,
                owns: row.try_get(2)?,
            })
        })
        .collect();
    Ok(judge(claims, &owners?))
}

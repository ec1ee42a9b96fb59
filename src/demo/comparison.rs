//! The judge: compares the shops with an SQL query that knows nothing of cartage's mapping.
//!
//! Both shops' tables are copied as they are into a database of its own, where one query can see
//! both sides (`comparison.sql`).

use futures_util::{SinkExt, StreamExt, pin_mut};
use tokio_postgres::{Client, Error};

use super::cluster::{Cluster, ClusterError};
use super::shops::{NEW_SHOP, OLD_SHOP};

/// What the query found, in carts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comparison {
    /// Live carts of the old shop.
    pub carts_compared: i64,
    /// Orders that were bought in the old shop while we watched, and are closed in the new one.
    pub ended_compared: i64,
    pub different: i64,
    pub missing: i64,
    pub extra: i64,
    /// Carts whose version is not the number of patches that the ledger counts.
    pub version_wrong: i64,
    pub held: i64,
    /// The first carts that are not equal, with what was expected and what was found.
    pub examples: Vec<String>,
}

impl Comparison {
    pub fn all_well(&self) -> bool {
        [
            self.different,
            self.missing,
            self.extra,
            self.version_wrong,
            self.held,
        ]
        .iter()
        .all(|count| *count == 0)
    }
}

/// Compares every cart of two shops that nobody writes to any more.
pub async fn compare(
    home: &Cluster,
    old: &Client,
    new: &Client,
) -> Result<Comparison, ClusterError> {
    let admin = home.client("postgres").await?;
    admin
        .batch_execute("DROP DATABASE IF EXISTS judge; ")
        .await?;
    admin.batch_execute("CREATE DATABASE judge").await?;
    let judge = home.client("judge").await?;
    judge
        .batch_execute(&format!(
            "CREATE SCHEMA old; SET search_path = old; {OLD_SHOP}
             CREATE SCHEMA new; SET search_path = new; {NEW_SHOP}
             SET search_path = public;
             CREATE TABLE ledger (cart text PRIMARY KEY, patches bigint);
             CREATE TABLE backfill (finished_at timestamptz);"
        ))
        .await?;
    for table in ["orders", "line_items", "line_options"] {
        copy(
            old,
            &format!("TABLE {table}"),
            &judge,
            &format!("old.{table}"),
        )
        .await?;
    }
    for table in ["cart", "cart_line"] {
        copy(
            new,
            &format!("TABLE {table}"),
            &judge,
            &format!("new.{table}"),
        )
        .await?;
    }
    copy(
        new,
        "SELECT cart, patches FROM cartage.ledger",
        &judge,
        "ledger",
    )
    .await?;
    let backfill = "SELECT finished_at FROM cartage.refresh_run WHERE kind = 'backfill'";
    copy(new, backfill, &judge, "backfill").await?;

    judge.batch_execute(include_str!("comparison.sql")).await?;
    let counts = judge
        .query_one(
            "SELECT count(*) FILTER (WHERE live),
                    count(*) FILTER (WHERE NOT live AND verdict = 'equal'),
                    count(*) FILTER (WHERE verdict = 'different'),
                    count(*) FILTER (WHERE verdict = 'missing'),
                    count(*) FILTER (WHERE verdict = 'extra'),
                    count(*) FILTER (WHERE version_wrong AND verdict IN ('equal', 'different'))
             FROM judgement",
            &[],
        )
        .await?;
    let held = new
        .query_one("SELECT count(*) FROM cartage.held", &[])
        .await?;
    // The demo's own invention, so its values may be shown.
    let examples = judge
        .query(
            "SELECT format(E'%s: %s\n  expected %s\n  found    %s', token, verdict,
                           to_jsonb(expected) - 'token', to_jsonb(found) - 'token')
             FROM judgement LEFT JOIN expected USING (token) LEFT JOIN found USING (token)
             WHERE verdict IN ('different', 'missing', 'extra') ORDER BY token LIMIT 5",
            &[],
        )
        .await?;
    Ok(Comparison {
        examples: examples.iter().map(|row| row.get(0)).collect(),
        carts_compared: counts.try_get(0)?,
        ended_compared: counts.try_get(1)?,
        different: counts.try_get(2)?,
        missing: counts.try_get(3)?,
        extra: counts.try_get(4)?,
        version_wrong: counts.try_get(5)?,
        held: held.try_get(0)?,
    })
}

/// Changes one line of one live cart in the new shop, as no daemon would.
pub async fn sabotage(new: &Client) -> Result<u64, Error> {
    new.execute(
        "UPDATE cart_line SET quantity = quantity + 1
         WHERE id = (SELECT cart_line.id FROM cart_line JOIN cart ON cart.id = cart_id
                     WHERE completed_at IS NULL ORDER BY source_id LIMIT 1)",
        &[],
    )
    .await
}

async fn copy(from: &Client, query: &str, to: &Client, table: &str) -> Result<(), Error> {
    let rows = from.copy_out(&format!("COPY ({query}) TO STDOUT")).await?;
    let sink = to.copy_in(&format!("COPY {table} FROM STDIN")).await?;
    pin_mut!(rows, sink);
    while let Some(chunk) = rows.next().await {
        sink.send(chunk?).await?;
    }
    sink.finish().await?;
    Ok(())
}

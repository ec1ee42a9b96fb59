//! Postgres as both ends need it: connections, TLS, faults by SQLSTATE, the system catalogs.

pub mod catalog;
pub mod connect;
pub mod fault;
pub mod lifeline;
pub mod moved;
pub mod url;
pub mod wire;

use tokio_postgres::{Client, Error};

/// The server's clock, in seconds since 1970.
pub async fn clock(client: &Client) -> Result<f64, Error> {
    let sql = "SELECT extract(epoch FROM clock_timestamp())::float8";
    client.query_one(sql, &[]).await?.try_get(0)
}

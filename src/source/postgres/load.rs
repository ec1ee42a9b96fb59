//! How busy the source is, by its own account.

use tokio_postgres::{Client, Error};

pub async fn active_sessions(source: &Client) -> Result<i64, Error> {
    let sql = "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' \
               AND backend_type = 'client backend' AND pid <> pg_backend_pid()";
    source.query_one(sql, &[]).await?.try_get(0)
}

pub async fn standby_lag(source: &Client) -> Result<Option<f64>, Error> {
    let sql = "SELECT extract(epoch FROM max(replay_lag))::float8 FROM pg_stat_replication";
    source.query_one(sql, &[]).await?.try_get(0)
}

pub async fn number(source: &Client, sql: &str) -> Result<Option<f64>, Error> {
    // Whatever numeric type it has.
    let sql = format!("SELECT guard.value::float8 FROM ({sql}) AS guard(value)");
    source.query_one(&sql, &[]).await?.try_get(0)
}

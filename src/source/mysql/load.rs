//! How busy the source is, and which transactions are open on it.

use std::time::Duration;

use tokio::time::sleep;

use super::session::{Session, field};
use crate::source::error::AskError;

const STALE: Duration = Duration::from_millis(150);
/// Numbers of transactions that only read are made up from here on (InnoDB, `trx0sys.h`).
const READ_ONLY: u64 = 1 << 48;

pub async fn active_sessions(session: &Session) -> Result<i64, AskError> {
    // Replicas and the server's own threads are at it for good.
    let sql = "SELECT count(*) AS n FROM information_schema.processlist \
               WHERE command NOT IN ('Sleep', 'Daemon', 'Binlog Dump', 'Binlog Dump GTID', \
                                     'Slave_IO', 'Slave_SQL', 'Slave_worker') \
                 AND id <> connection_id()";
    one(session, sql).await
}

/// Of MySQL and MariaDB the primary does not know it.
pub async fn standby_lag(_: &Session) -> Result<Option<f64>, AskError> {
    Ok(None)
}

pub async fn number(session: &Session, sql: &str) -> Result<Option<f64>, AskError> {
    // Whatever numeric type it has.
    let sql = format!("SELECT 0e0 + guard.value AS n FROM (SELECT ({sql}) AS value) AS guard");
    let row = session.first(sql).await?.ok_or(AskError::Answer)?;
    field(&row, "n")
}

pub async fn clock(session: &Session) -> Result<f64, AskError> {
    one(session, "SELECT 0e0 + unix_timestamp(now(6)) AS n").await
}

/// The transactions that have written, or may yet, and have not ended.
///
/// The server shows what it last made up of them for as long as somebody has looked at it within
/// 0.1 s (trx0i_s.cc, `CACHE_MIN_IDLE_TIME_US`); so nobody of ours has.
pub async fn writers(session: &Session) -> Result<Vec<u64>, AskError> {
    sleep(STALE).await;
    let sql = "SELECT CAST(trx_id AS UNSIGNED) AS n FROM information_schema.innodb_trx";
    let rows = session.query(sql).await?;
    let mut open: Vec<u64> = Vec::new();
    for row in &rows {
        open.push(field(row, "n")?);
    }
    open.retain(|id| *id > 0 && *id < READ_ONLY);
    Ok(open)
}

async fn one<T: mysql_async::prelude::FromValue>(
    session: &Session,
    sql: &str,
) -> Result<T, AskError> {
    let row = session.first(sql).await?.ok_or(AskError::Answer)?;
    field(&row, "n")
}

//! What each server must be: its version, and its encoding.

use tokio_postgres::{Client, Error};

use crate::check::report::{End, Report};

const OLDEST: i32 = 140_000;

pub async fn target(target: &Client, report: &mut Report) -> Result<(), Error> {
    common(target, End::Target, report).await
}

pub async fn common(client: &Client, end: End, report: &mut Report) -> Result<(), Error> {
    let sql = "
        SELECT pg_catalog.current_setting('server_version_num')::integer,
               pg_catalog.current_setting('server_version'), pg_catalog.pg_is_in_recovery(),
               pg_catalog.getdatabaseencoding()::text, pg_catalog.current_database()::text";
    let row = client.query_one(sql, &[]).await?;
    let number: i32 = row.try_get(0)?;
    let version: &str = row.try_get(1)?;
    if number >= OLDEST {
        report.pass("server version", end, format!("Postgres {version}"));
    } else {
        let message = format!("Postgres {version} is too old; 14 is the oldest that works");
        report.fail("server version", end, message, None);
    }
    if row.try_get(2)? {
        let message = "the server is a standby; name its primary in the url";
        report.fail("primary", end, message, None);
    }
    let (encoding, database): (&str, &str) = (row.try_get(3)?, row.try_get(4)?);
    if encoding == "UTF8" {
        report.pass("encoding", end, "UTF8");
    } else {
        let message =
            format!("the database {database} has the encoding {encoding}; only UTF8 works");
        report.fail("encoding", end, message, None);
    }
    Ok(())
}

//! Snapshots, and which transactions of the log they see. Of a transaction in the log the rows may
//! not be visible yet: the log is written first.

use mysql_async::Row;
use mysql_async::prelude::Queryable as _;

use super::gtid::GtidSet;
use super::identity::IdentityError;
use super::place::{Base, Place};
use crate::mysql::connect::{Flavor, Session};
use crate::source::change::Lsn;
use crate::source::snapshot::Snapshot;

/// Opens a snapshot in the session; `ROLLBACK` ends it. It locks nothing, on any server.
pub async fn open(session: &mut Session) -> Result<Snapshot, IdentityError> {
    const REPEATABLE: &str = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ";
    const BEGIN: &str = "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY";
    // Read before: what is in it has been committed, and a snapshot taken later sees it.
    let executed = match session.server.flavor {
        Flavor::MySql => Some(executed(session).await?),
        Flavor::MariaDb => None,
    };
    session.conn.query_drop(REPEATABLE).await?;
    session.conn.query_drop(BEGIN).await?;
    match executed {
        Some(executed) => Ok(Snapshot::Passed(executed)),
        None => {
            let (_, at) = place(session).await?;
            Ok(Snapshot::Until(at))
        }
    }
}

/// MySQL's committed transactions. Without ids none is known to be.
async fn executed(session: &mut Session) -> Result<GtidSet, IdentityError> {
    let sql = "SELECT @@global.gtid_executed";
    let text: Option<String> = session.conn.query_first(sql).await?;
    Ok(GtidSet::read(Flavor::MySql, &text.unwrap_or_default())?)
}

/// Where MariaDB's log stood when the session's snapshot was taken.
async fn place(session: &mut Session) -> Result<(Base, Lsn), IdentityError> {
    const WHAT: &str = "its snapshot's place in the log";
    let sql = "SHOW STATUS WHERE variable_name IN ('binlog_snapshot_file', \
               'binlog_snapshot_position')";
    let rows: Vec<Row> = session.conn.query(sql).await?;
    let find = |name: &str| {
        let mut pairs = rows.iter().filter_map(|row| {
            let pair: Option<(String, String)> = mysql_async::from_row_opt(row.clone()).ok();
            pair
        });
        let pair = pairs.find(|(known, _)| known.eq_ignore_ascii_case(name));
        pair.map(|(_, value)| value)
    };
    let file = find("binlog_snapshot_file").ok_or(IdentityError::Answer(WHAT))?;
    let offset = find("binlog_snapshot_position").and_then(|text| text.parse().ok());
    let (base, file) = Base::split(&file)?;
    let offset = offset.ok_or(IdentityError::Answer(WHAT))?;
    Ok((base, Place::at(file, offset).lsn()))
}

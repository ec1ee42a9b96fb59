//! Snapshots, and which transactions of the log they see. Of a transaction in the log the rows may
//! not be visible yet: the log is written first.

use mysql_async::prelude::Queryable as _;
use mysql_async::{Error, Row};

use super::gtid::GtidSet;
use super::identity::{self, IdentityError};
use super::occupant::DENIED;
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
        Some((executed, before)) => Ok(Snapshot::Passed(executed, before)),
        None => {
            let (_, at) = place(session).await?;
            Ok(Snapshot::Until(at))
        }
    }
}

/// MySQL's committed transactions, and up to where those without ids are.
async fn executed(session: &mut Session) -> Result<(GtidSet, Lsn), IdentityError> {
    let sql = "SELECT @@global.gtid_executed, @@global.gtid_mode";
    let row: Option<(String, String)> = session.conn.query_first(sql).await?;
    let (set, mode) = row.ok_or(IdentityError::Answer("executed transactions"))?;
    let set = GtidSet::read(Flavor::MySql, &set)?;
    let before = match mode == "ON" {
        true => Lsn::default(),
        false => committed(session).await?,
    };
    Ok((set, before))
}

/// A place that all transactions before are committed at. The server commits in the order of its log
/// (`binlog_order_commits`): once a statement of our own has been logged and is over, so are all that
/// were logged before it.
async fn committed(session: &mut Session) -> Result<Lsn, IdentityError> {
    let end = identity::end(session).await?.at;
    match session
        .conn
        .query_drop(marker(session.server.version))
        .await
    {
        Err(Error::Server(error)) if error.code == DENIED => return Err(IdentityError::NoMarker),
        done => done?,
    }
    // Asked for afterwards: whoever turned it off before is seen.
    let sql = "SELECT @@global.binlog_order_commits";
    match session.conn.query_first(sql).await? {
        Some(true) => Ok(end),
        _ => Err(IdentityError::Unordered),
    }
}

/// A statement that the server logs and that does next to nothing: it has the server read its own cost
/// tables again, or, before it had them, look up the names of its clients' hosts.
pub fn marker(version: (u16, u16, u16)) -> &'static str {
    match version >= (5, 7, 5) {
        true => "FLUSH OPTIMIZER_COSTS",
        false => "FLUSH HOSTS",
    }
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

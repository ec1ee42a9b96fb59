//! Who else reads the log under our number. The server ends the older of two readers without asking,
//! and if that is a replica of the shop's, it is the shop that we would harm.

use std::time::Duration;

use mysql_async::prelude::Queryable as _;
use mysql_async::{Error, Row};
use tokio::time::{Instant, sleep, timeout};

use super::SourceError;
use crate::config::Endpoint;
use crate::mysql::connect::{Flavor, Session, connect};

/// What our own readers call themselves.
pub const OURS: &str = "cartage";
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(250);
/// How long a reader that has just ended may be listed: until the server has written to it twice.
const LINGERS: Duration = Duration::from_secs(2);
/// ER_SPECIFIC_ACCESS_DENIED_ERROR.
pub(super) const DENIED: u16 = 1227;

/// Waits for a reader of ours to go: one that was killed is there until the server writes to it. One
/// that does not go is on a host that has vanished, or is at work in our place; the server ends it
/// then, and if it is at work it says so and stops. `waits` is told of it.
pub(super) async fn gone(
    endpoint: &Endpoint,
    server_id: u32,
    patience: Duration,
    waits: impl Fn(&str),
) -> Result<(), SourceError> {
    let mut session = connect(endpoint, "log").await?;
    let limit = endpoint.connect_timeout;
    let deadline = Instant::now() + patience;
    let mut told = false;
    // None too where we may not ask, or have no answer: then opening the log says what is wrong.
    while let Ok(Ok(Some(host))) = timeout(limit, find(&mut session, server_id)).await {
        if !host.starts_with(OURS) {
            return Err(SourceError::ReplicaId {
                server_id,
                who: format!(" (a replica that calls itself \"{host}\")"),
            });
        }
        if Instant::now() >= deadline {
            tracing::warn!(server_id, host, "taking the log over from a reader of ours");
            break;
        }
        if !std::mem::replace(&mut told, true) {
            let seconds = patience.as_secs();
            tracing::warn!(server_id, host, seconds, "the log is being read; waiting");
            waits(&format!("server_id {server_id} is in use by {host}"));
        }
        sleep(PAUSE).await;
    }
    let _ = timeout(limit, session.conn.disconnect()).await;
    Ok(())
}

/// The daemon of ours that reads the log under this number, in words.
pub async fn reader(session: &mut Session, server_id: u32) -> Result<Option<String>, Error> {
    let deadline = Instant::now() + LINGERS;
    loop {
        let reader = match find(session, server_id).await {
            Ok(host) => host
                .filter(|host| host.starts_with(OURS))
                .map(|host| format!("{host} reads the source's log as its replica {server_id}")),
            Err(Error::Server(error)) if error.code == DENIED => any(session).await?,
            Err(error) => return Err(error),
        };
        if reader.is_none() || Instant::now() >= deadline {
            return Ok(reader);
        }
        sleep(PAUSE).await;
    }
}

/// MariaDB shows its replicas to those alone who may administer them, and to everybody his own
/// sessions.
async fn any(session: &mut Session) -> Result<Option<String>, Error> {
    let sql = "SELECT id FROM information_schema.processlist \
               WHERE command LIKE 'Binlog Dump%' AND user = substring_index(user(), '@', 1) LIMIT 1";
    let id: Option<u64> = session.conn.query_first(sql).await?;
    Ok(id.map(|id| {
        format!(
            "the session {id} of our user reads the source's log, for this pipeline or another \
             (which one is shown to users with REPLICATION MASTER ADMIN)"
        )
    }))
}

/// The host that a replica with this number has registered.
async fn find(session: &mut Session, server_id: u32) -> Result<Option<String>, Error> {
    let server = &session.server;
    let sql = match server.flavor {
        Flavor::MySql if server.version >= (8, 0, 22) => "SHOW REPLICAS",
        _ => "SHOW SLAVE HOSTS",
    };
    let rows: Vec<Row> = session.conn.query(sql).await?;
    // By their places: `SHOW REPLICAS` spells the first one `Server_Id`, the older word `Server_id`.
    let number = |row: &Row| row.get_opt::<u32, _>(0)?.ok();
    let mut rows = rows.into_iter();
    let row = rows.find(|row| number(row) == Some(server_id));
    Ok(row.map(|row| {
        let host = row.get_opt::<Option<String>, _>(1);
        host.and_then(Result::ok).flatten().unwrap_or_default()
    }))
}

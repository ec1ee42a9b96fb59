//! Sessions of a new backend.

use mysql_async::prelude::Queryable as _;

use super::{ConnectError, Flavor, Server, Session, Url, Use, first, refused};
use crate::config::Endpoint;

/// Guarded writes read what is committed now, not what was when their transaction began; and they
/// must not wait for locks on gaps between rows. Foreign keys and unique keys are the server's to
/// check, whatever it has set; and a key that is 0 is one, not the wish for a new one.
const TO_WRITE: &str = "
    SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED;
    SET SESSION foreign_key_checks = 1, unique_checks = 1,
        sql_mode = CONCAT(@@sql_mode, ',NO_AUTO_VALUE_ON_ZERO')";

const READ_ONLY: &str = "SELECT CAST(@@global.read_only AS CHAR) NOT IN ('0', 'OFF')";

impl Server {
    /// Collations that do not pad, for the control tables; in MySQL rows of values, too, and errors
    /// that name the key of which table clashed.
    fn can_be_target(&self) -> bool {
        match self.flavor {
            Flavor::MariaDb => self.version >= (10, 6, 0),
            Flavor::MySql => self.version >= (8, 0, 19),
        }
    }
}

/// Opens a session on a target: a server whose version has what writes need, though it may take none
/// now. Who only looks need not wait until it does.
pub async fn connect_to_target(
    endpoint: &Endpoint,
    purpose: &str,
) -> Result<Session, ConnectError> {
    first(endpoint, purpose, Use::Target).await
}

/// The same where writes must be accepted too.
pub async fn connect_to_write(endpoint: &Endpoint, purpose: &str) -> Result<Session, ConnectError> {
    first(endpoint, purpose, Use::Write).await
}

pub(super) async fn prepare(
    session: &mut Session,
    url: &Url,
    to_write: bool,
) -> Result<(), ConnectError> {
    let host = session.host.to_string();
    if !session.server.can_be_target() {
        return Err(ConnectError::OldTarget {
            host,
            version: session.server.spelled.clone(),
        });
    }
    let refused = |error| refused(url, &session.host, error);
    let read_only: Option<bool> = session.conn.query_first(READ_ONLY).await.map_err(refused)?;
    if to_write && read_only == Some(true) {
        return Err(ConnectError::ReadOnly { host });
    }
    session.conn.query_drop(TO_WRITE).await.map_err(refused)
}

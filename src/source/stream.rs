//! The source's log as events, from whichever kind of server it comes.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::time::timeout;

use super::change::{Event, Lsn};
use super::error::{AskError, SourceError};
use super::identity::Channel;
use super::session::Source;
use super::{mysql, postgres};
use crate::cart::layout::Layout;
use crate::catalog::Catalog;
use crate::config::Endpoint;
use crate::pulse::Pulse;

/// What is to be read.
#[derive(Clone, Debug)]
pub struct Origin {
    /// As whom a MySQL source knows us among its replicas.
    pub server_id: u32,
    /// Where reading begins, or where the source's own memory of it stands if that is later.
    pub start: Lsn,
    pub layout: Arc<Layout>,
    pub tables: LogTables,
    /// The end of the log when layout and types were read from the catalogs.
    pub compiled_at: Lsn,
    /// How long to wait for a log that is being read: a killed reader holds it until the server
    /// notices.
    pub patience: Duration,
}

/// The layout's tables as the log knows them, as they were when the mapping was compiled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogTables {
    Postgres(postgres::LogTables),
    Mysql(mysql::LogTables),
}

impl LogTables {
    /// The catalog is what this very session has just read.
    pub async fn of(source: &Source, layout: &Layout, catalog: &Catalog) -> Result<Self, AskError> {
        match source {
            Source::Postgres(_) => Ok(Self::Postgres(postgres::LogTables::of(layout, catalog))),
            Source::Mysql(session) => {
                let mut described = Vec::new();
                for table in layout.stored() {
                    described.push(session.described(table).await?.as_ref().clone());
                }
                Ok(Self::Mysql(mysql::LogTables::of(layout, &described)))
            }
        }
    }
}

/// A log being read. Dropping it ends the session.
pub enum LogStream {
    Postgres(Box<postgres::LogStream>),
    Mysql(Box<mysql::LogStream>, mysql::trust::Origin),
}

impl LogStream {
    /// Starts reading. Where somebody else reads it, `waits` is told of him.
    pub async fn open(
        endpoint: &Endpoint,
        channel: &Channel,
        origin: Origin,
        pulse: Pulse,
        waits: impl Fn(&str),
    ) -> Result<Self, SourceError> {
        match (channel, origin.tables) {
            (Channel::Postgres { slot, publication }, LogTables::Postgres(tables)) => {
                let Origin {
                    start, patience, ..
                } = origin;
                let origin = postgres::Origin {
                    slot,
                    publication,
                    start,
                    layout: origin.layout,
                    tables,
                    compiled_at: origin.compiled_at,
                    patience,
                };
                let waits = |pid| waits(&format!("slot {slot} is in use by PID {pid}"));
                let stream = postgres::LogStream::open(endpoint, origin, pulse, waits).await?;
                Ok(Self::Postgres(Box::new(stream)))
            }
            (Channel::Mysql(of), LogTables::Mysql(tables)) => {
                // The mark is about a second older than where reading begins; a table that was
                // altered in that second has another fingerprint now.
                let same = of.tables.as_ref() == Some(&tables.fingerprint());
                let known = mysql::Known {
                    before: same.then(|| tables.clone()),
                    layout: origin.layout,
                    tables,
                    compiled_at: origin.compiled_at,
                    base: of.base.clone(),
                    folds_names: of.folds_names,
                    passed: of.passed.clone(),
                    born: of.born,
                };
                let origin = mysql::Origin {
                    server_id: origin.server_id,
                    host: String::new(),
                    start: origin.start,
                    known,
                    patience: origin.patience,
                };
                let stream = mysql::LogStream::open(endpoint, origin, pulse, waits).await?;
                Ok(Self::Mysql(Box::new(stream), of.clone()))
            }
            _ => Err(postgres::SourceError::Malformed("kind of source").into()),
        }
    }

    /// The next event. Cancel-safe.
    pub async fn next(&mut self) -> Result<Event, SourceError> {
        match self {
            Self::Postgres(stream) => Ok(stream.next().await?),
            Self::Mysql(stream, _) => Ok(stream.next().await?),
        }
    }

    /// Tells the server that everything before `position` is safe; it never goes back.
    pub fn confirm(&self, position: Lsn) {
        match self {
            Self::Postgres(stream) => stream.confirm(position),
            Self::Mysql(stream, _) => stream.confirm(position),
        }
    }

    /// Asks how far the log has come: it comes as [`Event::Keepalive`] after what is under way.
    pub fn ask(&self) {
        match self {
            Self::Postgres(stream) => stream.ask(),
            Self::Mysql(stream, _) => stream.ask(),
        }
    }

    /// What is to be remembered of the source with what is confirmed, where its server does not
    /// remember that by itself.
    pub fn memory(&self) -> Option<Value> {
        match self {
            Self::Postgres(_) => None,
            Self::Mysql(stream, of) => serde_json::to_value(of.remembers(&stream.safe()?)).ok(),
        }
    }
}

/// What is asked of a server on the way to its log has an answer in time, or is taken for lost.
pub(super) async fn in_time<T, E: From<io::Error>>(
    limit: Duration,
    answer: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    match timeout(limit, answer).await {
        Ok(answered) => answered,
        Err(_) => Err(io::Error::from(io::ErrorKind::TimedOut).into()),
    }
}

//! Ordinary SQL on the source: what is asked of it, whatever kind of server it is.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::time::interval;

use super::change::Lsn;
use super::error::{AskError, ConnectError};
use super::mysql;
use super::postgres::{keys, load, moved, owners, probe, read, slot};
use super::snapshot::Snapshot;
use crate::cart::image::Cells;
use crate::cart::key::CartKey;
use crate::cart::layout::{Layout, Table};
use crate::catalog::Catalog;
use crate::config::{Endpoint, Kind};
use crate::mapping::expr::Expr;
use crate::postgres::connect::connect;
use crate::postgres::lifeline::watched;

/// The name of the header row in a filter on live carts.
pub(super) const HEADER: &str = "h";

/// A session. Its clones are the same one.
#[derive(Clone, Debug)]
pub enum Source {
    Postgres(Arc<tokio_postgres::Client>),
    Mysql(Arc<mysql::Session>),
}

/// An open snapshot of the source.
#[derive(Clone, Debug)]
pub struct View {
    pub snapshot: Snapshot,
    /// The log has to pass this point before all that the snapshot saw was delivered.
    pub upto: Lsn,
}

/// A cart that was passed on the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peeked {
    pub cart: CartKey,
    /// It is live, as far as the source can judge that.
    pub live: bool,
    /// What its `changed_at` holds.
    pub changed_at: Option<String>,
}

/// The transactions that were open at some moment.
#[derive(Clone, Debug)]
pub enum Writers {
    Postgres(super::snapshot::Xids),
    Mysql(Vec<u64>),
}

/// Why a typed key is none.
#[derive(Debug)]
pub enum NotAKey {
    /// The server's own words.
    Refused(String),
    Ask(AskError),
}

impl Source {
    /// Opens a session for a command.
    pub async fn connect(endpoint: &Endpoint, purpose: &str) -> Result<Self, ConnectError> {
        match endpoint.kind {
            Kind::Postgres => Ok(Self::Postgres(Arc::new(connect(endpoint, purpose).await?))),
            Kind::Mysql => {
                let session = mysql::Session::connect(endpoint, purpose).await?;
                Ok(Self::Mysql(Arc::new(session)))
            }
        }
    }

    /// Opens a session that ends once the server falls silent on it.
    pub async fn watched(endpoint: &Endpoint, purpose: &str) -> Result<Self, ConnectError> {
        match endpoint.kind {
            Kind::Postgres => Ok(Self::Postgres(watched(endpoint, purpose).await?)),
            Kind::Mysql => {
                let session = mysql::Session::watched(endpoint, purpose).await?;
                Ok(Self::Mysql(Arc::new(session)))
            }
        }
    }

    /// Waits until the session is no more. The driver does not tell, it has to be asked.
    pub async fn ended(&self) {
        let mut look = interval(Duration::from_millis(100));
        while !self.is_closed() {
            look.tick().await;
        }
    }

    fn is_closed(&self) -> bool {
        match self {
            Self::Postgres(client) => client.is_closed(),
            Self::Mysql(session) => session.is_over(),
        }
    }

    pub async fn catalog(&self, tables: &[String]) -> Result<Catalog, AskError> {
        match self {
            Self::Postgres(client) => Ok(Catalog::read(client, tables).await?),
            Self::Mysql(session) => Ok(session.catalog(tables).await?.0),
        }
    }

    /// Whether the log tells what foreign keys do to rows by themselves. MySQL's does from 9.6 on, where
    /// they are not turned off there; so it is never relied upon.
    pub fn tells_cascades(&self) -> bool {
        matches!(self, Self::Postgres(_))
    }

    /// Where the log ends that the source has written so far.
    pub async fn log_end(&self) -> Result<Lsn, AskError> {
        match self {
            Self::Postgres(client) => Ok(slot::end_of_log(client).await?),
            Self::Mysql(session) => session.end().await,
        }
    }

    /// Bytes of log after a position.
    pub async fn behind(&self, position: Lsn) -> Result<u64, AskError> {
        match self {
            Self::Postgres(client) => {
                let end = slot::end_of_log(client).await?;
                Ok(end.0.saturating_sub(position.0))
            }
            Self::Mysql(session) => Ok(mysql::standing::behind(&session.files().await?, position)),
        }
    }

    /// The point that the log has to pass before all that is committed now was delivered.
    pub async fn committed(&self) -> Result<Lsn, AskError> {
        match self {
            Self::Postgres(client) => read::log_end(client).await,
            Self::Mysql(session) => session.end().await,
        }
    }

    /// Opens a snapshot. A session has at most one; `close` ends it.
    pub async fn open(&self) -> Result<View, AskError> {
        match self {
            Self::Postgres(client) => read::begin(client).await,
            Self::Mysql(session) => mysql::read::open(session).await,
        }
    }

    /// Opens a snapshot of which nobody needs to know what it sees; `close` ends it.
    pub async fn glance(&self) -> Result<(), AskError> {
        match self {
            Self::Postgres(client) => read::glance(client).await,
            Self::Mysql(session) => mysql::read::glance(session).await,
        }
    }

    pub async fn close(&self) -> Result<(), AskError> {
        match self {
            Self::Postgres(client) => read::end(client).await,
            Self::Mysql(session) => mysql::read::close(session).await,
        }
    }

    /// What a snapshot sees that is taken now.
    pub async fn snapshot(&self) -> Result<Snapshot, AskError> {
        match self {
            Self::Postgres(client) => read::xids(client).await.map(Snapshot::Postgres),
            Self::Mysql(session) => mysql::read::snapshot(session).await,
        }
    }

    /// The transactions that are open now.
    pub async fn writers(&self) -> Result<Writers, AskError> {
        match self {
            Self::Postgres(client) => read::xids(client).await.map(Writers::Postgres),
            Self::Mysql(session) => mysql::load::writers(session).await.map(Writers::Mysql),
        }
    }

    /// The keys of the next live carts after `after`, in the source's order. As far as the source
    /// cannot judge `live`, carts are among them that are not.
    pub async fn next_keys(
        &self,
        layout: &Layout,
        live: Option<&Expr>,
        after: Option<&CartKey>,
        limit: usize,
    ) -> Result<Vec<CartKey>, AskError> {
        match self {
            Self::Postgres(client) => {
                let live = live.and_then(|live| live.pushdown(HEADER));
                read::next_keys(client, layout, live.as_deref(), after, limit).await
            }
            Self::Mysql(session) => {
                let live = live.and_then(|live| live.pushdown_to_mysql(HEADER));
                mysql::read::next_keys(session, layout, live.as_deref(), after, limit).await
            }
        }
    }

    /// Those of these carts that [`next_keys`](Self::next_keys) would give.
    pub async fn live_among(
        &self,
        layout: &Layout,
        live: Option<&Expr>,
        carts: &[Vec<String>],
    ) -> Result<Vec<CartKey>, AskError> {
        if carts.is_empty() {
            return Ok(Vec::new());
        }
        match self {
            Self::Postgres(client) => {
                let live = live.and_then(|live| live.pushdown(HEADER));
                probe::live_among(client, layout, live.as_deref(), carts).await
            }
            Self::Mysql(session) => {
                let live = live.and_then(|live| live.pushdown_to_mysql(HEADER));
                mysql::probe::live_among(session, layout, live.as_deref(), carts).await
            }
        }
    }

    /// The next carts after `after` in the source's order, live or not: it reads no more than `most`
    /// of them, however few of them are live.
    pub async fn peek(
        &self,
        layout: &Layout,
        live: Option<&Expr>,
        dated: Option<usize>,
        after: Option<&CartKey>,
        most: usize,
    ) -> Result<Vec<Peeked>, AskError> {
        match self {
            Self::Postgres(client) => {
                let live = live.and_then(|live| live.pushdown(HEADER));
                probe::peek(client, layout, live.as_deref(), dated, after, most).await
            }
            Self::Mysql(session) => {
                let live = live.and_then(|live| live.pushdown_to_mysql(HEADER));
                mysql::probe::peek(session, layout, live.as_deref(), dated, after, most).await
            }
        }
    }

    /// The first and the last value of the first column of the carts' keys.
    pub async fn bounds(&self, layout: &Layout) -> Result<Option<(String, String)>, AskError> {
        match self {
            Self::Postgres(client) => probe::bounds(client, layout).await,
            Self::Mysql(session) => mysql::probe::bounds(session, layout).await,
        }
    }

    /// The server's guess of how many carts [`next_keys`](Self::next_keys) will give.
    pub async fn estimate(
        &self,
        layout: &Layout,
        live: Option<&Expr>,
    ) -> Result<Option<i64>, AskError> {
        match self {
            Self::Postgres(client) => {
                let live = live.and_then(|live| live.pushdown(HEADER));
                read::estimate(client, layout, live.as_deref()).await
            }
            Self::Mysql(session) => {
                let live = live.and_then(|live| live.pushdown_to_mysql(HEADER));
                mysql::read::estimate(session, layout, live.as_deref()).await
            }
        }
    }

    /// The rows of a table that belong to carts with these keys, as the log would print them.
    pub async fn rows(
        &self,
        layout: &Layout,
        table: usize,
        carts: &[Vec<String>],
    ) -> Result<Vec<Cells>, AskError> {
        match self {
            Self::Postgres(client) => read::rows(client, layout, table, carts).await,
            Self::Mysql(session) => mysql::read::rows(session, layout, table, carts).await,
        }
    }

    /// The carts that the rows with these keys belong to now.
    pub async fn owners(
        &self,
        layout: &Layout,
        table: usize,
        rows: &[Vec<String>],
    ) -> Result<Vec<CartKey>, AskError> {
        match self {
            Self::Postgres(client) => owners::owners(client, layout, table, rows).await,
            Self::Mysql(session) => mysql::read::owners(session, layout, table, rows).await,
        }
    }

    /// The values of a key as the source prints them; it reads each as its column's type.
    pub async fn printed(
        &self,
        table: &Table,
        key: &[usize],
        values: &[String],
    ) -> Result<Vec<String>, NotAKey> {
        match self {
            Self::Postgres(client) => keys::printed(client, table, key, values).await,
            Self::Mysql(session) => mysql::keys::printed(session, table, key, values).await,
        }
    }

    /// How many sessions of others the source is busy with.
    pub async fn active_sessions(&self) -> Result<i64, AskError> {
        match self {
            Self::Postgres(client) => Ok(load::active_sessions(client).await?),
            Self::Mysql(session) => mysql::load::active_sessions(session).await,
        }
    }

    /// By how many seconds the latest of its standbys is late.
    pub async fn standby_lag(&self) -> Result<Option<f64>, AskError> {
        match self {
            Self::Postgres(client) => Ok(load::standby_lag(client).await?),
            Self::Mysql(session) => mysql::load::standby_lag(session).await,
        }
    }

    /// The one number that a query of the configuration gives.
    pub async fn number(&self, sql: &str) -> Result<Option<f64>, AskError> {
        match self {
            Self::Postgres(client) => Ok(load::number(client, sql).await?),
            Self::Mysql(session) => mysql::load::number(session, sql).await,
        }
    }

    /// The server's clock, in seconds since 1970.
    pub async fn clock(&self) -> Result<f64, AskError> {
        match self {
            Self::Postgres(client) => Ok(crate::postgres::clock(client).await?),
            Self::Mysql(session) => mysql::load::clock(session).await,
        }
    }

    /// What of the layout's tables has changed since `state`, with the statements that put it back.
    pub async fn mends(
        &self,
        state: Option<&Value>,
        layout: &Layout,
        types: bool,
    ) -> Result<Vec<String>, AskError> {
        match self {
            Self::Postgres(client) => Ok(moved::mends(client, state, layout, types).await?),
            // The compiler of the mapping has said what is missing; a definition has no way back by itself.
            Self::Mysql(_) => Ok(Vec::new()),
        }
    }
}

impl Writers {
    /// How many of those that were open at `earlier` still are.
    pub fn left_of(&self, earlier: &Self) -> usize {
        match (self, earlier) {
            (Self::Postgres(now), Self::Postgres(then)) => now.open_since(then),
            (Self::Mysql(now), Self::Mysql(then)) => {
                now.iter().filter(|id| then.contains(id)).count()
            }
            _ => 0,
        }
    }
}

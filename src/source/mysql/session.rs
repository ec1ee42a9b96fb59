//! A session for ordinary SQL, shared by whoever asks: one statement at a time.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use mysql_async::Row;
use mysql_async::prelude::{FromValue, Queryable as _};

use super::filters::Filters;
use super::gtid::GtidSet;
use super::headroom::{self, Headroom};
use super::identity::{self, End, Facts};
use super::occupant;
use super::place::Base;
use super::snapshot;
use crate::cart::layout::Table;
use crate::catalog::Catalog;
use crate::config::Endpoint;
use crate::mysql::catalog::{self, LogTable};
use crate::mysql::connect::{self, ConnectError, Flavor};
use crate::mysql::shared::{Keeps, Shared};
use crate::source::change::Lsn;
use crate::source::error::{AskError, IdentityError};
use crate::source::snapshot::Snapshot;

pub struct Session {
    pub flavor: Flavor,
    pub version: (u16, u16, u16),
    shared: Shared<State>,
}

struct State {
    session: connect::Session,
    /// Tables that were asked for, as they were then.
    tables: HashMap<(String, String), Arc<LogTable>>,
}

impl Keeps for State {
    fn session(&mut self) -> &mut connect::Session {
        &mut self.session
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("flavor", &self.flavor)
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}

impl Session {
    pub async fn connect(endpoint: &Endpoint, purpose: &str) -> Result<Self, ConnectError> {
        let session = connect::connect(endpoint, purpose).await?;
        Ok(Self::of(session, Shared::of))
    }

    /// Opens a session that ends once the server falls silent on it: whoever waits for an answer then
    /// gets the error of a broken connection.
    pub async fn watched(endpoint: &Endpoint, purpose: &str) -> Result<Self, ConnectError> {
        let session = connect::connect(endpoint, purpose).await?;
        let watched = |state| Shared::watched(state, endpoint, purpose);
        Ok(Self::of(session, watched))
    }

    fn of(session: connect::Session, shared: impl FnOnce(State) -> Shared<State>) -> Self {
        Self {
            flavor: session.server.flavor,
            version: session.server.version,
            shared: shared(State {
                session,
                tables: HashMap::new(),
            }),
        }
    }

    /// Whether a watched session is no more. The driver does not look while nothing is asked.
    pub fn is_over(&self) -> bool {
        self.shared.is_over()
    }

    /// Runs a statement and answers all of its rows, with values in the types of their columns.
    pub async fn query(&self, sql: impl Into<String>) -> Result<Vec<Row>, AskError> {
        let sql = sql.into();
        self.alone(move |state| {
            Box::pin(async move { Ok(state.session.conn.exec(sql, ()).await?) })
        })
        .await
    }

    /// The first row.
    pub async fn first(&self, sql: impl Into<String>) -> Result<Option<Row>, AskError> {
        Ok(self.query(sql).await?.into_iter().next())
    }

    /// The same for what cannot be prepared; values come as texts.
    pub async fn plain(&self, sql: impl Into<String>) -> Result<Vec<Row>, AskError> {
        let sql = sql.into();
        self.alone(move |state| Box::pin(async move { Ok(state.session.conn.query(sql).await?) }))
            .await
    }

    /// Runs a statement that has no rows.
    pub async fn run(&self, sql: &'static str) -> Result<(), AskError> {
        self.alone(move |state| {
            Box::pin(async move { Ok(state.session.conn.query_drop(sql).await?) })
        })
        .await
    }

    /// Runs a statement with bound texts: how many rows it changed, and the number that the server
    /// gave to a row. Only synthetic carts are written here.
    pub async fn execute(
        &self,
        sql: String,
        values: Vec<String>,
    ) -> Result<(u64, Option<u64>), AskError> {
        self.alone(move |state| {
            Box::pin(async move {
                let conn = &mut state.session.conn;
                conn.exec_drop(sql, bound(values)).await?;
                Ok((conn.affected_rows(), conn.last_insert_id()))
            })
        })
        .await
    }

    /// The first text that a statement with bound texts gives.
    pub async fn text(&self, sql: String, values: Vec<String>) -> Result<Option<String>, AskError> {
        self.alone(move |state| {
            Box::pin(async move {
                let conn = &mut state.session.conn;
                let first: Option<Option<String>> = conn.exec_first(sql, bound(values)).await?;
                Ok(first.flatten())
            })
        })
        .await
    }

    pub async fn catalog(&self, names: &[String]) -> Result<(Catalog, Vec<LogTable>), AskError> {
        let names = names.to_vec();
        self.alone(move |state| {
            Box::pin(async move {
                let described = catalog::read(&mut state.session, &names).await?;
                for table in &described.tables {
                    let name = (table.schema.clone(), table.name.clone());
                    state.tables.insert(name, Arc::new(table.clone()));
                }
                Ok((described.catalog, described.tables))
            })
        })
        .await
    }

    /// How the values of a table are to be read, as the server described it when this session was
    /// first asked for it. If it was altered since, either the answer's types are others, which is an
    /// error, or its texts are the same.
    pub async fn described(&self, table: &Table) -> Result<Arc<LogTable>, AskError> {
        let name = (table.schema.clone(), table.name.clone());
        self.alone(move |state| {
            Box::pin(async move {
                if let Some(known) = state.tables.get(&name) {
                    return Ok(known.clone());
                }
                let full = format!("{}.{}", name.0, name.1);
                let described =
                    catalog::read(&mut state.session, std::slice::from_ref(&full)).await?;
                let table = described.tables.into_iter().next();
                let table = Arc::new(table.ok_or(AskError::NoTable(full))?);
                state.tables.insert(name, table.clone());
                Ok(table)
            })
        })
        .await
    }

    /// The server and its log, as they are now.
    pub async fn facts(&self) -> Result<Facts, IdentityError> {
        let facts = self
            .alone(|state| Box::pin(async move { Ok(identity::facts(&mut state.session).await) }));
        Ok(facts.await??)
    }

    /// The end of the log.
    pub async fn end(&self) -> Result<Lsn, AskError> {
        Ok(self.log_end().await?.at)
    }

    /// What the server leaves out of the log.
    pub async fn filters(&self) -> Result<Filters, AskError> {
        Ok(self.log_end().await?.filters)
    }

    async fn log_end(&self) -> Result<End, AskError> {
        let end = self
            .alone(|state| Box::pin(async move { Ok(identity::end(&mut state.session).await) }));
        end.await?.map_err(AskError::of_mysql)
    }

    /// The files of the log, the oldest first, with their lengths.
    pub async fn files(&self) -> Result<Vec<(u32, u64)>, AskError> {
        let files = self
            .alone(|state| Box::pin(async move { Ok(identity::files(&mut state.session).await) }));
        files.await?.map_err(AskError::of_mysql)
    }

    /// The daemon that reads the log under this number, in words.
    pub async fn reader(&self, server_id: u32) -> Result<Option<String>, AskError> {
        self.alone(move |state| {
            Box::pin(async move { Ok(occupant::reader(&mut state.session, server_id).await?) })
        })
        .await
    }

    /// MariaDB: the transactions in the log before a place.
    pub async fn passed(&self, base: &Base, at: Lsn) -> Result<GtidSet, IdentityError> {
        let base = base.clone();
        let passed = self.alone(move |state| {
            Box::pin(
                async move { Ok(identity::binlog_position(&mut state.session, &base, at).await) },
            )
        });
        Ok(passed.await??)
    }

    pub async fn headroom(&self, from: Lsn) -> Result<Headroom, IdentityError> {
        let headroom = self.alone(move |state| {
            Box::pin(async move { Ok(headroom::look(&mut state.session, from, None).await) })
        });
        Ok(headroom.await??)
    }

    /// Opens a snapshot.
    pub async fn open(&self) -> Result<Snapshot, AskError> {
        let opened = self
            .alone(|state| Box::pin(async move { Ok(snapshot::open(&mut state.session).await) }));
        opened.await?.map_err(AskError::of_mysql)
    }

    async fn alone<T, F>(&self, work: F) -> Result<T, AskError>
    where
        T: Send + 'static,
        F: for<'a> FnOnce(&'a mut State) -> BoxFuture<'a, Result<T, AskError>> + Send + 'static,
    {
        self.shared.alone(work).await
    }
}

fn bound(values: Vec<String>) -> mysql_async::Params {
    match values.is_empty() {
        true => mysql_async::Params::Empty,
        false => mysql_async::Params::Positional(values.into_iter().map(Into::into).collect()),
    }
}

pub fn field<T: FromValue>(row: &Row, name: &str) -> Result<T, AskError> {
    let value = row.get_opt::<T, _>(name).and_then(Result::ok);
    value.ok_or(AskError::Answer)
}

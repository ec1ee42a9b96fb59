//! A session that writes: guarded statements, and the control tables beside them.

use std::collections::HashMap;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use mysql_async::prelude::Queryable as _;
use mysql_async::{Error, Row, Value};
use tokio::sync::OwnedMutexGuard;

use crate::catalog::Catalog;
use crate::config::Endpoint;
use crate::mapping::plan::Into;
use crate::mysql::catalog::{self, LogTable};
use crate::mysql::connect::{self, ConnectError, Flavor};
use crate::mysql::shared::{Keeps, Shared};
use crate::target::error::TargetError;

#[derive(Debug)]
pub struct Session {
    pub flavor: Flavor,
    shared: Shared<State>,
}

pub struct State {
    pub session: connect::Session,
    /// Bytes that the server takes in one statement.
    packet: Option<usize>,
    /// Whether a prepared statement takes arrays of values.
    arrays: Option<bool>,
    /// Tables that were asked for, as they were then.
    tables: HashMap<(String, String), Arc<LogTable>>,
}

impl Keeps for State {
    fn session(&mut self) -> &mut connect::Session {
        &mut self.session
    }
}

impl Session {
    /// Opens a session for who may only look.
    pub async fn connect(endpoint: &Endpoint, purpose: &str) -> Result<Self, ConnectError> {
        let session = connect::connect_to_target(endpoint, purpose).await?;
        Ok(Self::of(session, Shared::of))
    }

    /// Opens a session of a server that takes writes.
    pub async fn connect_to_write(
        endpoint: &Endpoint,
        purpose: &str,
    ) -> Result<Self, ConnectError> {
        let session = connect::connect_to_write(endpoint, purpose).await?;
        Ok(Self::of(session, Shared::of))
    }

    /// The same, which ends once the server falls silent on it.
    pub async fn watched(endpoint: &Endpoint, purpose: &str) -> Result<Self, ConnectError> {
        let session = connect::connect_to_write(endpoint, purpose).await?;
        Ok(Self::of(session, |s| Shared::watched(s, endpoint, purpose)))
    }

    fn of(session: connect::Session, shared: impl FnOnce(State) -> Shared<State>) -> Self {
        Self {
            flavor: session.server.flavor,
            shared: shared(State {
                session,
                packet: None,
                arrays: None,
                tables: HashMap::new(),
            }),
        }
    }

    pub async fn query(&self, sql: String, values: Vec<Value>) -> Result<Vec<Row>, TargetError> {
        self.alone(move |state| {
            Box::pin(async move { Ok(state.session.conn.exec(sql, values).await?) })
        })
        .await
    }

    pub async fn execute(&self, sql: String, values: Vec<Value>) -> Result<u64, TargetError> {
        self.alone(move |state| {
            Box::pin(async move {
                state.session.conn.exec_drop(sql, values).await?;
                Ok(state.session.conn.affected_rows())
            })
        })
        .await
    }

    /// The number that the server gave the row.
    pub async fn insert(&self, sql: String, values: Vec<Value>) -> Result<i32, TargetError> {
        self.alone(move |state| {
            Box::pin(async move {
                state.session.conn.exec_drop(sql, values).await?;
                let id = state.session.conn.last_insert_id();
                let id = id.and_then(|id| i32::try_from(id).ok());
                id.ok_or_else(|| TargetError::Answer("a row without a number".to_owned()))
            })
        })
        .await
    }

    pub async fn run(&self, sql: &'static str) -> Result<(), TargetError> {
        self.alone(move |state| {
            Box::pin(async move { Ok(state.session.conn.query_drop(sql).await?) })
        })
        .await
    }

    pub async fn catalog(&self, names: &[String]) -> Result<Catalog, TargetError> {
        let names = names.to_vec();
        self.alone(move |state| {
            Box::pin(async move { Ok(catalog::read(&mut state.session, &names).await?.catalog) })
        })
        .await
    }

    /// The session itself, until the guard is dropped; what is asked of it goes through `hold`.
    pub async fn lock(&self) -> OwnedMutexGuard<State> {
        self.shared.lock().await
    }

    /// Waits for work that was begun under `lock`. Who stops waiting ends the session.
    pub async fn hold<T, E: From<Error>>(
        &self,
        work: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        self.shared.hold(work).await
    }

    /// Has several statements done without anybody else's in between.
    pub async fn alone<T, F>(&self, work: F) -> Result<T, TargetError>
    where
        T: Send + 'static,
        F: for<'a> FnOnce(&'a mut State) -> BoxFuture<'a, Result<T, TargetError>> + Send + 'static,
    {
        self.shared.alone(work).await
    }
}

impl State {
    /// How long a statement may be: half of what the server takes, for an estimate is one.
    pub async fn packet(&mut self) -> Result<usize, TargetError> {
        if let Some(packet) = self.packet {
            return Ok(packet);
        }
        let sql = "SELECT @@session.max_allowed_packet";
        let bytes: Option<usize> = self.session.conn.query_first(sql).await?;
        let packet = bytes.unwrap_or(1 << 20) / 2;
        self.packet = Some(packet);
        Ok(packet)
    }

    /// Whether a prepared statement takes arrays of values. The driver tells nobody what it has agreed
    /// on with the server, and where there are none it executes row by row; so one row of ours, which
    /// this transaction holds already, is met twice.
    pub async fn takes_arrays(&mut self, pipeline: i32, lane: i32) -> Result<bool, Error> {
        if let Some(known) = self.arrays {
            return Ok(known);
        }
        let conn = &mut self.session.conn;
        let takes = match self.session.server.flavor {
            Flavor::MySql => false,
            Flavor::MariaDb => {
                let sql =
                    "UPDATE cartage_checkpoint SET lane = lane WHERE pipeline = ? AND lane = ?";
                conn.exec_batch(sql, [(pipeline, lane), (pipeline, lane)])
                    .await?;
                conn.affected_rows() == 2
            }
        };
        self.arrays = Some(takes);
        Ok(takes)
    }

    /// How the values of a table are written and read, as the server described it when this session
    /// first asked.
    pub async fn described(&mut self, into: &Into) -> Result<Arc<LogTable>, TargetError> {
        let name = (into.schema.clone(), into.table.clone());
        if let Some(known) = self.tables.get(&name) {
            return Ok(known.clone());
        }
        let full = into.full_name();
        let described = catalog::read(&mut self.session, std::slice::from_ref(&full)).await?;
        let table = described.tables.into_iter().next();
        let table = Arc::new(table.ok_or(TargetError::NoTable(full))?);
        self.tables.insert(name, table.clone());
        Ok(table)
    }
}

//! Ordinary SQL on the target, whatever kind of server it is.

use std::sync::Arc;

use tokio_postgres::Client;
use tokio_postgres::types::ToSql;

use super::error::{ConnectError, TargetError};
use super::mysql;
use super::row::Row;
use super::words::{Param, Words, positional};
use crate::catalog::Catalog;
use crate::config::{Endpoint, Kind};
use crate::postgres::connect::{connect, connect_to_write};
use crate::postgres::lifeline::watched_to_write;

/// A session. Its clones are the same one.
#[derive(Clone, Debug)]
pub enum Target {
    Postgres(Arc<Client>),
    Mysql(Arc<mysql::Session>),
}

impl Target {
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

    /// The same where writes must be accepted too.
    pub async fn connect_to_write(
        endpoint: &Endpoint,
        purpose: &str,
    ) -> Result<Self, ConnectError> {
        match endpoint.kind {
            Kind::Postgres => {
                let client = connect_to_write(endpoint, purpose).await?;
                Ok(Self::Postgres(Arc::new(client)))
            }
            Kind::Mysql => {
                let session = mysql::Session::connect_to_write(endpoint, purpose).await?;
                Ok(Self::Mysql(Arc::new(session)))
            }
        }
    }

    /// Opens a session to a server that takes writes, which ends once the server falls silent on it.
    pub async fn watched(endpoint: &Endpoint, purpose: &str) -> Result<Self, ConnectError> {
        match endpoint.kind {
            Kind::Postgres => Ok(Self::Postgres(watched_to_write(endpoint, purpose).await?)),
            Kind::Mysql => {
                let session = mysql::Session::watched(endpoint, purpose).await?;
                Ok(Self::Mysql(Arc::new(session)))
            }
        }
    }

    pub async fn catalog(&self, tables: &[String]) -> Result<Catalog, TargetError> {
        match self {
            Self::Postgres(client) => Ok(Catalog::read(client, tables).await?),
            Self::Mysql(session) => session.catalog(tables).await,
        }
    }

    pub async fn query<'a>(
        &self,
        words: impl Into<Words<'a>>,
        params: &[Param<'_>],
    ) -> Result<Vec<Row>, TargetError> {
        let words = words.into();
        match self {
            Self::Postgres(client) => {
                let rows = client.query(&*words.postgres, &refs(params)).await?;
                Ok(rows.into_iter().map(Row::Postgres).collect())
            }
            Self::Mysql(session) => {
                let (sql, values) = positional(&words.mysql, params);
                let rows = session.query(sql, values).await?;
                Ok(rows.into_iter().map(Row::Mysql).collect())
            }
        }
    }

    /// The first row, if there is one.
    pub async fn first<'a>(
        &self,
        words: impl Into<Words<'a>>,
        params: &[Param<'_>],
    ) -> Result<Option<Row>, TargetError> {
        Ok(self.query(words, params).await?.into_iter().next())
    }

    /// The row of a statement that has one always.
    pub async fn one<'a>(
        &self,
        words: impl Into<Words<'a>>,
        params: &[Param<'_>],
    ) -> Result<Row, TargetError> {
        let row = self.first(words, params).await?;
        row.ok_or_else(|| TargetError::Answer("its control tables".into()))
    }

    /// How many rows the statement met: of an update, also those that already were as it sets them.
    pub async fn execute<'a>(
        &self,
        words: impl Into<Words<'a>>,
        params: &[Param<'_>],
    ) -> Result<u64, TargetError> {
        let words = words.into();
        match self {
            Self::Postgres(client) => Ok(client.execute(&*words.postgres, &refs(params)).await?),
            Self::Mysql(session) => {
                let (sql, values) = positional(&words.mysql, params);
                session.execute(sql, values).await
            }
        }
    }

    /// Inserts one row into a table that numbers its rows (`id`); answers its number.
    pub async fn insert<'a>(
        &self,
        words: impl Into<Words<'a>>,
        params: &[Param<'_>],
    ) -> Result<i32, TargetError> {
        let words = words.into();
        match self {
            Self::Postgres(client) => {
                let sql = format!("{} RETURNING id", words.postgres);
                Ok(client.query_one(&sql, &refs(params)).await?.try_get(0)?)
            }
            Self::Mysql(session) => {
                let (sql, values) = positional(&words.mysql, params);
                session.insert(sql, values).await
            }
        }
    }

    /// BEGIN, COMMIT or ROLLBACK. After an error in between, the session is given up or rolled back.
    pub async fn run(&self, statement: &'static str) -> Result<(), TargetError> {
        match self {
            Self::Postgres(client) => Ok(client.batch_execute(statement).await?),
            Self::Mysql(session) => session.run(statement).await,
        }
    }
}

fn refs<'a>(params: &'a [Param<'a>]) -> Vec<&'a (dyn ToSql + Sync)> {
    params.iter().map(|p| p as &(dyn ToSql + Sync)).collect()
}

//! The schema in Postgres, through sqlx.

use std::borrow::Cow;

use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};
use sqlx::postgres::{PgConnectOptions, PgConnection, PgSslMode};
use sqlx::{Connection, SqlSafeStr};
use tokio::time::error::Elapsed;
use tokio::time::timeout;
use tokio_postgres::config::Host;

use super::super::SCHEMA;
use super::File;
use crate::config::{Endpoint, TlsMode};

pub(super) const FILES: &[File] = &[
    File {
        version: 1,
        name: "control",
        sql: include_str!("../../../../migrations/postgres/0001_control.sql"),
    },
    File {
        version: 2,
        name: "merge",
        sql: include_str!("../../../../migrations/postgres/0002_merge.sql"),
    },
    File {
        version: 3,
        name: "conflicts",
        sql: include_str!("../../../../migrations/postgres/0003_conflicts.sql"),
    },
    File {
        version: 4,
        name: "keys",
        sql: include_str!("../../../../migrations/postgres/0004_keys.sql"),
    },
    File {
        version: 5,
        name: "verify",
        sql: include_str!("../../../../migrations/postgres/0005_verify.sql"),
    },
    File {
        version: 6,
        name: "repair",
        sql: include_str!("../../../../migrations/postgres/0006_repair.sql"),
    },
    File {
        version: 7,
        name: "synthetic",
        sql: include_str!("../../../../migrations/postgres/0007_synthetic.sql"),
    },
    File {
        version: 8,
        name: "unanswered",
        sql: include_str!("../../../../migrations/postgres/0008_unanswered.sql"),
    },
    File {
        version: 9,
        name: "resumed",
        sql: include_str!("../../../../migrations/postgres/0009_resumed.sql"),
    },
];

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("[target] url is not a Postgres URL: {0}")]
    Url(tokio_postgres::Error),
    #[error("cannot connect to the target for its migrations: no answer in {0:?}")]
    Timeout(std::time::Duration),
    #[error("no host of [target] url accepts writes")]
    NoPrimary,
    #[error("cannot connect to the target for its migrations: {0}")]
    Connect(sqlx::Error),
    #[error(
        "cannot create the schema {SCHEMA} in the target: {0}; \
         a role with CREATE on the database can: CREATE SCHEMA {SCHEMA} AUTHORIZATION <role>"
    )]
    Schema(sqlx::Error),
    #[error(
        "the control schema was made by a newer cartage (it has migration {0}); \
         run that version, or a later one"
    )]
    Newer(i64),
    #[error("migration of the control schema failed: {0}")]
    Migrate(MigrateError),
}

/// Creates the schema where it is missing and runs the migrations that it has not had.
pub async fn migrate(target: &Endpoint) -> Result<(), Error> {
    let mut connection = connect_primary(target).await?;
    // CREATE SCHEMA IF NOT EXISTS asks for CREATE on the database even where the schema exists.
    let exists: bool = sqlx::query_scalar("SELECT pg_catalog.to_regnamespace($1) IS NOT NULL")
        .bind(SCHEMA)
        .fetch_one(&mut connection)
        .await
        .map_err(Error::Schema)?;
    if !exists {
        for statement in [
            "CREATE SCHEMA IF NOT EXISTS cartage",
            "COMMENT ON SCHEMA cartage IS 'Control tables of cartage, which moves live carts into \
             this database; cartage teardown removes them'",
        ] {
            sqlx::query(statement)
                .execute(&mut connection)
                .await
                .map_err(Error::Schema)?;
        }
    }
    // The files name their tables without a schema, and so does sqlx its own journal.
    sqlx::query("SET search_path = cartage")
        .execute(&mut connection)
        .await
        .map_err(Error::Schema)?;
    migrator().run(&mut connection).await.map_err(|e| match e {
        MigrateError::VersionMissing(version) => Error::Newer(version),
        e => Error::Migrate(e),
    })?;
    comment_on_journal(&mut connection).await?;
    // The migrations are done; how the connection ends tells nothing more.
    let _ = connection.close().await;
    Ok(())
}

fn migrator() -> Migrator {
    Migrator::with_migrations(
        FILES
            .iter()
            .map(|file| {
                Migration::new(
                    file.version,
                    Cow::Borrowed(file.name),
                    MigrationType::Simple,
                    file.sql.into_sql_str(),
                    false,
                )
            })
            .collect(),
    )
}

async fn comment_on_journal(connection: &mut PgConnection) -> Result<(), Error> {
    for statement in [
        "COMMENT ON TABLE _sqlx_migrations IS 'Migrations of these control tables'",
        "COMMENT ON COLUMN _sqlx_migrations.version IS 'Number of the migration'",
        "COMMENT ON COLUMN _sqlx_migrations.description IS 'Its name'",
        "COMMENT ON COLUMN _sqlx_migrations.installed_on IS 'When it ran'",
        "COMMENT ON COLUMN _sqlx_migrations.success IS 'Whether it ran to its end'",
        "COMMENT ON COLUMN _sqlx_migrations.checksum IS 'SHA-384 of its text'",
        "COMMENT ON COLUMN _sqlx_migrations.execution_time IS 'Nanoseconds that it took'",
    ] {
        sqlx::query(statement)
            .execute(&mut *connection)
            .await
            .map_err(Error::Schema)?;
    }
    Ok(())
}

/// sqlx knows one host only: each one is tried in order until one is not a standby.
async fn connect_primary(target: &Endpoint) -> Result<PgConnection, Error> {
    let mut failure = Error::NoPrimary;
    for options in options(target)? {
        let mut connected = within(target, &options).await;
        if target.tls.mode == TlsMode::Prefer
            && matches!(&connected, Ok(Err(sqlx::Error::Tls(e))) if e.to_string().contains("not support"))
        {
            connected = within(target, &options.ssl_mode(PgSslMode::Disable)).await;
        }
        let mut connection = match connected {
            Ok(Ok(connection)) => connection,
            Ok(Err(e)) => {
                failure = Error::Connect(e);
                continue;
            }
            Err(_) => {
                failure = Error::Timeout(target.connect_timeout);
                continue;
            }
        };
        let standby: bool = sqlx::query_scalar("SELECT pg_catalog.pg_is_in_recovery()")
            .fetch_one(&mut connection)
            .await
            .map_err(Error::Connect)?;
        if !standby {
            return Ok(connection);
        }
    }
    Err(failure)
}

async fn within(
    target: &Endpoint,
    options: &PgConnectOptions,
) -> Result<Result<PgConnection, sqlx::Error>, Elapsed> {
    timeout(target.connect_timeout, PgConnection::connect_with(options)).await
}

fn options(target: &Endpoint) -> Result<Vec<PgConnectOptions>, Error> {
    let url: tokio_postgres::Config = target.url.0.parse().map_err(Error::Url)?;
    // As in our other sessions, a CA file has the chain checked in each mode; sqlx checks it in the
    // two verify modes alone.
    let checked = target.tls.ca.is_some();
    let mut base = PgConnectOptions::new_without_pgpass().ssl_mode(match target.tls.mode {
        TlsMode::Disable => PgSslMode::Disable,
        TlsMode::Prefer if !checked => PgSslMode::Prefer,
        TlsMode::Require if !checked => PgSslMode::Require,
        TlsMode::Prefer | TlsMode::Require | TlsMode::VerifyCa => PgSslMode::VerifyCa,
        TlsMode::VerifyFull => PgSslMode::VerifyFull,
    });
    if let Some(ca) = &target.tls.ca {
        base = base.ssl_root_cert(ca);
    }
    if let (Some(certificate), Some(key)) = (&target.tls.certificate, &target.tls.key) {
        base = base.ssl_client_cert(certificate).ssl_client_key(key);
    }
    if let Some(user) = url.get_user() {
        base = base.username(user);
    }
    let in_url = url.get_password().map(String::from_utf8_lossy);
    if let Some(password) = target
        .password
        .as_ref()
        .map(|p| Cow::from(p.0.as_str()))
        .or(in_url)
    {
        base = base.password(&password);
    }
    if let Some(database) = url.get_dbname().or(url.get_user()) {
        base = base.database(database);
    }
    base = base.application_name(
        target
            .application_name
            .as_deref()
            .unwrap_or("cartage migrate"),
    );
    let ports = url.get_ports();
    Ok(url
        .get_hosts()
        .iter()
        .enumerate()
        .map(|(i, host)| {
            // One port may stand for all hosts.
            let port = ports.get(i).or(ports.first()).copied().unwrap_or(5432);
            let options = base.clone().port(port);
            match host {
                Host::Tcp(name) => options.host(name),
                Host::Unix(path) => options.socket(path),
            }
        })
        .collect())
}

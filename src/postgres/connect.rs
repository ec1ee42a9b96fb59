//! A session of either database, ready to use.

use std::error::Error as _;
use std::io;

use tokio_postgres::Client;
use tokio_postgres_rustls::MakeRustlsConnect;

use super::fault::{self, Fault};
use super::tls::{self, TlsError};
use super::url::{self, UrlError};
use super::wire::ServerError;
use crate::config::Endpoint;

/// Text forms must not depend on what the role or the database happens to have set. The search
/// path is the shop's own.
pub(super) const SETTINGS: &[(&str, &str)] = &[
    ("client_encoding", "UTF8"),
    ("TimeZone", "UTC"),
    ("DateStyle", "ISO"),
    ("IntervalStyle", "postgres"),
    ("extra_float_digits", "1"),
    ("bytea_output", "hex"),
];

/// Why there is no session, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    #[error(transparent)]
    Url(#[from] UrlError),
    #[error(transparent)]
    Tls(#[from] TlsError),
    #[error("cannot reach {hosts}: {cause}; is the server up, and the address right?")]
    Unreachable { hosts: String, cause: String },
    #[error("{hosts} accepts no writes; name the primary, or wait for the failover")]
    ReadOnly { hosts: String },
    #[error("{hosts} offers no TLS; turn it on there (`ssl = on`), or set `tls.mode = \"prefer\"`")]
    NoTls { hosts: String },
    #[error("TLS with {hosts} failed: {cause}; look at `tls.mode` and `tls.ca`")]
    Handshake { hosts: String, cause: String },
    #[error("{hosts} refused the password of user \"{user}\"; correct the endpoint's password")]
    Password { hosts: String, user: String },
    #[error("{hosts} asks for a password of user \"{user}\", and none is given")]
    NoPassword { hosts: String, user: String },
    #[error("{hosts} has no database \"{database}\"; correct the endpoint's URL")]
    Database { hosts: String, database: String },
    #[error("{hosts} does not let us in: {message}; look at its pg_hba.conf and the role")]
    Rejected { hosts: String, message: String },
    #[error("{hosts} could not authenticate: {cause}")]
    Authentication { hosts: String, cause: String },
    #[error("{hosts} refused the connection: {error}")]
    Server { hosts: String, error: ServerError },
}

impl ConnectError {
    /// Whether another attempt may succeed.
    pub fn fault(&self) -> Fault {
        match self {
            Self::Unreachable { .. } | Self::ReadOnly { .. } => Fault::Retry,
            Self::Server { error, .. } => fault::of_code(&error.code).0,
            _ => Fault::Stop,
        }
    }
}

/// Opens a session; `purpose` completes its `application_name` where the endpoint has none. The
/// task that drives it ends with the client.
pub async fn connect(endpoint: &Endpoint, purpose: &str) -> Result<Client, ConnectError> {
    let config = url::read(endpoint, purpose)?;
    let tls = MakeRustlsConnect::new(tls::client_config(&endpoint.tls)?);
    // The driver's own limit ends with the TCP handshake; a server that then falls silent must
    // not hold us either.
    let hosts = u32::try_from(config.get_hosts().len()).unwrap_or(u32::MAX);
    let limit = endpoint.connect_timeout.saturating_mul(hosts);
    let (client, connection) = tokio::time::timeout(limit, config.connect(tls))
        .await
        .map_err(|_| ConnectError::Unreachable {
            hosts: url::hosts(&config),
            cause: "no answer in time".into(),
        })?
        .map_err(|e| refused(&config, &e))?;
    tokio::spawn(async move {
        // Whoever uses the client sees the failure of its request.
        if let Err(error) = connection.await {
            tracing::debug!(%error, "connection ended");
        }
    });
    let settings: String = SETTINGS
        .iter()
        .map(|(name, value)| format!("SET {name} = '{value}';"))
        .collect();
    client
        .batch_execute(&settings)
        .await
        .map_err(|e| refused(&config, &e))?;
    Ok(client)
}

fn refused(config: &tokio_postgres::Config, error: &tokio_postgres::Error) -> ConnectError {
    if let Some(db) = error.as_db_error() {
        let error = ServerError {
            code: db.code().code().to_owned(),
            message: db.message().to_owned(),
        };
        return by_code(config, error);
    }
    let hosts = url::hosts(config);
    let cause = innermost(error);
    let user = || config.get_user().unwrap_or_default().to_owned();
    if let Some(io) = error.source().and_then(|s| s.downcast_ref::<io::Error>())
        && io.kind() == io::ErrorKind::PermissionDenied
        && cause.contains("does not allow writes")
    {
        return ConnectError::ReadOnly { hosts };
    }
    // The kinds of tokio_postgres::Error are private; its texts are all there is to tell by.
    let kind = error.to_string();
    if cause.contains("server does not support TLS") {
        ConnectError::NoTls { hosts }
    } else if kind.contains("TLS handshake") {
        ConnectError::Handshake { hosts, cause }
    } else if cause.contains("password missing") {
        ConnectError::NoPassword {
            user: user(),
            hosts,
        }
    } else if kind.contains("authentication error") {
        ConnectError::Authentication { hosts, cause }
    } else {
        ConnectError::Unreachable { hosts, cause }
    }
}

/// What the server's own refusal means.
pub(super) fn by_code(config: &tokio_postgres::Config, error: ServerError) -> ConnectError {
    let hosts = url::hosts(config);
    match error.code.as_str() {
        "28P01" => ConnectError::Password {
            hosts,
            user: config.get_user().unwrap_or_default().to_owned(),
        },
        "3D000" => ConnectError::Database {
            hosts,
            database: config.get_dbname().unwrap_or_default().to_owned(),
        },
        "28000" => ConnectError::Rejected {
            hosts,
            message: error.message,
        },
        _ => ConnectError::Server { hosts, error },
    }
}

fn innermost(error: &dyn std::error::Error) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}

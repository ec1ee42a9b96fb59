//! A session of either database, ready to use.

use std::error::Error as _;
use std::io;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::task::AbortHandle;
use tokio::time::timeout;
use tokio_postgres::config::Host;
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, Config};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::fault::{self, Fault};
use super::lifeline;
use super::url::{self, UrlError};
use super::wire::ServerError;
use super::wire::handshake::{NO_ROOM, Offer, tls_offer};
use crate::config::Endpoint;
use crate::switch::{self, Mutant};
use crate::tls::{self, TlsError};

/// What is printed and how it is read must not depend on what the role or the database happens to
/// have set. The search path is the shop's own. Sessions may have nothing to do for a night.
const SETTINGS: &[(&str, &str)] = &[
    ("client_encoding", "UTF8"),
    ("TimeZone", "UTC"),
    ("DateStyle", "ISO"),
    ("IntervalStyle", "postgres"),
    ("extra_float_digits", "1"),
    ("bytea_output", "hex"),
    ("idle_session_timeout", "0"),
    // The server notices within a minute, too, that our host has vanished: what a session had
    // locked is then free for its successor.
    ("tcp_keepalives_idle", "20"),
    ("tcp_keepalives_interval", "10"),
    ("tcp_keepalives_count", "4"),
    ("tcp_user_timeout", "60000"),
    // Money is stored as a whole number; with one format on both sides it arrives as it is.
    ("lc_monetary", "C"),
    // `content` takes documents too.
    ("xmloption", "content"),
    // Off, an array's NULL is read as a word.
    ("array_nulls", "on"),
    // On, the catalogs' own type names come quoted.
    ("quote_all_identifiers", "off"),
];

pub(super) fn settings<'a>() -> &'a [(&'a str, &'a str)] {
    match switch::mutant(Mutant::SessionsUnset) {
        true => &[],
        false => SETTINGS,
    }
}

/// Why there is no session, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    #[error(transparent)]
    Url(#[from] UrlError),
    #[error(transparent)]
    Tls(#[from] TlsError),
    #[error("cannot reach {hosts}: {cause}; is the server up, and the address right?")]
    Unreachable { hosts: String, cause: String },
    #[error(
        "{hosts} is a standby and accepts no writes; name the primary, or wait for the failover"
    )]
    Standby { hosts: String },
    #[error(
        "{hosts} accepts no writes: default_transaction_read_only is on there for \
         {scope}; turn it off, or wait until somebody does"
    )]
    ReadOnly { hosts: String, scope: String },
    #[error("{hosts} offers no TLS; turn it on there (`ssl = on`), or set `tls.mode = \"prefer\"`")]
    NoTls { hosts: String },
    #[error("TLS with {hosts} failed: {cause}")]
    Handshake { hosts: String, cause: String },
    #[error("{hosts} refused the password of user \"{user}\"; correct the endpoint's password")]
    Password { hosts: String, user: String },
    #[error("{hosts} asks for a password of user \"{user}\", and none is given")]
    NoPassword { hosts: String, user: String },
    #[error("{hosts} has no database \"{database}\"; correct the endpoint's URL")]
    Database { hosts: String, database: String },
    #[error("{hosts} does not let us in: {message}; look at its pg_hba.conf and the role")]
    Rejected { hosts: String, message: String },
    #[error(
        "{hosts} refused us because our TLS connection does not end there ({message}): somebody \
         in between reads it; connect to the server itself, or set `channel_binding=disable` in \
         the URL if that is a proxy of yours"
    )]
    Intercepted { hosts: String, message: String },
    #[error("{hosts} could not authenticate: {cause}")]
    Authentication { hosts: String, cause: String },
    #[error("{hosts} refused the connection: {}", fault::tell(.error))]
    Server { hosts: String, error: ServerError },
    #[error("none of the hosts will do: {}", told(.0))]
    NoHost(Vec<ConnectError>),
}

impl ConnectError {
    /// Whether another attempt may succeed. Of several hosts it is enough if one may: they are
    /// copies of each other, so what is wrong with the role or the database is wrong on all of them.
    pub fn fault(&self) -> Fault {
        match self {
            Self::Unreachable { .. } | Self::Standby { .. } | Self::ReadOnly { .. } => Fault::Retry,
            Self::Server { error, .. } => fault::of_code(&error.code).0.without_row(),
            Self::NoHost(all) if all.iter().any(|e| e.fault() == Fault::Retry) => Fault::Retry,
            _ => Fault::Stop,
        }
    }

    /// The server's own refusal with this SQLSTATE, of any host.
    pub(crate) fn with_code(&self, code: &str) -> Option<&ServerError> {
        match self {
            Self::Server { error, .. } => Some(error).filter(|e| e.code == code),
            Self::NoHost(all) => all.iter().find_map(|e| e.with_code(code)),
            _ => None,
        }
    }
}

fn told(errors: &[ConnectError]) -> String {
    let all: Vec<String> = errors.iter().map(ToString::to_string).collect();
    all.join("; ")
}

/// Opens a session to a primary; `purpose` completes its `application_name` where the endpoint has
/// none. The task that drives it ends with the client.
pub async fn connect(endpoint: &Endpoint, purpose: &str) -> Result<Client, ConnectError> {
    Ok(open(endpoint, purpose, false).await?.client)
}

/// The same where writes must be accepted too.
pub async fn connect_to_write(endpoint: &Endpoint, purpose: &str) -> Result<Client, ConnectError> {
    Ok(open(endpoint, purpose, true).await?.client)
}

/// A session with what it takes to give it up.
pub(super) struct Session {
    pub client: Client,
    /// The server's process.
    pub pid: i32,
    /// The task that drives the connection.
    pub driver: AbortHandle,
}

pub(super) async fn open(
    endpoint: &Endpoint,
    purpose: &str,
    write: bool,
) -> Result<Session, ConnectError> {
    let config = url::read(endpoint, purpose)?;
    let rest = lifeline::longest_rest(endpoint);
    let tls = MakeRustlsConnect::new(tls::client_config(&endpoint.tls)?);
    first(&config, endpoint.connect_timeout, async |one| {
        attempt(one, tls.clone(), write, rest).await
    })
    .await
}

/// Tries the hosts in their order, each for `limit` at most: a host that takes a connection and then
/// falls silent must not keep us from the next one. The driver's own limit ends with the TCP
/// handshake, and it would name the last host only.
pub(super) async fn first<T>(
    config: &Config,
    limit: Duration,
    attempt: impl AsyncFn(&Config) -> Result<T, ConnectError>,
) -> Result<T, ConnectError> {
    let mut failed = Vec::new();
    for one in url::each(config) {
        let error = match timeout(limit, attempt(&one)).await {
            Ok(Ok(connection)) => return Ok(connection),
            Ok(Err(error)) => error,
            Err(_) => ConnectError::Unreachable {
                hosts: url::hosts(&one),
                cause: "no answer in time".into(),
            },
        };
        failed.push(error);
    }
    match failed.len() {
        1 => Err(failed.remove(0)),
        _ => Err(ConnectError::NoHost(failed)),
    }
}

pub(super) async fn attempt(
    config: &Config,
    tls: MakeRustlsConnect,
    write: bool,
    rest: Duration,
) -> Result<Session, ConnectError> {
    let refused = |e| refused(config, &e);
    let connected = config.connect(tls).await.map_err(refused);
    let (client, connection) = match connected {
        Err(ConnectError::NoTls { hosts }) => return Err(no_tls(config, hosts).await),
        connected => connected?,
    };
    let driver = tokio::spawn(async move {
        // Whoever uses the client sees the failure of its request.
        if let Err(error) = connection.await {
            tracing::debug!(%error, "connection ended");
        }
    });
    let settings: String = settings()
        .iter()
        .map(|(name, value)| format!("SET {name} = '{value}';"))
        .collect();
    let rest = rest.as_millis();
    let settings = format!("{settings} SET idle_in_transaction_session_timeout = {rest}");
    client.batch_execute(&settings).await.map_err(refused)?;
    let row = client.query_one(WRITES, &[]).await.map_err(refused)?;
    let hosts = url::hosts(config);
    if row.try_get(0).map_err(refused)? {
        return Err(ConnectError::Standby { hosts });
    }
    match row.try_get::<_, Option<String>>(1).map_err(refused)? {
        Some(scope) if write => Err(ConnectError::ReadOnly { hosts, scope }),
        _ => Ok(Session {
            pid: row.try_get(2).map_err(refused)?,
            driver: driver.abort_handle(),
            client,
        }),
    }
}

/// The driver takes every answer but one for that of a server without TLS, which does not pass. So it is
/// asked again, by ourselves.
async fn no_tls(config: &Config, hosts: String) -> ConnectError {
    let ask = async {
        let Some(Host::Tcp(name)) = config.get_hosts().first() else {
            return Ok(Offer::None);
        };
        let to = (name.as_str(), url::port(config.get_ports(), 0));
        tls_offer(&mut TcpStream::connect(to).await?).await
    };
    let cause = match ask.await {
        Ok(Offer::None) => return ConnectError::NoTls { hosts },
        Ok(Offer::Tls | Offer::Error) => NO_ROOM.to_owned(),
        Err(error) => error.to_string(),
    };
    ConnectError::Unreachable { hosts, cause }
}

/// Whether it is a standby; and, where transactions are read-only by default, for whom.
const WRITES: &str = "
    SELECT pg_catalog.pg_is_in_recovery(),
           (SELECT CASE source
                   WHEN 'database' THEN 'the database ' || current_database()
                   WHEN 'user' THEN 'the role ' || current_user
                   WHEN 'database user' THEN
                       'the role ' || current_user || ' in the database ' || current_database()
                   WHEN 'client' THEN 'our sessions (the URL says so)'
                   ELSE 'the whole server' END
            FROM pg_catalog.pg_settings
            WHERE name = 'default_transaction_read_only' AND setting = 'on'),
           pg_catalog.pg_backend_pid()";

fn refused(config: &Config, error: &tokio_postgres::Error) -> ConnectError {
    if let Some(db) = error.as_db_error() {
        let error = ServerError {
            code: db.code().code().to_owned(),
            message: db.message().to_owned(),
        };
        return by_code(config, error);
    }
    let hosts = url::hosts(config);
    let io = error.source().and_then(|s| s.downcast_ref::<io::Error>());
    // With TLS 1.3 the server's verdict on our certificate comes after the handshake.
    if let Some(cause) = io.and_then(tls::explain) {
        return ConnectError::Handshake { hosts, cause };
    }
    let cause = innermost(error);
    let user = || config.get_user().unwrap_or_default().to_owned();
    // The kinds of tokio_postgres::Error are private; its texts are all there is to tell by.
    let kind = error.to_string();
    if cause.contains("server does not support TLS") {
        ConnectError::NoTls { hosts }
    } else if kind.contains("TLS handshake") && io.is_none() {
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
pub(super) fn by_code(config: &Config, mut error: ServerError) -> ConnectError {
    let hosts = url::hosts(config);
    // The first session after a change of the catalogs writes their cache, and where the disk is
    // full that has no state of its own (relcache.c); the message is not translated.
    if error.code == "XX000" && error.message.contains("could not write init file") {
        error.code = SqlState::DISK_FULL.code().to_owned();
    }
    match error.code.as_str() {
        "28P01" => ConnectError::Password {
            hosts,
            user: config.get_user().unwrap_or_default().to_owned(),
        },
        "3D000" => ConnectError::Database {
            hosts,
            database: config.get_dbname().unwrap_or_default().to_owned(),
        },
        "28000" | "08P01" if error.message.contains("channel binding") => {
            ConnectError::Intercepted {
                hosts,
                message: error.message,
            }
        }
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

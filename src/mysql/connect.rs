//! A session of a MySQL or MariaDB server, ready to use.

mod target;

pub use target::{connect_to_target, connect_to_write};

use std::time::Duration;

use mysql_async::prelude::Queryable as _;
use mysql_async::{
    ClientIdentity, Conn, DriverError, Error, IoError, Opts, OptsBuilder, ServerError, SslOpts,
};
use rustls_native_certs::load_native_certs;
use tokio::time::timeout;

use super::fault::{self, Fault};
use super::url::{self, Host, Url, UrlError};
use crate::config::{Endpoint, Tls, TlsMode};
use crate::switch::{self, Mutant};
use crate::tls::{self, TlsError};

/// What is read and how it is understood must not depend on what the server happens to have set.
/// `CHAR` comes without blanks and strings are not names in this mode; sessions may have nothing to
/// do for a night, and a reader that is slow is waited for.
const SETTINGS: &str = "
    SET NAMES utf8mb4;
    SET SESSION time_zone = '+00:00',
        sql_mode = 'STRICT_ALL_TABLES,STRICT_TRANS_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION',
        autocommit = 1, sql_auto_is_null = 0, sql_big_selects = 1, sql_safe_updates = 0,
        sql_select_limit = DEFAULT, wait_timeout = 2592000,
        net_read_timeout = 3600, net_write_timeout = 3600";

/// A limit on a statement's time would end the reading of a large table. The two know it by
/// different names and in different units, since these versions.
const NO_TIME_LIMIT: [(Flavor, (u16, u16, u16), &str); 2] = [
    (
        Flavor::MariaDb,
        (10, 1, 1),
        "SET SESSION max_statement_time = 0",
    ),
    (
        Flavor::MySql,
        (5, 7, 8),
        "SET SESSION max_execution_time = 0",
    ),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flavor {
    MariaDb,
    MySql,
}

/// What a server says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    pub flavor: Flavor,
    pub version: (u16, u16, u16),
    /// As the server spells it: `10.11.19-MariaDB-0+deb12u1-log`.
    pub spelled: String,
}

impl Server {
    /// Reads `VERSION()`. A replica that serves both may put `5.5.5-` before MariaDB's version.
    fn read(spelled: String) -> Option<Self> {
        let flavor = match spelled.contains("MariaDB") {
            true => Flavor::MariaDb,
            false => Flavor::MySql,
        };
        let number = match flavor {
            Flavor::MariaDb => spelled.strip_prefix("5.5.5-").unwrap_or(&spelled),
            Flavor::MySql => &spelled,
        };
        let digits = number
            .split(|c: char| !c.is_ascii_digit() && c != '.')
            .next()?;
        let mut parts = digits.split('.').map(|part| part.parse().ok());
        let version = (
            parts.next()??,
            parts.next()??,
            parts.next().flatten().unwrap_or(0),
        );
        Some(Self {
            flavor,
            version,
            spelled,
        })
    }

    /// MariaDB 10.3, whose catalog is the first to name generated columns, and MySQL 5.6.6, whose row
    /// events have had one form since; it knows no generated columns before 5.7.
    fn is_supported(&self) -> bool {
        match self.flavor {
            Flavor::MariaDb => self.version >= (10, 3, 0),
            Flavor::MySql => self.version >= (5, 6, 6),
        }
    }
}

/// Why there is no session, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    #[error(transparent)]
    Url(#[from] UrlError),
    #[error(transparent)]
    Tls(#[from] TlsError),
    #[error("cannot reach {host}: {cause}; is the server up, and the address right?")]
    Unreachable { host: String, cause: String },
    #[error(
        "{host} offers no TLS; turn it on there (`ssl_cert`, `ssl_key`), or set \
         `tls.mode = \"prefer\"`"
    )]
    NoTls { host: String },
    #[error("TLS with {host} failed: {cause}")]
    Handshake { host: String, cause: String },
    #[error(
        "{host} refused the password of user \"{user}\"; correct it, or give `tls` and \
         `tls.certificate` where that user must have them"
    )]
    Password { host: String, user: String },
    #[error(
        "{host} asks for a password of user \"{user}\", and none is given; or that user must have \
         `tls` or a `tls.certificate`"
    )]
    NoPassword { host: String, user: String },
    #[error("{host} has no database \"{database}\"; correct the endpoint's URL")]
    Database { host: String, database: String },
    #[error(
        "{host} does not let us in: {message}; look at that user, and the host part of its name"
    )]
    Rejected { host: String, message: String },
    #[error("{host} could not authenticate: {cause}")]
    Authentication { host: String, cause: String },
    #[error(
        "{host} runs {version}, which is too old: MariaDB 10.3 and MySQL 5.7 are the oldest that will do"
    )]
    Old { host: String, version: String },
    #[error(
        "{host} runs {version}; as the new backend, MariaDB 10.6 and MySQL 8.0.19 are the oldest \
         that will do"
    )]
    OldTarget { host: String, version: String },
    #[error(
        "{host} accepts no writes (`read_only` is on); name the primary, wait for the failover, or \
         there: SET GLOBAL read_only = 0"
    )]
    ReadOnly { host: String },
    #[error("{host} refused the connection: {}", fault::describe(.error))]
    Server { host: String, error: Error },
    #[error("none of the hosts will do: {}", told(.0))]
    NoHost(Vec<ConnectError>),
}

impl ConnectError {
    /// Whether another attempt may succeed. Of several hosts it is enough if one may.
    pub fn fault(&self) -> Fault {
        match self {
            Self::Unreachable { .. } | Self::ReadOnly { .. } => Fault::Retry,
            Self::Server { error, .. } => fault::of(error).without_row(),
            Self::NoHost(all) if all.iter().any(|e| e.fault() == Fault::Retry) => Fault::Retry,
            _ => Fault::Stop,
        }
    }
}

fn told(errors: &[ConnectError]) -> String {
    let all: Vec<String> = errors.iter().map(ToString::to_string).collect();
    all.join("; ")
}

/// A connection, and the server at its other end.
pub struct Session {
    pub conn: Conn,
    pub server: Server,
    /// The one that answered, of those that the URL names.
    pub host: Host,
    /// The URL's database, in which unqualified names are found.
    pub database: String,
}

/// Opens a session; `purpose` completes the name that the server lists it under where the endpoint
/// has none. The hosts are tried in their order, each for the endpoint's `connect_timeout` at most.
pub async fn connect(endpoint: &Endpoint, purpose: &str) -> Result<Session, ConnectError> {
    first(endpoint, purpose, Use::Source).await
}

/// What a session is for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Use {
    Source,
    /// A command looks at what is there.
    Target,
    /// It must take writes.
    Write,
}

async fn first(endpoint: &Endpoint, purpose: &str, usage: Use) -> Result<Session, ConnectError> {
    let url = url::read(&endpoint.url.0)?;
    let tls = tls_options(&endpoint.tls)?;
    let mut failed = Vec::new();
    for host in &url.hosts {
        let attempt = async {
            let mut session = attempt(usage, endpoint, &url, host, tls.as_ref(), purpose).await?;
            if usage != Use::Source {
                target::prepare(&mut session, &url, usage == Use::Write).await?;
            }
            Ok(session)
        };
        let error = match timeout(endpoint.connect_timeout, attempt).await {
            Ok(Ok(session)) => return Ok(session),
            Ok(Err(error)) => error,
            Err(_) => ConnectError::Unreachable {
                host: host.to_string(),
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

/// The same for one host: the number of a session means nothing to another one.
pub async fn connect_to(
    endpoint: &Endpoint,
    host: &Host,
    purpose: &str,
) -> Result<Session, ConnectError> {
    let url = url::read(&endpoint.url.0)?;
    let tls = tls_options(&endpoint.tls)?;
    attempt(Use::Source, endpoint, &url, host, tls.as_ref(), purpose).await
}

async fn attempt(
    usage: Use,
    endpoint: &Endpoint,
    url: &Url,
    host: &Host,
    tls: Option<&SslOpts>,
    purpose: &str,
) -> Result<Session, ConnectError> {
    let refused = |error| refused(url, host, error);
    let options = |tls| options(usage, endpoint, url, host, tls, purpose);
    let mut conn = match Conn::new(options(tls)).await {
        // What a server offers stands in its first packet; nothing has been sent yet.
        Err(Error::Driver(DriverError::NoClientSslFlagFromServer))
            if endpoint.tls.mode == TlsMode::Prefer =>
        {
            Conn::new(options(None)).await.map_err(refused)?
        }
        conn => conn.map_err(refused)?,
    };
    let spelled: Option<String> = conn
        .query_first("SELECT VERSION()")
        .await
        .map_err(refused)?;
    let spelled = spelled.unwrap_or_default();
    let server = match Server::read(spelled.clone()) {
        Some(server) if server.is_supported() => server,
        _ => {
            return Err(ConnectError::Old {
                host: host.to_string(),
                version: spelled,
            });
        }
    };
    if !switch::mutant(Mutant::SessionsUnset) {
        conn.query_drop(SETTINGS).await.map_err(refused)?;
    }
    for (flavor, since, statement) in NO_TIME_LIMIT {
        if flavor == server.flavor && server.version >= since {
            conn.query_drop(statement).await.map_err(refused)?;
        }
    }
    Ok(Session {
        conn,
        server,
        host: host.clone(),
        database: url.database.clone(),
    })
}

/// No packet may be longer, whatever a server's `max_allowed_packet` is.
const LARGEST_ANSWER: usize = 1 << 30;

fn options(
    usage: Use,
    endpoint: &Endpoint,
    url: &Url,
    host: &Host,
    tls: Option<&SslOpts>,
    purpose: &str,
) -> Opts {
    let password = endpoint.password.as_ref().or(url.password.as_ref());
    let name = match &endpoint.application_name {
        Some(name) => name.clone(),
        None => format!("cartage {purpose}"),
    };
    OptsBuilder::default()
        .ip_or_hostname(&host.name)
        .tcp_port(host.port)
        .user(Some(&url.user))
        .pass(password.map(|p| &p.0))
        .db_name(Some(&url.database))
        .ssl_opts(tls.cloned())
        // A connection that has found its host stays on it: else the driver would go over to the
        // socket file of a server that listens on this machine.
        .prefer_socket(false)
        // A row that already is as an update sets it was met, too.
        .client_found_rows(true)
        // Two statements may have made a row of which one answer is longer than any of them may be.
        .max_allowed_packet((usage == Use::Source).then_some(LARGEST_ANSWER))
        .tcp_keepalive(Some(Duration::from_secs(20)))
        .connect_attribute("program_name", name)
        .into()
}

/// None means without TLS. As in libpq, `prefer` and `require` check nothing of the server's
/// certificate unless a CA file is given, and then its chain.
fn tls_options(tls: &Tls) -> Result<Option<SslOpts>, TlsError> {
    if tls.mode == TlsMode::Disable {
        return Ok(None);
    }
    // The driver reads the same files without saying which of them is wrong.
    tls::client_config(tls)?;
    let chain = matches!(tls.mode, TlsMode::VerifyCa | TlsMode::VerifyFull) || tls.ca.is_some();
    let roots = match &tls.ca {
        _ if !chain => Vec::new(),
        Some(path) => vec![path.clone().into()],
        None => tls::usable(load_native_certs().certs)
            .map(|certificate| certificate.to_vec().into())
            .collect(),
    };
    let identity = tls.certificate.clone().zip(tls.key.clone());
    let identity = identity.map(|(chain, key)| ClientIdentity::new(chain.into(), key.into()));
    let options = SslOpts::default()
        // Without any, the driver cannot make its verifier, even where it is not asked.
        .with_disable_built_in_roots(chain)
        .with_root_certs(roots)
        .with_client_identity(identity)
        .with_danger_accept_invalid_certs(!chain);
    Ok(Some(match tls.mode {
        TlsMode::VerifyFull => options,
        // The driver knows a verdict about nothing but the name by this word in its text. rustls
        // has no such word in it any more, but the name itself; the name is checked last, and no
        // server of MySQL chooses its certificate by it.
        _ => options
            .with_danger_skip_domain_validation(true)
            .with_danger_tls_hostname_override(Some("NotValidForName")),
    }))
}

fn refused(url: &Url, host: &Host, error: Error) -> ConnectError {
    let user = url.user.clone();
    let at = host.to_string();
    match error {
        Error::Server(error) => by_number(url, at, error),
        Error::Driver(DriverError::NoClientSslFlagFromServer) => ConnectError::NoTls { host: at },
        Error::Driver(
            error @ (DriverError::UnknownAuthPlugin { .. }
            | DriverError::MysqlOldPasswordDisabled
            | DriverError::CleartextPluginDisabled
            | DriverError::InvalidParsecSalt),
        ) => ConnectError::Authentication {
            host: at,
            cause: format!("{error} User \"{user}\" needs another way to log in"),
        },
        Error::Io(IoError::Tls(error)) => ConnectError::Handshake {
            host: at,
            cause: format!("{error}; look at `tls.mode` and `tls.ca`"),
        },
        // With TLS 1.3 the server's verdict on our certificate comes after the handshake.
        Error::Io(IoError::Io(error)) => match tls::explain(&error) {
            Some(cause) => ConnectError::Handshake { host: at, cause },
            None => ConnectError::Unreachable {
                host: at,
                cause: error.to_string(),
            },
        },
        error => ConnectError::Unreachable {
            host: at,
            cause: fault::describe(&error),
        },
    }
}

/// What the server's own refusal means.
pub(crate) fn by_number(url: &Url, host: String, error: ServerError) -> ConnectError {
    let user = url.user.clone();
    let database = url.database.clone();
    match error.code {
        1045 if error.message.contains("using password: NO") => {
            ConnectError::NoPassword { host, user }
        }
        1045 => ConnectError::Password { host, user },
        1049 => ConnectError::Database { host, database },
        1044 | 1130 | 1698 => ConnectError::Rejected {
            host,
            message: error.message,
        },
        _ => ConnectError::Server {
            host,
            error: Error::Server(error),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_and_old_ones_refused() {
        use Flavor::{MariaDb, MySql};
        for (spelled, flavor, version, good) in [
            (
                "10.11.19-MariaDB-0+deb12u1-log",
                MariaDb,
                (10, 11, 19),
                true,
            ),
            ("5.5.5-10.4.2-MariaDB", MariaDb, (10, 4, 2), true),
            ("10.2.44-MariaDB", MariaDb, (10, 2, 44), false),
            ("8.0.36-28.1", MySql, (8, 0, 36), true),
            ("5.6.24-log", MySql, (5, 6, 24), true),
            ("5.6.5", MySql, (5, 6, 5), false),
            ("9.7.4", MySql, (9, 7, 4), true),
        ] {
            let server = Server::read(spelled.to_owned()).expect(spelled);
            assert_eq!((server.flavor, server.version), (flavor, version));
            assert_eq!(server.is_supported(), good, "{spelled}");
        }
        assert_eq!(Server::read("what?".into()), None);
    }
}

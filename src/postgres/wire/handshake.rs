//! From an endpoint to a session of the walsender: socket, TLS, startup, and the right host.

use std::io;
use std::sync::Arc;

use bytes::BytesMut;
use postgres_protocol::message::frontend;
use rustls::pki_types::ServerName;
use socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpStream, UnixStream};
use tokio_postgres::Config;
use tokio_postgres::config::Host;
use tokio_rustls::TlsConnector;

use super::auth::{Denied, Login, authenticate};
use super::frame::{Frames, Socket};
use super::{ReplicationConnection, WireError};
use crate::config::{Endpoint, TlsMode};
use crate::postgres::connect::{ConnectError, by_code, first, settings};
use crate::postgres::url;
use crate::postgres::url::UrlError;
use crate::tls;

pub(super) async fn connect(
    endpoint: &Endpoint,
    purpose: &str,
) -> Result<ReplicationConnection, ConnectError> {
    let config = url::read(endpoint, purpose)?;
    let tls = Arc::new(tls::client_config(&endpoint.tls)?);
    first(&config, endpoint.connect_timeout, async |config| {
        let host = config.get_hosts().first();
        let attempt = Attempt {
            config,
            host: host.ok_or(UrlError::Without("host"))?,
            port: url::port(config.get_ports(), 0),
            mode: endpoint.tls.mode,
            tls: tls.clone(),
        };
        attempt.run().await
    })
    .await
}

/// What a server answers to the request for TLS.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::postgres) enum Offer {
    Tls,
    None,
    /// It could not even start a process for us.
    Error,
}

pub(in crate::postgres) const NO_ROOM: &str = "it has no room for another session";

pub(in crate::postgres) async fn tls_offer(tcp: &mut TcpStream) -> io::Result<Offer> {
    let mut request = BytesMut::new();
    frontend::ssl_request(&mut request);
    tcp.write_all(&request).await?;
    // One byte, and no more: what follows it unencrypted is not the server's (CVE-2021-23222).
    Ok(match tcp.read_u8().await? {
        b'S' => Offer::Tls,
        b'N' => Offer::None,
        _ => Offer::Error,
    })
}

struct Attempt<'a> {
    config: &'a Config,
    host: &'a Host,
    port: u16,
    mode: TlsMode,
    tls: Arc<rustls::ClientConfig>,
}

impl Attempt<'_> {
    async fn run(&self) -> Result<ReplicationConnection, ConnectError> {
        let lost = |e: io::Error| self.unreachable(e);
        let (socket, certificate, encrypted): (Box<dyn Socket>, _, _) = match self.host {
            Host::Unix(folder) => {
                let path = folder.join(format!(".s.PGSQL.{}", self.port));
                let socket = UnixStream::connect(path).await.map_err(lost)?;
                (Box::new(socket), None, true)
            }
            Host::Tcp(name) => {
                let tcp = TcpStream::connect((name.as_str(), self.port));
                let mut tcp = tcp.await.map_err(lost)?;
                self.tune(&tcp).map_err(lost)?;
                if self.mode == TlsMode::Disable || !self.offers_tls(&mut tcp).await? {
                    (Box::new(tcp), None, false)
                } else {
                    let server = ServerName::try_from(name.clone()).map_err(|e| {
                        ConnectError::Handshake {
                            hosts: self.name(),
                            cause: e.to_string(),
                        }
                    })?;
                    let stream = TlsConnector::from(self.tls.clone()).connect(server, tcp);
                    let stream = stream.await.map_err(|e| self.broken(e))?;
                    let shown = stream.get_ref().1.peer_certificates();
                    let shown = shown.and_then(<[_]>::first).map(|c| c.to_vec());
                    (Box::new(stream), shown, true)
                }
            }
        };
        let mut frames = Frames::new(socket);
        self.start(&mut frames).await.map_err(|e| self.broken(e))?;
        let login = Login {
            user: self.config.get_user().unwrap_or_default(),
            password: self.config.get_password(),
            certificate: certificate.as_deref(),
            encrypted,
            binding: self.config.get_channel_binding(),
        };
        let denied = authenticate(&mut frames, login).await;
        denied.map_err(|denied| self.denied(denied))?;
        let mut connection = ReplicationConnection { frames };
        let standby = connection
            .simple_query("SELECT pg_catalog.pg_is_in_recovery()")
            .await
            .map_err(|e| match e {
                WireError::Server(error) => by_code(self.config, error),
                WireError::Io(e) => self.unreachable(e),
            })?;
        if standby == [[Some("t".to_owned())]] {
            return Err(ConnectError::Standby { hosts: self.name() });
        }
        Ok(connection)
    }

    /// The same as tokio-postgres does for its sockets.
    fn tune(&self, tcp: &TcpStream) -> io::Result<()> {
        tcp.set_nodelay(true)?;
        let socket = SockRef::from(tcp);
        #[cfg(target_os = "linux")]
        socket.set_tcp_user_timeout(self.config.get_tcp_user_timeout().copied())?;
        if !self.config.get_keepalives() {
            return Ok(());
        }
        let mut probes = TcpKeepalive::new().with_time(self.config.get_keepalives_idle());
        if let Some(interval) = self.config.get_keepalives_interval() {
            probes = probes.with_interval(interval);
        }
        if let Some(retries) = self.config.get_keepalives_retries() {
            probes = probes.with_retries(retries);
        }
        socket.set_tcp_keepalive(&probes)
    }

    async fn offers_tls(&self, tcp: &mut TcpStream) -> Result<bool, ConnectError> {
        let offer = tls_offer(tcp).await.map_err(|e| self.unreachable(e))?;
        match offer {
            Offer::Tls => Ok(true),
            Offer::None if self.mode == TlsMode::Prefer => Ok(false),
            Offer::None => Err(ConnectError::NoTls { hosts: self.name() }),
            Offer::Error => Err(self.unreachable(NO_ROOM)),
        }
    }

    async fn start(&self, frames: &mut Frames) -> io::Result<()> {
        let mut parameters = vec![
            ("user", self.config.get_user().unwrap_or_default()),
            ("database", self.config.get_dbname().unwrap_or_default()),
            ("replication", "database"),
        ];
        if let Some(name) = self.config.get_application_name() {
            parameters.push(("application_name", name));
        }
        if let Some(options) = self.config.get_options() {
            parameters.push(("options", options));
        }
        parameters.extend(settings());
        frontend::startup_message(parameters, frames.out())?;
        frames.flush().await
    }

    fn denied(&self, denied: Denied) -> ConnectError {
        let user = self.config.get_user().unwrap_or_default().to_owned();
        let hosts = self.name();
        match denied {
            Denied::NoPassword => ConnectError::NoPassword { hosts, user },
            Denied::Cleartext => ConnectError::Authentication {
                hosts,
                cause: "it asks for the bare password without TLS".into(),
            },
            Denied::Unbound => ConnectError::Authentication {
                hosts,
                cause: "server did not use channel binding".into(),
            },
            Denied::Server(error) => by_code(self.config, error),
            Denied::Io(e) if tls::explain(&e).is_some() => self.broken(e),
            Denied::Io(e)
                if matches!(
                    e.kind(),
                    io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput
                ) =>
            {
                ConnectError::Authentication {
                    hosts,
                    cause: e.to_string(),
                }
            }
            Denied::Io(e) => self.unreachable(e),
        }
    }

    /// With TLS 1.3 the server's verdict on our certificate comes only after the handshake.
    fn broken(&self, error: io::Error) -> ConnectError {
        match tls::explain(&error) {
            Some(cause) => ConnectError::Handshake {
                hosts: self.name(),
                cause,
            },
            None => self.unreachable(error),
        }
    }

    fn name(&self) -> String {
        format!("{}:{}", url::name(self.host), self.port)
    }

    fn unreachable(&self, cause: impl std::fmt::Display) -> ConnectError {
        ConnectError::Unreachable {
            hosts: self.name(),
            cause: cause.to_string(),
        }
    }
}

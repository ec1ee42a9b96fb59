//! From an endpoint to a session: socket, TLS, and proving who we are.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use mysql_common::constants::CapabilityFlags as Flags;
use mysql_common::crypto;
use mysql_common::io::ParseBuf;
use mysql_common::packets::{
    AuthPlugin, AuthSwitchRequest, HandshakePacket, HandshakeResponse, SslRequest,
};
use mysql_common::proto::MySerialize;
use rustls::pki_types::ServerName;
use socket2::{SockRef, TcpKeepalive};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::frame::{Frames, malformed};
use super::{WireError, server_error};
use crate::config::{Endpoint, TlsMode};
use crate::mysql::connect::{ConnectError, by_number};
use crate::mysql::url::{Host, Url};
use crate::tls;

/// What our side of a session can do. No compression: the log is read on a fast line or not at all.
const OURS: Flags = Flags::CLIENT_LONG_PASSWORD
    .union(Flags::CLIENT_PROTOCOL_41)
    .union(Flags::CLIENT_TRANSACTIONS)
    .union(Flags::CLIENT_SECURE_CONNECTION)
    .union(Flags::CLIENT_PLUGIN_AUTH)
    .union(Flags::CLIENT_PLUGIN_AUTH_LENENC_CLIENT_DATA)
    .union(Flags::CLIENT_CONNECT_ATTRS);
const UTF8MB4_GENERAL_CI: u8 = 45;
const LARGEST_PACKET: u32 = 1 << 30;

/// One attempt at one host.
pub(super) struct Attempt<'a> {
    pub endpoint: &'a Endpoint,
    pub url: &'a Url,
    pub host: &'a Host,
    pub tls: Arc<rustls::ClientConfig>,
    pub purpose: &'a str,
}

/// Why the server did not let us in.
enum Denied {
    Wire(WireError),
    /// It asks for what cannot be given.
    Method(String),
}

impl<E: Into<WireError>> From<E> for Denied {
    fn from(error: E) -> Self {
        Self::Wire(error.into())
    }
}

impl Attempt<'_> {
    pub async fn run(&self) -> Result<Frames, ConnectError> {
        let lost = |e: io::Error| self.broken(e);
        let tcp = TcpStream::connect((self.host.name.as_str(), self.host.port));
        let tcp = tcp.await.map_err(lost)?;
        tune(&tcp).map_err(lost)?;
        let mut frames = Frames::new(Box::new(tcp));
        let greeting = frames.next().await.map_err(lost)?;
        if let Some(error) = server_error(&greeting) {
            return Err(by_number(self.url, self.host.to_string(), error));
        }
        let greeting: HandshakePacket<'_> = ParseBuf(&greeting).parse(()).map_err(lost)?;
        let mut flags = OURS & greeting.capabilities();
        let encrypted = match self.endpoint.tls.mode {
            TlsMode::Disable => false,
            _ if greeting.capabilities().contains(Flags::CLIENT_SSL) => true,
            TlsMode::Prefer => false,
            _ => {
                let host = self.host.to_string();
                return Err(ConnectError::NoTls { host });
            }
        };
        if encrypted {
            flags |= Flags::CLIENT_SSL;
            self.encrypt(&mut frames, flags).await?;
        }
        let denied = self.authenticate(&mut frames, &greeting, flags, encrypted);
        denied.await.map_err(|denied| self.denied(denied))?;
        Ok(frames)
    }

    async fn encrypt(&self, frames: &mut Frames, flags: Flags) -> Result<(), ConnectError> {
        let mut request = Vec::new();
        SslRequest::new(flags, LARGEST_PACKET, UTF8MB4_GENERAL_CI).serialize(&mut request);
        let lost = |e: io::Error| self.broken(e);
        frames.send(&request).await.map_err(lost)?;
        let name = ServerName::try_from(self.host.name.clone());
        let name = name.map_err(|e| ConnectError::Handshake {
            host: self.host.to_string(),
            cause: e.to_string(),
        })?;
        let socket = frames.take_socket().map_err(lost)?;
        let connector = TlsConnector::from(self.tls.clone());
        let stream = connector.connect(name, socket).await.map_err(lost)?;
        frames.put_socket(Box::new(stream));
        Ok(())
    }

    async fn authenticate(
        &self,
        frames: &mut Frames,
        greeting: &HandshakePacket<'_>,
        flags: Flags,
        encrypted: bool,
    ) -> Result<(), Denied> {
        let password = self.endpoint.password.as_ref();
        let password = password.or(self.url.password.as_ref());
        let mut proof = Proof {
            // Others are asked for by a switch.
            plugin: match greeting.auth_plugin() {
                Some(AuthPlugin::CachingSha2Password) => AuthPlugin::CachingSha2Password,
                _ => AuthPlugin::MysqlNativePassword,
            },
            nonce: nonce(&greeting.nonce()),
            user: &self.url.user,
            password: password.map_or("", |p| &p.0),
            encrypted,
        };
        let name = match &self.endpoint.application_name {
            Some(name) => name.clone(),
            None => format!("cartage {}", self.purpose),
        };
        let response = HandshakeResponse::new(
            Some(proof.first()?),
            (5, 7, 0),
            Some(self.url.user.as_bytes()),
            None::<&[u8]>,
            Some(proof.plugin.borrow()),
            flags,
            Some(HashMap::from([("program_name".to_owned(), name)])),
            LARGEST_PACKET,
        );
        let mut packet = Vec::new();
        response.serialize(&mut packet);
        frames.send(&packet).await?;
        let mut switched = false;
        loop {
            let answer = frames.next().await?;
            match answer.first() {
                Some(0) => return Ok(()),
                Some(0xff) => {
                    let error = server_error(&answer).ok_or_else(|| malformed("error"))?;
                    return Err(WireError::Server(error).into());
                }
                Some(0xfe) if !switched && answer.len() > 1 => {
                    switched = true;
                    let request: AuthSwitchRequest<'_> = ParseBuf(&answer).parse(())?;
                    proof.plugin = request.auth_plugin().into_owned();
                    proof.nonce = nonce(request.plugin_data());
                    frames.send(&proof.first()?).await?;
                }
                Some(1) => proof.go_on(frames, &answer).await?,
                _ => return Err(malformed("authentication").into()),
            }
        }
    }

    fn denied(&self, denied: Denied) -> ConnectError {
        let host = self.host.to_string();
        match denied {
            Denied::Wire(WireError::Server(error)) => by_number(self.url, host, error),
            Denied::Wire(WireError::Io(error)) => self.broken(error),
            Denied::Method(cause) => ConnectError::Authentication { host, cause },
        }
    }

    pub fn broken(&self, error: io::Error) -> ConnectError {
        let host = self.host.to_string();
        match tls::explain(&error) {
            Some(cause) => ConnectError::Handshake { host, cause },
            None => ConnectError::Unreachable {
                host,
                cause: error.to_string(),
            },
        }
    }
}

/// A host that vanishes sends no reset.
fn tune(tcp: &TcpStream) -> io::Result<()> {
    tcp.set_nodelay(true)?;
    let socket = SockRef::from(tcp);
    socket.set_tcp_user_timeout(Some(Duration::from_secs(60)))?;
    let probes = TcpKeepalive::new()
        .with_time(Duration::from_secs(20))
        .with_interval(Duration::from_secs(10))
        .with_retries(4);
    socket.set_tcp_keepalive(&probes)
}

/// The challenge without the zero that ends it.
fn nonce(data: &[u8]) -> Vec<u8> {
    data.strip_suffix(&[0]).unwrap_or(data).to_vec()
}

struct Proof<'a> {
    plugin: AuthPlugin<'static>,
    nonce: Vec<u8>,
    user: &'a str,
    password: &'a str,
    /// Nobody else reads what we send.
    encrypted: bool,
}

impl Proof<'_> {
    /// The answer to the challenge; empty without a password.
    fn first(&self) -> Result<Vec<u8>, Denied> {
        match &self.plugin {
            AuthPlugin::CachingSha2Password | AuthPlugin::MysqlNativePassword => {}
            AuthPlugin::MysqlClearPassword if self.encrypted => {}
            AuthPlugin::MysqlClearPassword => {
                let cause = "the server asks for the password itself over a line that anybody can \
                             read; set `tls.mode = \"require\"`";
                return Err(Denied::Method(cause.into()));
            }
            other => {
                let name = String::from_utf8_lossy(other.as_bytes());
                return Err(Denied::Method(format!(
                    "user \"{}\" logs in by {name}, which we do not know; give it \
                     caching_sha2_password or mysql_native_password",
                    self.user
                )));
            }
        }
        let data = self.plugin.gen_data(Some(self.password), &self.nonce);
        let mut bytes = data.as_deref().map(<[u8]>::to_vec).unwrap_or_default();
        if matches!(self.plugin, AuthPlugin::MysqlClearPassword) {
            bytes = [self.password.as_bytes(), &[0]].concat();
        }
        Ok(bytes)
    }

    /// caching_sha2_password: the server knows us already, or wants the password over a safe way.
    async fn go_on(&self, frames: &mut Frames, answer: &Bytes) -> Result<(), Denied> {
        match answer.get(1) {
            Some(3) => Ok(()),
            Some(4) => {
                let mut secret = [self.password.as_bytes(), &[0]].concat();
                if !self.encrypted {
                    frames.send(&[2]).await?;
                    let key = frames.next().await?;
                    let key = key.strip_prefix(&[1]);
                    let key = key.filter(|key| is_pem(key));
                    let key = key.ok_or_else(|| malformed("public key"))?;
                    let nonce = self.nonce.iter().cycle();
                    secret.iter_mut().zip(nonce).for_each(|(s, n)| *s ^= n);
                    secret = crypto::encrypt(&secret, key);
                }
                frames.send(&secret).await?;
                Ok(())
            }
            _ => Err(malformed("authentication").into()),
        }
    }
}

/// The library takes nothing else, and does not say so.
fn is_pem(key: &[u8]) -> bool {
    let text = std::str::from_utf8(key).unwrap_or_default().trim();
    let body = text
        .strip_prefix("-----BEGIN PUBLIC KEY-----")
        .and_then(|t| t.strip_suffix("-----END PUBLIC KEY-----"));
    let base64: String = body.unwrap_or_default().split_whitespace().collect();
    !base64.is_empty() && data_encoding::BASE64.decode(base64.as_bytes()).is_ok()
}

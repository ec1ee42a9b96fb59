//! A replica's own connection. The driver decompresses a transaction in one piece, of whatever size
//! its header claims, and takes one that it cannot decompress for an empty one; so what it makes of
//! the log is not used, only what it knows of packets.

mod frame;
mod login;

use std::io;
use std::sync::Arc;

use bytes::{Buf as _, Bytes};
use mysql_async::ServerError;
use tokio::time::timeout;

use self::frame::{Frames, malformed};
use self::login::Attempt;
use crate::config::Endpoint;
use crate::mysql::connect::ConnectError;
use crate::mysql::url;
use crate::tls;

const COM_QUERY: u8 = 0x03;
const COM_BINLOG_DUMP: u8 = 0x12;
const COM_REGISTER_SLAVE: u8 = 0x15;
/// What the server keeps of a replica's host.
const LONGEST_HOST: usize = 60;

#[derive(Debug, thiserror::Error)]
pub enum WireError {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error("{0}")]
    Server(ServerError),
}

pub struct Dump {
    frames: Frames,
}

impl Dump {
    /// Opens a session on the first host that lets us in.
    pub async fn connect(endpoint: &Endpoint, purpose: &str) -> Result<Self, ConnectError> {
        let url = url::read(&endpoint.url.0)?;
        let tls = Arc::new(tls::client_config(&endpoint.tls)?);
        let mut failed = Vec::new();
        for host in &url.hosts {
            let attempt = Attempt {
                endpoint,
                url: &url,
                host,
                tls: tls.clone(),
                purpose,
            };
            match timeout(endpoint.connect_timeout, attempt.run()).await {
                Ok(Ok(frames)) => return Ok(Self { frames }),
                Ok(Err(error)) => failed.push(error),
                Err(_) => failed.push(attempt.broken(io::ErrorKind::TimedOut.into())),
            }
        }
        match failed.len() {
            1 => Err(failed.remove(0)),
            _ => Err(ConnectError::NoHost(failed)),
        }
    }

    /// Runs a statement that has no result.
    pub async fn run(&mut self, sql: &str) -> Result<(), WireError> {
        let query = [&[COM_QUERY], sql.as_bytes()].concat();
        self.frames.command(&query).await?;
        self.done().await
    }

    /// Registers as a replica: `host` is what the server shows of it.
    pub async fn register(&mut self, server_id: u32, host: &str) -> Result<(), WireError> {
        let host = host.as_bytes();
        let host = &host[..host.len().min(LONGEST_HOST)];
        let mut command = vec![COM_REGISTER_SLAVE];
        command.extend(server_id.to_le_bytes());
        command.push(host.len() as u8);
        command.extend(host);
        // No user and no password to reach us by, no port, rank or master.
        command.extend([0; 2 + 2 + 4 + 4]);
        self.frames.command(&command).await?;
        self.done().await
    }

    /// Asks for the log from an event's start on.
    pub async fn start(
        &mut self,
        server_id: u32,
        file: &str,
        offset: u32,
    ) -> Result<(), WireError> {
        let mut command = vec![COM_BINLOG_DUMP];
        command.extend(offset.to_le_bytes());
        command.extend([0; 2]);
        command.extend(server_id.to_le_bytes());
        command.extend(file.as_bytes());
        Ok(self.frames.command(&command).await?)
    }

    async fn done(&mut self) -> Result<(), WireError> {
        let answer = self.frames.next().await?;
        match (answer.first(), server_error(&answer)) {
            (_, Some(error)) => Err(WireError::Server(error)),
            (Some(0), None) => Ok(()),
            _ => Err(malformed("answer").into()),
        }
    }

    /// Waits for events, and takes in all that are here. Cancel-safe: an event that was cut out is in
    /// `events`.
    pub async fn read(&mut self, events: &mut Vec<Bytes>) -> Result<(), WireError> {
        let mut packet = Some(self.frames.next().await?);
        while let Some(mut payload) = packet {
            match payload.first() {
                Some(0) => {
                    payload.advance(1);
                    events.push(payload);
                }
                Some(0xff) if events.is_empty() => {
                    let error = server_error(&payload).ok_or_else(|| malformed("error"))?;
                    return Err(WireError::Server(error));
                }
                // What came before it is dealt with first; the connection is at its end.
                Some(0xff) => {
                    self.frames.put_back(payload);
                    return Ok(());
                }
                // The end of a dump that nobody asked to end: the server is going down.
                Some(0xfe) => return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into()),
                _ => return Err(malformed("packet").into()),
            }
            packet = self.frames.buffered()?;
        }
        Ok(())
    }

    pub async fn close(&mut self) {
        self.frames.close().await;
    }
}

/// `0xff`, number, and `#` with the SQLSTATE where the session has been agreed on.
fn server_error(packet: &[u8]) -> Option<ServerError> {
    let [0xff, low, high, rest @ ..] = packet else {
        return None;
    };
    let (state, message) = match rest {
        [b'#', a, b, c, d, e, message @ ..] => (&[*a, *b, *c, *d, *e][..], message),
        message => (&b"HY000"[..], message),
    };
    Some(ServerError {
        code: u16::from_le_bytes([*low, *high]),
        state: String::from_utf8_lossy(state).into_owned(),
        message: String::from_utf8_lossy(message).into_owned(),
    })
}

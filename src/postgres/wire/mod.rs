//! A replication connection on the bare protocol: tokio-postgres cannot start replication.

mod auth;
mod frame;
pub(super) mod handshake;

use std::io;

use bytes::Bytes;
use fallible_iterator::FallibleIterator as _;
use postgres_protocol::message::backend::{ErrorResponseBody, Message};
use postgres_protocol::message::frontend;

use super::connect::ConnectError;
use crate::config::Endpoint;
use crate::source::change::Lsn;
use frame::{Frame, Frames};

/// What the server answered instead.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{message} (SQLSTATE {code})")]
pub struct ServerError {
    pub code: String,
    pub message: String,
}

/// A command of the replication connection failed.
#[derive(Debug, thiserror::Error)]
pub enum WireError {
    #[error(transparent)]
    Server(#[from] ServerError),
    #[error("the replication connection broke: {0}")]
    Io(#[from] io::Error),
}

/// The answer of `IDENTIFY_SYSTEM`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SystemIdentity {
    pub system_id: String,
    pub timeline: String,
    /// How far the log is flushed.
    pub xlogpos: Lsn,
    pub dbname: String,
}

/// A session of the walsender that also takes plain SQL (`replication=database`).
pub struct ReplicationConnection {
    frames: Frames,
}

impl ReplicationConnection {
    /// Connects to the first host that accepts writes.
    pub async fn connect(endpoint: &Endpoint, purpose: &str) -> Result<Self, ConnectError> {
        handshake::connect(endpoint, purpose).await
    }

    pub async fn identify_system(&mut self) -> Result<SystemIdentity, WireError> {
        let rows = self.simple_query("IDENTIFY_SYSTEM").await?;
        let mut cells = rows.into_iter().next().unwrap_or_default().into_iter();
        let mut next = || {
            cells
                .next()
                .flatten()
                .ok_or_else(|| unexpected("IDENTIFY_SYSTEM"))
        };
        Ok(SystemIdentity {
            system_id: next()?,
            timeline: next()?,
            xlogpos: next()?.parse().map_err(|_| unexpected("IDENTIFY_SYSTEM"))?,
            dbname: next()?,
        })
    }

    /// Runs one statement or replication command; rows come as text.
    pub async fn simple_query(&mut self, sql: &str) -> Result<Vec<Vec<Option<String>>>, WireError> {
        frontend::query(sql, self.frames.out())?;
        self.frames.flush().await?;
        let mut rows = Vec::new();
        let mut failed = None;
        loop {
            match self.frames.next().await? {
                Frame::Message(Message::DataRow(row)) => {
                    let buffer = row.buffer();
                    let cells = row.ranges().map(|range| {
                        range
                            .map(|r| {
                                let bytes = buffer.get(r).ok_or_else(|| malformed("data row"))?;
                                let text = std::str::from_utf8(bytes);
                                text.map(str::to_owned).map_err(io::Error::other)
                            })
                            .transpose()
                    });
                    rows.push(cells.collect()?);
                }
                Frame::Message(Message::ErrorResponse(body)) => failed = Some(server_error(&body)?),
                Frame::Message(Message::ReadyForQuery(_)) => {
                    return failed.map_or(Ok(rows), |e| Err(e.into()));
                }
                Frame::Message(_) => {}
                Frame::CopyBoth => return Err(unexpected("CopyBothResponse")),
            }
        }
    }

    /// Starts streaming; from now on only [`CopyStream`]'s messages pass.
    pub async fn start(
        mut self,
        slot: &str,
        publication: &str,
        start: Lsn,
    ) -> Result<CopyStream, WireError> {
        let names = quoted(&identifier(publication), '\'');
        let command = format!(
            "START_REPLICATION SLOT {} LOGICAL {start} \
             (proto_version '1', publication_names {names}, messages 'false')",
            identifier(slot),
        );
        frontend::query(&command, self.frames.out())?;
        self.frames.flush().await?;
        loop {
            match self.frames.next().await? {
                Frame::CopyBoth => {
                    return Ok(CopyStream {
                        frames: self.frames,
                    });
                }
                Frame::Message(Message::ErrorResponse(body)) => {
                    return Err(server_error(&body)?.into());
                }
                Frame::Message(_) => {}
            }
        }
    }
}

/// A connection in copy-both mode.
pub struct CopyStream {
    frames: Frames,
}

impl CopyStream {
    /// Reads what the socket has, at least one whole message, and appends the payloads of the
    /// CopyData messages. Cancel-safe: a message is either still buffered or in `into`.
    pub async fn read(&mut self, into: &mut Vec<Bytes>) -> Result<(), WireError> {
        let mut frame = self.frames.next().await?;
        loop {
            match frame {
                Frame::Message(Message::CopyData(body)) => into.push(body.into_bytes()),
                Frame::Message(Message::ErrorResponse(body)) => {
                    return Err(server_error(&body)?.into());
                }
                Frame::Message(Message::CopyDone) => {
                    return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
                }
                Frame::Message(_) | Frame::CopyBoth => {}
            }
            match self.frames.buffered()? {
                Some(next) => frame = next,
                None => return Ok(()),
            }
        }
    }

    /// Sends a standby status update: everything before `confirmed` is written, flushed and
    /// applied ("Streaming Replication Protocol", message `r`).
    pub async fn status(&mut self, confirmed: Lsn, reply: bool) -> Result<(), WireError> {
        let mut body = [0; 34];
        body[0] = b'r';
        for field in 0..3 {
            let at = 1 + 8 * field;
            body[at..at + 8].copy_from_slice(&confirmed.0.to_be_bytes());
        }
        // The clock is for whoever looks at `pg_stat_replication.reply_time`.
        let now = chrono::Utc::now().timestamp_micros() - EPOCH;
        body[25..33].copy_from_slice(&now.to_be_bytes());
        body[33] = u8::from(reply);
        frontend::CopyData::new(&body[..])?.write(self.frames.out());
        Ok(self.frames.flush().await?)
    }

    /// Ends the stream so that the slot is free at once.
    pub async fn close(mut self) {
        frontend::copy_done(self.frames.out());
        frontend::terminate(self.frames.out());
        // The server frees the slot all the same once it sees the socket closed.
        let _ = self.frames.flush().await;
    }
}

/// Microseconds from 1970 to 2000, where Postgres begins to count.
const EPOCH: i64 = 946_684_800_000_000;

pub(crate) fn server_error(body: &ErrorResponseBody) -> io::Result<ServerError> {
    let mut error = ServerError {
        code: String::new(),
        message: String::new(),
    };
    let mut fields = body.fields();
    while let Some(field) = fields.next()? {
        let value = || String::from_utf8_lossy(field.value_bytes()).into_owned();
        match field.type_() {
            b'C' => error.code = value(),
            b'M' => error.message = value(),
            _ => {}
        }
    }
    Ok(error)
}

fn identifier(name: &str) -> String {
    quoted(name, '"')
}

fn quoted(text: &str, quote: char) -> String {
    let doubled = text.replace(quote, &format!("{quote}{quote}"));
    format!("{quote}{doubled}{quote}")
}

fn malformed(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("malformed {what}"))
}

fn unexpected(what: &str) -> WireError {
    malformed(&format!("answer: {what}")).into()
}

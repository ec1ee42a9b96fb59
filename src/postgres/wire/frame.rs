//! Messages cut out of a socket's bytes.

use std::io;

use bytes::{Buf as _, BytesMut};
use postgres_protocol::message::backend::Message;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

use super::malformed;

pub(super) trait Socket: AsyncRead + AsyncWrite + Send + Sync + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Sync + Unpin> Socket for S {}

pub(super) enum Frame {
    Message(Message),
    /// The one message of replication that postgres-protocol does not know.
    CopyBoth,
}

const COPY_BOTH: u8 = b'W';
const READ: usize = 256 * 1024;
/// The server builds no message of more than 1 GB; a length beyond is noise, not worth the memory.
const LONGEST: u32 = 0x4000_0000;

pub(super) struct Frames {
    socket: Box<dyn Socket>,
    input: BytesMut,
    output: BytesMut,
}

impl Frames {
    pub fn new(socket: Box<dyn Socket>) -> Self {
        Self {
            socket,
            input: BytesMut::with_capacity(READ),
            output: BytesMut::new(),
        }
    }

    /// Where messages are written before [`flush`](Self::flush).
    pub fn out(&mut self) -> &mut BytesMut {
        &mut self.output
    }

    pub async fn flush(&mut self) -> io::Result<()> {
        self.socket.write_all_buf(&mut self.output).await?;
        self.socket.flush().await
    }

    /// The next message. Cancel-safe, because `read_buf` is.
    pub async fn next(&mut self) -> io::Result<Frame> {
        loop {
            if let Some(frame) = self.buffered()? {
                return Ok(frame);
            }
            if self.input.capacity() - self.input.len() < READ / 4 {
                self.input.reserve(READ);
            }
            if self.socket.read_buf(&mut self.input).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    }

    /// The next message, if it is here already.
    pub fn buffered(&mut self) -> io::Result<Option<Frame>> {
        cut(&mut self.input)
    }
}

fn cut(input: &mut BytesMut) -> io::Result<Option<Frame>> {
    if let [kind, a, b, c, d, ..] = **input {
        let length = u32::from_be_bytes([a, b, c, d]);
        if !(4..=LONGEST).contains(&length) {
            return Err(malformed("message length"));
        }
        if kind == COPY_BOTH {
            let whole = 1 + length as usize;
            if input.len() < whole {
                return Ok(None);
            }
            input.advance(whole);
            return Ok(Some(Frame::CopyBoth));
        }
    }
    Ok(Message::parse(input)?.map(Frame::Message))
}

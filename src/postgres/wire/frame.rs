//! Messages cut out of a socket's bytes.

use std::io;

use bytes::{Buf as _, BytesMut};
use postgres_protocol::message::backend::Message;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

pub(super) trait Socket: AsyncRead + AsyncWrite + Send + Sync + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Sync + Unpin> Socket for S {}

pub(super) enum Frame {
    Message(Message),
    /// The one message of replication that postgres-protocol does not know.
    CopyBoth,
}

const COPY_BOTH: u8 = b'W';
const READ: usize = 256 * 1024;

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
        if let [COPY_BOTH, a, b, c, d, ..] = *self.input {
            let length = 1 + u32::from_be_bytes([a, b, c, d]) as usize;
            if self.input.len() < length {
                return Ok(None);
            }
            self.input.advance(length);
            return Ok(Some(Frame::CopyBoth));
        }
        Ok(Message::parse(&mut self.input)?.map(Frame::Message))
    }
}

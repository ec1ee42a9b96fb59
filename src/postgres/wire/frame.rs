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

#[cfg(test)]
mod tests {
    use postgres_protocol::message::frontend::CopyData;
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn framed(kind: u8, body: &[u8]) -> Vec<u8> {
        let length = 4 + body.len() as u32;
        [&[kind], length.to_be_bytes().as_slice(), body].concat()
    }

    #[test]
    fn impossible_lengths_are_refused_before_any_memory_is_taken() {
        for kind in [b'd', COPY_BOTH, b'E'] {
            for length in [0, 3, LONGEST + 1, u32::MAX] {
                let head = [&[kind], length.to_be_bytes().as_slice()].concat();
                let mut input = BytesMut::from(head.as_slice());
                assert!(cut(&mut input).is_err(), "{kind} {length}");
                assert!(input.capacity() < 64);
            }
        }
    }

    proptest! {
        #[test]
        fn messages_are_whole_however_they_arrive(
            bodies in vec(vec(any::<u8>(), 0..40), 1..6),
            reads in vec(1..30_usize, 1..20),
        ) {
            let mut sent = BytesMut::from(framed(COPY_BOTH, &[0, 0, 0]).as_slice());
            for body in &bodies {
                CopyData::new(body.as_slice()).expect("short").write(&mut sent);
            }
            let (mut input, mut got, mut both) = (BytesMut::new(), Vec::new(), 0);
            let mut sizes = reads.iter().cycle();
            while !sent.is_empty() {
                let size = sizes.next().map_or(1, |s| *s).min(sent.len());
                input.extend_from_slice(&sent.split_to(size));
                while let Some(frame) = cut(&mut input).expect("well formed") {
                    match frame {
                        Frame::CopyBoth => both += 1,
                        Frame::Message(Message::CopyData(body)) => got.push(body.into_bytes()),
                        Frame::Message(_) => prop_assert!(false, "another message"),
                    }
                }
            }
            prop_assert_eq!(both, 1);
            prop_assert_eq!(got, bodies);
            prop_assert!(input.is_empty());
        }

        #[test]
        fn noise_never_panics(kind in any::<u8>(), body in vec(any::<u8>(), 0..80), length in 0..90_u32) {
            let head = [&[kind], length.to_be_bytes().as_slice(), &body].concat();
            let mut input = BytesMut::from(head.as_slice());
            while let Ok(Some(frame)) = cut(&mut input) {
                if let Frame::Message(Message::ErrorResponse(body)) = frame {
                    let _ = crate::postgres::wire::server_error(&body);
                }
            }
        }
    }
}

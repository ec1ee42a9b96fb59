//! Packets cut out of a socket's bytes.

use std::io;

use bytes::{Buf as _, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

pub(super) trait Socket: AsyncRead + AsyncWrite + Send + Sync + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Sync + Unpin> Socket for S {}

const READ: usize = 256 * 1024;
const HEAD: usize = 4;
/// A packet of this length is continued by the next one.
const FULL: usize = 0xff_ffff;
/// The server sends no event of more than 1 GB (`max_allowed_packet` of replication).
const LONGEST: usize = (1 << 30) + (1 << 20);

pub(super) struct Frames {
    socket: Option<Box<dyn Socket>>,
    input: BytesMut,
    /// The packets so far of a longer one.
    begun: Option<BytesMut>,
    /// Number of the next packet of the exchange.
    sequence: u8,
    returned: Option<Bytes>,
}

impl Frames {
    pub fn new(socket: Box<dyn Socket>) -> Self {
        Self {
            socket: Some(socket),
            input: BytesMut::with_capacity(READ),
            begun: None,
            sequence: 0,
            returned: None,
        }
    }

    /// Puts TLS around the socket. What came before it unencrypted must not be taken for more.
    pub fn take_socket(&mut self) -> io::Result<Box<dyn Socket>> {
        if !self.input.is_empty() {
            return Err(malformed("bytes before TLS"));
        }
        self.socket
            .take()
            .ok_or_else(|| io::ErrorKind::NotConnected.into())
    }

    pub fn put_socket(&mut self, socket: Box<dyn Socket>) {
        self.socket = Some(socket);
    }

    /// Begins a new exchange.
    pub async fn command(&mut self, payload: &[u8]) -> io::Result<()> {
        self.sequence = 0;
        self.send(payload).await
    }

    /// Sends one packet. Ours are all short.
    pub async fn send(&mut self, payload: &[u8]) -> io::Result<()> {
        if payload.len() >= FULL {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        let [a, b, c, ..] = (payload.len() as u32).to_le_bytes();
        let packet = [&[a, b, c, self.sequence], payload].concat();
        self.sequence = self.sequence.wrapping_add(1);
        let socket = self.socket.as_mut().ok_or(io::ErrorKind::NotConnected)?;
        socket.write_all(&packet).await?;
        socket.flush().await
    }

    /// The next packet. Cancel-safe, because `read_buf` is.
    pub async fn next(&mut self) -> io::Result<Bytes> {
        loop {
            if let Some(payload) = self.buffered()? {
                return Ok(payload);
            }
            if self.input.capacity() - self.input.len() < READ / 4 {
                self.input.reserve(READ);
            }
            let socket = self.socket.as_mut().ok_or(io::ErrorKind::NotConnected)?;
            if socket.read_buf(&mut self.input).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    }

    /// The next packet, if it is here already.
    pub fn buffered(&mut self) -> io::Result<Option<Bytes>> {
        if let Some(payload) = self.returned.take() {
            return Ok(Some(payload));
        }
        while let [a, b, c, sequence, ..] = *self.input {
            let length = u32::from_le_bytes([a, b, c, 0]) as usize;
            if self.begun.as_ref().map_or(0, BytesMut::len) + length > LONGEST {
                return Err(malformed("packet length"));
            }
            if self.input.len() < HEAD + length {
                self.input.reserve(HEAD + length - self.input.len());
                return Ok(None);
            }
            self.input.advance(HEAD);
            let payload = self.input.split_to(length);
            self.sequence = sequence.wrapping_add(1);
            match self.begun.take() {
                None if length < FULL => return Ok(Some(payload.freeze())),
                None => self.begun = Some(payload),
                Some(mut begun) => {
                    begun.extend_from_slice(&payload);
                    if length < FULL {
                        return Ok(Some(begun.freeze()));
                    }
                    self.begun = Some(begun);
                }
            }
        }
        Ok(None)
    }

    /// The packet is the next one again.
    pub fn put_back(&mut self, payload: Bytes) {
        self.returned = Some(payload);
    }

    pub async fn close(&mut self) {
        if let Some(mut socket) = self.socket.take() {
            let _ = socket.shutdown().await;
        }
    }
}

pub(super) fn malformed(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("malformed {what}"))
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn frames() -> Frames {
        Frames::new(Box::new(tokio::io::empty()))
    }

    fn packet(sequence: u8, payload: &[u8]) -> Vec<u8> {
        let [a, b, c, ..] = (payload.len() as u32).to_le_bytes();
        [&[a, b, c, sequence], payload].concat()
    }

    #[test]
    fn long_packets_are_joined() {
        let mut frames = frames();
        frames.input.extend(packet(0, &vec![7; FULL]));
        assert!(frames.buffered().expect("well formed").is_none());
        frames.input.extend(packet(1, &[8, 9]));
        frames.input.extend(packet(2, &[1]));
        let long = frames.buffered().expect("well formed").expect("a packet");
        assert_eq!((long.len(), &long[FULL..]), (FULL + 2, &[8, 9][..]));
        let next = frames.buffered().expect("well formed").expect("a packet");
        assert_eq!(&next[..], [1]);
        // A multiple of the longest ends with an empty one.
        frames.input.extend(packet(0, &vec![7; FULL]));
        frames.input.extend(packet(1, &[]));
        let long = frames.buffered().expect("well formed").expect("a packet");
        assert_eq!(long.len(), FULL);
    }

    proptest! {
        #[test]
        fn packets_are_whole_however_they_arrive(
            bodies in vec(vec(any::<u8>(), 0..40), 1..6),
            reads in vec(1..30_usize, 1..20),
        ) {
            let sent: Vec<u8> = bodies.iter().flat_map(|body| packet(0, body)).collect();
            let (mut frames, mut got, mut rest) = (frames(), Vec::new(), &sent[..]);
            let mut sizes = reads.iter().cycle();
            while !rest.is_empty() {
                let size = sizes.next().map_or(1, |s| *s).min(rest.len());
                frames.input.extend_from_slice(&rest[..size]);
                rest = &rest[size..];
                while let Some(payload) = frames.buffered().expect("well formed") {
                    got.push(payload);
                }
            }
            prop_assert_eq!(got, bodies);
        }
    }
}

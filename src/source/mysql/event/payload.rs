//! TRANSACTION_PAYLOAD_EVENT (`binlog_transaction_compression`): the events of a whole transaction,
//! packed together. They are unpacked one by one, so a large transaction takes no more memory here
//! than its packed bytes and one event.

use std::io::{BufReader, Read};

use bytes::{Buf as _, Bytes, BytesMut};

use super::Checksum;
use super::reader::Reader;
use super::{Event, HEADER};
use crate::source::mysql::SourceError;

/// No event is larger (`replica_max_allowed_packet`).
const LARGEST: usize = 1 << 30;
/// zstd's window: what its frames may refer back to. The server packs with levels up to 22, whose
/// largest window is 2^27.
const WINDOW: u32 = 27;
const WHAT: &str = "transaction payload";

pub struct Payload {
    bytes: Box<dyn Read + Send + Sync>,
    /// What the header says is still to come.
    left: u64,
}

impl std::fmt::Debug for Payload {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Payload")
            .field("left", &self.left)
            .finish_non_exhaustive()
    }
}

impl Payload {
    pub fn read(body: &Bytes) -> Result<Self, SourceError> {
        let mut r = Reader(body);
        let (mut size, mut packed, mut unpacked) = (None, None, None);
        loop {
            match r.packed(WHAT)? {
                // The end of the fields.
                0 => break,
                field => {
                    let length = r.count(WHAT)?;
                    let value = Reader(r.take(length, WHAT)?).packed(WHAT)?;
                    match field {
                        1 => size = Some(value),
                        2 => packed = Some(value),
                        3 => unpacked = Some(value),
                        _ => {}
                    }
                }
            }
        }
        let size = size.and_then(|size| usize::try_from(size).ok());
        let bytes = r.take(size.ok_or(SourceError::Malformed(WHAT))?, WHAT)?;
        let bytes = body.slice_ref(bytes);
        let length = bytes.len() as u64;
        let (bytes, left): (Box<dyn Read + Send + Sync>, u64) = match packed {
            Some(0) => {
                let broken = |_| SourceError::Malformed(WHAT);
                let mut zstd = zstd::Decoder::with_buffer(bytes.reader()).map_err(broken)?;
                zstd.window_log_max(WINDOW).map_err(broken)?;
                let left = unpacked.ok_or(SourceError::Malformed(WHAT))?;
                (Box::new(BufReader::with_capacity(64 * 1024, zstd)), left)
            }
            Some(255) => (Box::new(bytes.reader()), length),
            _ => {
                return Err(SourceError::Malformed(
                    "transaction payload: unknown method",
                ));
            }
        };
        Ok(Self { bytes, left })
    }

    /// The next event. They have no checksums of their own.
    pub fn next_event(&mut self) -> Result<Option<Event>, SourceError> {
        if self.left == 0 {
            let mut more = [0];
            return match self.bytes.read(&mut more) {
                Ok(0) => Ok(None),
                _ => Err(SourceError::Malformed("transaction payload: length")),
            };
        }
        let mut event = BytesMut::zeroed(HEADER);
        self.fill(&mut event)?;
        let size = u32::from_le_bytes([event[9], event[10], event[11], event[12]]) as usize;
        if !(HEADER..=LARGEST).contains(&size) || size as u64 > self.left {
            return Err(SourceError::Malformed("transaction payload: event length"));
        }
        self.left -= size as u64;
        let body = (&mut self.bytes).take((size - HEADER) as u64);
        let mut rest = Vec::new();
        let read = BufReader::new(body).read_to_end(&mut rest);
        if read.ok() != Some(size - HEADER) {
            return Err(SourceError::Malformed("transaction payload: contents"));
        }
        event.extend_from_slice(&rest);
        Event::read(event.freeze(), Checksum::None).map(Some)
    }

    fn fill(&mut self, bytes: &mut BytesMut) -> Result<(), SourceError> {
        let broken = |_| SourceError::Malformed("transaction payload: contents");
        self.bytes.read_exact(bytes).map_err(broken)
    }
}

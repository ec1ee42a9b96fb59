//! MariaDB's compressed events (`log_bin_compress`): what follows an event's own head is packed with
//! zlib, behind its length.

use std::io::Read as _;

use bytes::{BufMut as _, BytesMut};
use flate2::read::ZlibDecoder;

use super::Event;
use super::kind::{
    DELETE_ROWS, DELETE_ROWS_V1, MARIADB_DELETE_ROWS_COMPRESSED, MARIADB_DELETE_ROWS_COMPRESSED_V1,
    MARIADB_QUERY_COMPRESSED, MARIADB_WRITE_ROWS_COMPRESSED, MARIADB_WRITE_ROWS_COMPRESSED_V1,
    QUERY, UPDATE_ROWS, UPDATE_ROWS_V1, WRITE_ROWS, WRITE_ROWS_V1,
};
use super::reader::{Bits, Reader};
use crate::source::mysql::SourceError;

/// No event is larger, packed or not (`slave_max_allowed_packet`).
const LARGEST: u64 = 1 << 30;

/// The event as it would have been logged without compression; others are left as they are.
pub fn unpacked(mut event: Event) -> Result<Event, SourceError> {
    const WHAT: &str = "compressed event";
    let kinds = [WRITE_ROWS_V1, UPDATE_ROWS_V1, DELETE_ROWS_V1];
    let later = [WRITE_ROWS, UPDATE_ROWS, DELETE_ROWS];
    let packed = event.header.kind;
    let mut r = Reader(&event.body);
    let kind = match packed {
        MARIADB_QUERY_COMPRESSED => {
            r.skip(8, WHAT)?;
            let database = usize::from(r.u8(WHAT)?);
            r.skip(2, WHAT)?;
            let variables = usize::from(r.u16(WHAT)?);
            r.skip(variables + database + 1, WHAT)?;
            QUERY
        }
        MARIADB_WRITE_ROWS_COMPRESSED_V1..=MARIADB_DELETE_ROWS_COMPRESSED_V1
        | MARIADB_WRITE_ROWS_COMPRESSED..=MARIADB_DELETE_ROWS_COMPRESSED => {
            r.skip(6 + 2, WHAT)?;
            let v1 = packed <= MARIADB_DELETE_ROWS_COMPRESSED_V1;
            if !v1 {
                let extra = usize::from(r.u16(WHAT)?);
                r.skip(extra.saturating_sub(2), WHAT)?;
            }
            let (kinds, first) = match v1 {
                true => (kinds, MARIADB_WRITE_ROWS_COMPRESSED_V1),
                false => (later, MARIADB_WRITE_ROWS_COMPRESSED),
            };
            let columns = Bits::length(r.count(WHAT)?);
            let which = usize::from(packed - first);
            let images = if which == 1 { 2 } else { 1 };
            r.skip(columns.saturating_mul(images), WHAT)?;
            kinds[which]
        }
        _ => return Ok(event),
    };
    let head = event.body.len() - r.0.len();
    let rest = unpack(r)?;
    let mut body = BytesMut::with_capacity(head + rest.len());
    body.put(&event.body[..head]);
    body.put(&rest[..]);
    event.header.kind = kind;
    event.body = body.freeze();
    Ok(event)
}

/// A byte that says how: 1 bit "packed", 3 bits of the method, 4 bits how many bytes the length has
/// (big-endian); then the length and the packed bytes.
fn unpack(mut r: Reader<'_>) -> Result<Vec<u8>, SourceError> {
    const WHAT: &str = "compressed event";
    let how = r.u8(WHAT)?;
    if how & 0x80 == 0 || how & 0x70 != 0 {
        return Err(SourceError::Malformed("compressed event: unknown method"));
    }
    let length = r.take(usize::from(how & 0x07), WHAT)?;
    let length = length.iter().fold(0, |n, b| n << 8 | u64::from(*b));
    if length > LARGEST {
        return Err(SourceError::Malformed("compressed event: length"));
    }
    let mut bytes = Vec::new();
    let mut packed = ZlibDecoder::new(r.0).take(length + 1);
    let read = packed.read_to_end(&mut bytes);
    match read {
        Ok(read) if read as u64 == length => Ok(bytes),
        _ => Err(SourceError::Malformed("compressed event: contents")),
    }
}

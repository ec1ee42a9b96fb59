//! MariaDB's `COMPRESSED` columns: the log has their values as the table keeps them.

use std::io::Read;

use flate2::read::{DeflateDecoder, ZlibDecoder};

use super::event::table_map::{Wire, types};

/// The highest bits of the first byte: how the rest is kept.
const PLAIN: u8 = 0;
const ZLIB: u8 = 8;

pub fn is_packed(wire: &Wire) -> bool {
    matches!(wire.ty, types::BLOB_COMPRESSED | types::VARCHAR_COMPRESSED)
}

/// A value as it was stored, of its bytes in the log with their length before them. None where they
/// are no such value.
///
/// An empty one has no bytes. Else the first byte tells the method, whether zlib's own head is left
/// out, and how many bytes follow with the length (big-endian).
pub fn unpacked(wire: &Wire, bytes: &[u8]) -> Option<Vec<u8>> {
    let longest = u16::from_le_bytes(wire.meta);
    let prefix = match wire.ty {
        types::BLOB_COMPRESSED => usize::from(wire.meta[0]),
        _ if longest > 255 => 2,
        _ => 1,
    };
    let Some((how, rest)) = bytes.get(prefix..)?.split_first() else {
        return Some(Vec::new());
    };
    match how >> 4 {
        PLAIN => Some(rest.to_vec()),
        ZLIB => {
            let (length, packed) = rest.split_at_checked(usize::from(how & 0x07))?;
            let length = length.iter().fold(0, |n, b| n << 8 | u64::from(*b));
            match how & 0x08 == 0 {
                true => inflated(ZlibDecoder::new(packed), length),
                false => inflated(DeflateDecoder::new(packed), length),
            }
        }
        _ => None,
    }
}

fn inflated(packed: impl Read, length: u64) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    // One more, so that what is too long is seen, and no more than that.
    let read = packed.take(length.checked_add(1)?).read_to_end(&mut bytes);
    (read.ok()? as u64 == length).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As MariaDB 10.11 has logged them.
    #[test]
    fn values_of_the_log() {
        let text = |longest: u16| Wire {
            ty: types::VARCHAR_COMPRESSED,
            meta: longest.to_le_bytes(),
        };
        let blob = Wire {
            ty: types::BLOB_COMPRESSED,
            meta: [2, 0],
        };
        let of = |wire: Wire, bytes: &[u8]| unpacked(&wire, bytes);
        let packed = [0x08, 0x89, 0xfe, 0x4b, 0x4c, 0x1c, 0xc9, 0x00, 0x00];
        assert_eq!(of(text(255), &packed), Some(vec![b'a'; 254]));
        let long = [8, 0, 0x89, 0xc8, 0x4b, 0x4a, 0x1a, 0x1e, 0, 0];
        assert_eq!(of(text(256), &long), Some(vec![b'b'; 200]));
        assert_eq!(of(blob, &[0, 0]), Some(Vec::new()));
        assert_eq!(of(text(301), &[2, 0, 0, 0]), Some(vec![0]));
        // Cut off, longer than it says, of another method.
        assert_eq!(of(text(255), &packed[..6]), None);
        assert_eq!(
            of(text(255), &[0x08, 0x89, 0xfd, 0x4b, 0x4c, 0x1c, 0xc9, 0, 0]),
            None
        );
        assert_eq!(of(text(255), &[1, 0x70]), None);
        assert_eq!(of(text(256), &[1]), None);
    }
}

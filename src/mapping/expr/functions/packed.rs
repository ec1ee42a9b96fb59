//! Bytes that hold something else: compressed payloads, and texts in an encoding.

use std::io::Read;

use flate2::{Decompress, FlushDecompress, Status};

use super::bytes::print;
use super::{Args, Function, Takes, function};
use crate::mapping::expr::error::EvalError;
use crate::sqltype::Class;

const TEXT: Takes = Takes::Is(Class::Text);
const BYTEA: Takes = Takes::Is(Class::Bytea);

/// A few bytes can unpack to many: one payload of a cart is not longer than this.
const MAX_BYTES: usize = 16 << 20;

/// zstd's memory for one payload: 2^24 bytes.
const ZSTD_WINDOW: u32 = 24;

type Given = Result<Option<String>, EvalError>;

pub(super) const ALL: &[Function] = &[
    Function {
        sql: false,
        ..function("decompress", &[BYTEA, TEXT], Class::Bytea, decompress)
    },
    function("convert_from", &[BYTEA, TEXT], Class::Text, convert_from),
    function("convert_to", &[TEXT, TEXT], Class::Bytea, convert_to),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Packing {
    Zlib,
    Deflate,
    Gzip,
    Zstd,
    Mysql,
}

/// The formats of `decompress`.
pub const PACKINGS: [&str; 5] = ["zlib", "deflate", "gzip", "zstd", "mysql"];

fn packing(name: &str) -> Option<Packing> {
    use Packing::*;
    let known = PACKINGS.iter().zip([Zlib, Deflate, Gzip, Zstd, Mysql]);
    let mut named = known.filter(|(known, _)| known.eq_ignore_ascii_case(name));
    named.next().map(|(_, packing)| packing)
}

pub fn is_packing(name: &str) -> bool {
    packing(name).is_some()
}

enum Broken {
    TooLong,
    Bytes,
}

fn decompress(a: &Args<'_>) -> Given {
    let format = a.error("the format must be zlib, deflate, gzip, zstd or mysql");
    let packing = packing(a.text(1)).ok_or(format)?;
    match unpack(&a.bytes(0)?, packing) {
        Ok(bytes) => Ok(Some(print(&bytes))),
        Err(Broken::TooLong) => Err(a.error("more than 16 MiB come of the bytes")),
        Err(Broken::Bytes) => Err(a.error("the bytes are not in this format")),
    }
}

fn unpack(bytes: &[u8], packing: Packing) -> Result<Vec<u8>, Broken> {
    match packing {
        Packing::Zlib => inflate(bytes, true),
        Packing::Deflate => inflate(bytes, false),
        Packing::Gzip => all(flate2::read::MultiGzDecoder::new(bytes)),
        Packing::Zstd => {
            let mut zstd = zstd::Decoder::with_buffer(bytes).map_err(|_| Broken::Bytes)?;
            zstd.window_log_max(ZSTD_WINDOW)
                .map_err(|_| Broken::Bytes)?;
            all(zstd)
        }
        // COMPRESS(): the length in four bytes, the lowest first, before what zlib makes. The
        // highest two bits are none of it.
        Packing::Mysql if bytes.is_empty() => Ok(Vec::new()),
        Packing::Mysql => {
            let (length, packed) = bytes.split_first_chunk::<4>().ok_or(Broken::Bytes)?;
            let length = u32::from_le_bytes(*length) & 0x3fff_ffff;
            let unpacked = inflate(packed, true)?;
            let agrees = usize::try_from(length).is_ok_and(|n| n == unpacked.len());
            agrees.then_some(unpacked).ok_or(Broken::Bytes)
        }
    }
}

/// Neither a stream that is cut off nor one with something behind it is taken.
fn inflate(packed: &[u8], head: bool) -> Result<Vec<u8>, Broken> {
    let mut state = Decompress::new(head);
    let mut out = Vec::with_capacity(packed.len().saturating_mul(4).clamp(256, MAX_BYTES));
    loop {
        let before = (state.total_in(), state.total_out());
        let read = usize::try_from(before.0).unwrap_or(usize::MAX);
        let rest = packed.get(read..).unwrap_or_default();
        let status = state.decompress_vec(rest, &mut out, FlushDecompress::None);
        let read = usize::try_from(state.total_in()).unwrap_or(usize::MAX);
        match status {
            Err(_) => return Err(Broken::Bytes),
            _ if out.len() > MAX_BYTES => return Err(Broken::TooLong),
            Ok(Status::StreamEnd) if read == packed.len() => return Ok(out),
            Ok(Status::StreamEnd) => return Err(Broken::Bytes),
            Ok(_) if out.len() == out.capacity() => out.reserve(out.len()),
            Ok(_) if (state.total_in(), state.total_out()) == before => return Err(Broken::Bytes),
            Ok(_) => {}
        }
    }
}

fn all(reader: impl Read) -> Result<Vec<u8>, Broken> {
    let mut out = Vec::new();
    let most = MAX_BYTES as u64 + 1;
    let read = reader.take(most).read_to_end(&mut out);
    read.map_err(|_| Broken::Bytes)?;
    match out.len() > MAX_BYTES {
        true => Err(Broken::TooLong),
        false => Ok(out),
    }
}

#[derive(Clone, Copy)]
enum Encoding {
    Utf8,
    Latin1,
}

/// The server's names and their other spellings: it reads past case and all but letters and digits.
fn encoding(name: &str) -> Option<Encoding> {
    let letters = name.chars().filter(char::is_ascii_alphanumeric);
    match letters.collect::<String>().to_lowercase().as_str() {
        "utf8" | "unicode" => Some(Encoding::Utf8),
        "latin1" | "iso88591" => Some(Encoding::Latin1),
        _ => None,
    }
}

pub fn is_encoding(name: &str) -> bool {
    encoding(name).is_some()
}

fn encoding_of(a: &Args<'_>) -> Result<Encoding, EvalError> {
    encoding(a.text(1)).ok_or_else(|| a.error("the encoding must be UTF8 or LATIN1"))
}

fn convert_from(a: &Args<'_>) -> Given {
    let bytes = a.bytes(0)?;
    let text = match encoding_of(a)? {
        Encoding::Utf8 => String::from_utf8(bytes).ok(),
        Encoding::Latin1 => Some(bytes.into_iter().map(char::from).collect()),
    };
    // No text of the server holds a zero.
    match text.filter(|text| !text.contains('\0')) {
        Some(text) => Ok(Some(text)),
        None => Err(a.error("the bytes are no text of this encoding")),
    }
}

fn convert_to(a: &Args<'_>) -> Given {
    let text = a.text(0);
    let bytes: Option<Vec<u8>> = match encoding_of(a)? {
        Encoding::Utf8 => Some(text.as_bytes().to_vec()),
        Encoding::Latin1 => text
            .chars()
            .map(|c| u8::try_from(u32::from(c)).ok())
            .collect(),
    };
    match bytes {
        Some(bytes) => Ok(Some(print(&bytes))),
        None => Err(a.error("the encoding lacks a character of the text")),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};

    use super::*;

    fn pack(plain: &[u8], packing: Packing) -> Vec<u8> {
        let best = Compression::best();
        match packing {
            Packing::Zlib => {
                let mut zlib = ZlibEncoder::new(Vec::new(), best);
                zlib.write_all(plain).and(zlib.finish()).unwrap()
            }
            Packing::Deflate => {
                let mut deflate = DeflateEncoder::new(Vec::new(), best);
                deflate.write_all(plain).and(deflate.finish()).unwrap()
            }
            Packing::Gzip => {
                let mut gzip = GzEncoder::new(Vec::new(), best);
                gzip.write_all(plain).and(gzip.finish()).unwrap()
            }
            Packing::Zstd => zstd::encode_all(plain, 3).unwrap(),
            Packing::Mysql if plain.is_empty() => Vec::new(),
            Packing::Mysql => {
                let length = (plain.len() as u32).to_le_bytes();
                [&length[..], &pack(plain, Packing::Zlib)].concat()
            }
        }
    }

    const ALL: [Packing; 5] = [
        Packing::Zlib,
        Packing::Deflate,
        Packing::Gzip,
        Packing::Zstd,
        Packing::Mysql,
    ];

    #[test]
    fn what_was_packed_comes_out() {
        for packing in ALL {
            for plain in [&b""[..], b"a:1:{i:0;N;}", &[7; 100_000]] {
                let packed = pack(plain, packing);
                let unpacked = unpack(&packed, packing).ok();
                assert_eq!(unpacked.as_deref(), Some(plain), "{packing:?}");
                for cut in 1..packed.len() {
                    let part = unpack(&packed[..cut], packing);
                    assert!(part.is_err(), "{packing:?} of {cut} bytes");
                }
                let longer = [&packed[..], b"x"].concat();
                assert!(unpack(&longer, packing).is_err(), "{packing:?}");
            }
        }
    }

    #[test]
    fn a_bomb_is_refused() {
        let most = vec![0; MAX_BYTES];
        let more = vec![0; MAX_BYTES + 1];
        for packing in ALL {
            let unpacked = unpack(&pack(&most, packing), packing);
            assert!(unpacked.is_ok_and(|u| u.len() == MAX_BYTES), "{packing:?}");
            let bomb = pack(&more, packing);
            assert!(bomb.len() < 20_000, "{packing:?}");
            let refused = unpack(&bomb, packing);
            assert!(matches!(refused, Err(Broken::TooLong)), "{packing:?}");
        }
    }
}

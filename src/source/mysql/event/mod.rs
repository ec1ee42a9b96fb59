//! Events of the binlog, version 4 ("Binlog Event", and MariaDB's "Replication Protocol"): their
//! common header and what ends them.

pub mod compressed;
pub mod gtid;
pub mod kind;
pub mod payload;
pub mod query;
pub mod reader;
pub mod rows;
pub mod table_map;

use bytes::{Buf as _, Bytes};

use self::reader::{Reader, text};
use super::SourceError;

pub const HEADER: usize = 19;
const CHECKSUM: usize = 4;

/// It is not in the log: the server made it up for us.
const ARTIFICIAL: u16 = 0x20;
/// Whoever does not know it may pass it by.
const IGNORABLE: u16 = 0x80;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Seconds since 1970.
    pub time: u32,
    pub kind: u8,
    /// The server that wrote it first.
    pub server: u32,
    pub size: u32,
    /// Where the next event begins in the file, as far as 32 bits go; 0 where nobody says.
    pub end: u32,
    pub flags: u16,
}

impl Header {
    pub fn is_artificial(&self) -> bool {
        self.flags & ARTIFICIAL != 0
    }

    pub fn is_ignorable(&self) -> bool {
        self.flags & IGNORABLE != 0
    }
}

/// What the events of a file end with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Checksum {
    /// Before the first format description: tried.
    Unknown,
    None,
    Crc32,
}

/// An event without its header and checksum.
#[derive(Clone, Debug)]
pub struct Event {
    pub header: Header,
    pub body: Bytes,
}

impl Event {
    pub fn read(mut bytes: Bytes, checksum: Checksum) -> Result<Self, SourceError> {
        const WHAT: &str = "event header";
        let mut r = Reader(&bytes);
        let header = Header {
            time: r.u32(WHAT)?,
            kind: r.u8(WHAT)?,
            server: r.u32(WHAT)?,
            size: r.u32(WHAT)?,
            end: r.u32(WHAT)?,
            flags: r.u16(WHAT)?,
        };
        if header.size as usize != bytes.len() {
            return Err(SourceError::Malformed("event length"));
        }
        // A format description has one in every log: it says what the others have.
        let has = match checksum {
            _ if header.kind == kind::FORMAT_DESCRIPTION => true,
            Checksum::None => false,
            Checksum::Crc32 => true,
            Checksum::Unknown => fits(&bytes),
        };
        // What the server makes up as it goes from one file to the next it ends as the session
        // was agreed on, not as either file.
        let has = match header.kind {
            kind::ROTATE | kind::HEARTBEAT if header.is_artificial() || header.end == 0 => {
                fits(&bytes)
            }
            _ => has,
        };
        if has {
            if !fits(&bytes) && header.kind != kind::FORMAT_DESCRIPTION {
                return Err(SourceError::Malformed("event: its checksum is wrong"));
            }
            bytes.truncate(bytes.len().saturating_sub(CHECKSUM).max(HEADER));
        }
        // Its length was seen when the header was read.
        bytes.advance(HEADER);
        Ok(Self {
            header,
            body: bytes,
        })
    }
}

/// The last four bytes are the CRC-32 of those before.
fn fits(bytes: &[u8]) -> bool {
    let Some((body, sum)) = bytes.split_last_chunk() else {
        return false;
    };
    body.len() >= HEADER && crc32fast::hash(body) == u32::from_le_bytes(*sum)
}

/// FORMAT_DESCRIPTION_EVENT: what the events of its file look like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Format {
    pub checksum: Checksum,
    /// The server was started with this file; what the last file left open, it rolled back.
    pub started: bool,
}

impl Format {
    pub fn read(body: &Bytes) -> Result<Self, SourceError> {
        const WHAT: &str = "format description";
        let mut r = Reader(body);
        if r.u16(WHAT)? != 4 {
            return Err(SourceError::Malformed("format description: not version 4"));
        }
        r.skip(50, WHAT)?;
        let created = r.u32(WHAT)?;
        if usize::from(r.u8(WHAT)?) != HEADER {
            return Err(SourceError::Malformed("format description: header length"));
        }
        let checksum = match r.0.last() {
            Some(0 | 255) => Checksum::None,
            Some(1) => Checksum::Crc32,
            _ => return Err(SourceError::Malformed("format description: checksum")),
        };
        Ok(Self {
            checksum,
            started: created != 0,
        })
    }
}

/// ROTATE_EVENT: the file that comes next, and where its first event is.
pub fn rotation(body: &Bytes) -> Result<(String, u64), SourceError> {
    const WHAT: &str = "rotation";
    let mut r = Reader(body);
    let offset = r.u64(WHAT)?;
    Ok((text(r.0, WHAT)?.to_owned(), offset))
}

#[cfg(test)]
mod tests;

//! The events that begin a transaction, and say which one it is.

use bytes::Bytes;
use uuid::Uuid;

use super::Header;
use super::reader::Reader;
use crate::source::mysql::SourceError;
use crate::source::mysql::gtid::{Gtid, mariadb, uuid as mysql};
use crate::source::mysql::statement;

/// MariaDB: the group is one statement, and no commit follows.
const STANDALONE: u8 = 0x01;
/// MariaDB: a group that is committed together with others says which.
const GROUP_COMMIT: u8 = 0x02;

/// MariaDB: the group only prepares a transaction, and says which.
const PREPARES: u8 = 0x40;

/// How a transaction begins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Beginning {
    /// None without ids (`gtid_mode = OFF`).
    pub gtid: Option<Gtid>,
    /// Its first statement is all of it.
    pub standalone: bool,
    /// It waits for a verdict, under this name.
    pub prepares: Option<String>,
    /// Microseconds since 1970.
    pub time: i64,
}

pub fn seconds(header: &Header) -> i64 {
    i64::from(header.time) * 1_000_000
}

/// MariaDB's GTID_EVENT.
pub fn mariadb(header: &Header, body: &Bytes) -> Result<Beginning, SourceError> {
    const WHAT: &str = "GTID event";
    let mut r = Reader(body);
    let sequence = r.u64(WHAT)?;
    let domain = r.u32(WHAT)?;
    let flags = r.u8(WHAT)?;
    if flags & GROUP_COMMIT != 0 {
        r.skip(8, WHAT)?;
    }
    let prepares = match flags & PREPARES {
        0 => None,
        _ => Some(xid(&mut r)?),
    };
    Ok(Beginning {
        gtid: Some(Gtid::MariaDb(mariadb::Gtid {
            domain,
            server: header.server,
            sequence,
        })),
        standalone: flags & STANDALONE != 0,
        prepares,
        time: seconds(header),
    })
}

/// The number of its format, two lengths, and two parts; spelled as statements name it.
fn xid(r: &mut Reader<'_>) -> Result<String, SourceError> {
    const WHAT: &str = "name of an XA transaction";
    let format = r.u32(WHAT)?;
    let lengths = [r.u8(WHAT)?, r.u8(WHAT)?];
    let [global, branch] = lengths.map(usize::from);
    let (global, branch) = (r.take(global, WHAT)?, r.take(branch, WHAT)?);
    Ok(statement::xid(global, branch, format))
}

/// MySQL's GTID_EVENT and ANONYMOUS_GTID_EVENT.
pub fn mysql(header: &Header, body: &Bytes, anonymous: bool) -> Result<Beginning, SourceError> {
    const WHAT: &str = "GTID event";
    let mut r = Reader(body);
    r.skip(1, WHAT)?;
    let source = source(r.take(16, WHAT)?);
    let number = r.u64(WHAT)?;
    // From 5.7 on a logical clock follows, from 8.0.1 on the moment of the commit in 55 bits.
    let mut time = seconds(header);
    if r.0.first() == Some(&2) && r.0.len() >= 1 + 16 + 7 {
        r.skip(1 + 16, WHAT)?;
        time = (r.number(7, WHAT)? & ((1 << 55) - 1)) as i64;
    }
    let gtid = Gtid::MySql(mysql::Gtid {
        source,
        tag: mysql::Tag::default(),
        number,
    });
    Ok(Beginning {
        gtid: (!anonymous).then_some(gtid),
        time,
        ..Beginning::default()
    })
}

fn source(bytes: &[u8]) -> Uuid {
    Uuid::from_slice(bytes).unwrap_or_default()
}

/// GTID_TAGGED_LOG_EVENT, in MySQL's "serialization library" format: a list of fields, each with its
/// number before it, all numbers of variable length.
pub fn tagged(header: &Header, body: &Bytes) -> Result<Beginning, SourceError> {
    const WHAT: &str = "tagged GTID event";
    let mut r = Reader(body);
    // Version of the format, size of the message, last field that must be understood.
    for _ in 0..3 {
        variable(&mut r)?;
    }
    let (mut id, mut number, mut tag) = (Vec::new(), 0, mysql::Tag::default());
    let mut time = seconds(header);
    while !r.0.is_empty() {
        match variable(&mut r)? {
            // Flags.
            0 => {
                variable(&mut r)?;
            }
            1 => {
                for _ in 0..16 {
                    let byte = variable(&mut r)?;
                    id.push(u8::try_from(byte).map_err(|_| SourceError::Malformed(WHAT))?);
                }
            }
            2 => number = zigzag(variable(&mut r)?),
            3 => {
                let length = variable(&mut r)? as usize;
                let name = r.take(length, WHAT)?;
                let name = std::str::from_utf8(name).ok();
                let read = name.and_then(mysql::Tag::new);
                tag = read.ok_or(SourceError::Malformed(WHAT))?;
            }
            // The logical clock.
            4 | 5 => {
                variable(&mut r)?;
            }
            6 => {
                time = i64::try_from(variable(&mut r)?).unwrap_or(time);
                break;
            }
            _ => break,
        }
    }
    let source = Uuid::from_slice(&id).map_err(|_| SourceError::Malformed(WHAT))?;
    match u64::try_from(number) {
        Ok(number @ 1..) => Ok(Beginning {
            gtid: Some(Gtid::MySql(mysql::Gtid {
                source,
                tag,
                number,
            })),
            time,
            ..Beginning::default()
        }),
        _ => Err(SourceError::Malformed(WHAT)),
    }
}

/// The count of low ones in the first byte is the count of further bytes.
pub(super) fn variable(r: &mut Reader<'_>) -> Result<u64, SourceError> {
    const WHAT: &str = "number of a tagged GTID event";
    let first = r.u8(WHAT)?;
    let more = first.trailing_ones() as usize;
    let rest = r.number(more, WHAT)?;
    Ok(match more {
        0..=7 => {
            let low = u64::from(first) >> (more + 1);
            // Of seven further bytes the first one holds nothing.
            low | rest.checked_shl(7 - more as u32).unwrap_or_default()
        }
        _ => rest,
    })
}

/// Signed numbers go 0, -1, 1, -2, …
pub(super) fn zigzag(number: u64) -> i64 {
    (number >> 1) as i64 ^ -((number & 1) as i64)
}

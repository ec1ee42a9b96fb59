//! Statements in the log: QUERY_EVENT, and that of LOAD DATA.

use bytes::Bytes;

use super::reader::Reader;
use crate::source::mysql::SourceError;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// The session that ran it (`CONNECTION_ID()`).
    pub session: u32,
    /// The database it was in.
    pub database: String,
    pub text: String,
}

impl Query {
    /// `load`: of EXECUTE_LOAD_QUERY_EVENT, which has more before its text.
    pub fn read(body: &Bytes, load: bool) -> Result<Self, SourceError> {
        const WHAT: &str = "query";
        let mut r = Reader(body);
        let session = r.u32(WHAT)?;
        r.skip(4, WHAT)?;
        let database = usize::from(r.u8(WHAT)?);
        r.skip(2, WHAT)?;
        let variables = usize::from(r.u16(WHAT)?);
        if load {
            r.skip(4 + 4 + 4 + 1, WHAT)?;
        }
        r.skip(variables, WHAT)?;
        let database = letters(r.take(database, WHAT)?);
        r.skip(1, WHAT)?;
        Ok(Self {
            session,
            database,
            text: letters(r.0),
        })
    }
}

/// A statement is logged as its session spoke: UTF-8, or one byte a letter.
fn letters(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.iter().map(|b| char::from(*b)).collect(),
    }
}

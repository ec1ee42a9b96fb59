//! What the server's refusal to send the log means.

use mysql_async::ServerError;

use super::SourceError;
use super::dump::WireError;
use super::identity::IdentityError;
use crate::config::Endpoint;
use crate::mysql::url;

/// ER_MASTER_FATAL_ERROR_READING_BINLOG: one number for all that keeps a server from sending on. Its
/// words are the server's own, in no other language (sql/rpl_source.cc, sql/sql_repl.cc).
const FATAL: u16 = 1236;
/// MariaDB's ER_SLAVE_SAME_ID.
const SAME_ID: u16 = 4052;

/// What was asked for.
pub(super) struct Asked {
    pub server_id: u32,
    pub user: String,
    pub start: String,
}

pub(super) fn user(endpoint: &Endpoint) -> String {
    url::read(&endpoint.url.0).map_or_else(|_| String::new(), |url| url.user)
}

impl Asked {
    pub fn refused(&self, error: WireError) -> SourceError {
        match error {
            WireError::Io(cause) => SourceError::Lost {
                cause: cause.to_string(),
            },
            WireError::Server(error) => self.by_number(error),
        }
    }

    fn by_number(&self, error: ServerError) -> SourceError {
        let says = |words: &str| error.message.contains(words);
        let start = self.start.clone();
        match error.code {
            SAME_ID => self.taken_over(),
            FATAL if says("same server_uuid") || says("same server_id") => self.taken_over(),
            FATAL if says("Could not find first log file name") => {
                IdentityError::Purged { at: start }.into()
            }
            FATAL if says("position > file size") || says("impossible position") => {
                IdentityError::Behind { at: start }.into()
            }
            1045 | 1142 | 1227 => SourceError::Permission {
                user: self.user.clone(),
                message: error.message,
            },
            // Its session was killed, or the server goes down.
            1053 | 1317 | 1927 | 3169 => SourceError::Lost {
                cause: error.message,
            },
            _ => SourceError::Server(error),
        }
    }

    fn taken_over(&self) -> SourceError {
        SourceError::ReplicaId {
            server_id: self.server_id,
            who: String::new(),
        }
    }
}

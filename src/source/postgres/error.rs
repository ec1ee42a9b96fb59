//! Why the log cannot be read on, and who can mend it.

use crate::postgres::connect::ConnectError;
use crate::postgres::fault::{self, Fault};
use crate::postgres::wire::{ServerError, WireError};

#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    #[error(transparent)]
    Connect(#[from] ConnectError),
    #[error(
        "slot \"{slot}\" is in use by PID {pid}; stop the other reader, or end its session with SELECT pg_terminate_backend({pid})"
    )]
    SlotActive { slot: String, pid: u32 },
    #[error("slot \"{slot}\" does not exist; run `cartage setup`, then refresh the carts")]
    SlotMissing { slot: String },
    #[error(
        "slot \"{slot}\" lost its log ({message}); drop it, run `cartage setup`, then refresh the carts"
    )]
    SlotLost { slot: String, message: String },
    #[error("publication \"{publication}\" does not exist for the slot; run `cartage setup`")]
    PublicationMissing { publication: String },
    #[error("the source does not write a logical log; set `wal_level = logical` and restart it")]
    WalLevel,
    #[error("the source's role may not replicate ({message}); ALTER ROLE … REPLICATION")]
    Permission { message: String },
    #[error("the connection to the source's log broke: {cause}")]
    Lost { cause: String },
    #[error(
        "column {column} of {table} {what}; correct the mapping or the publication, then run `cartage check`"
    )]
    Schema {
        table: String,
        column: String,
        what: String,
    },
    #[error("the source's log cannot be decoded: malformed {0}")]
    Malformed(&'static str),
    #[error("the source ended its log: {0}")]
    Server(ServerError),
}

impl SourceError {
    pub fn fault(&self) -> Fault {
        match self {
            Self::Connect(error) => error.fault(),
            Self::Lost { .. } => Fault::Retry,
            Self::Server(error) => match fault::of_code(&error.code).0 {
                // No cart is to blame for what the walsender says.
                Fault::Row => Fault::Stop,
                fault => fault,
            },
            _ => Fault::Stop,
        }
    }

    /// What a failed replication command, or the end of the stream, means.
    pub(super) fn of(error: WireError, slot: &str, publication: &str) -> Self {
        let error = match error {
            WireError::Io(cause) => {
                return Self::Lost {
                    cause: cause.to_string(),
                };
            }
            WireError::Server(error) => error,
        };
        let slot = slot.to_owned();
        let message = error.message.clone();
        match error.code.as_str() {
            "55006" => match pid(&message) {
                Some(pid) => Self::SlotActive { slot, pid },
                None => Self::Server(error),
            },
            "42704" if message.contains("publication") => Self::PublicationMissing {
                publication: publication.to_owned(),
            },
            "42704" => Self::SlotMissing { slot },
            "55000" if message.contains("wal_level") => Self::WalLevel,
            // "can no longer get changes from", "cannot read from logical replication slot"
            "55000" if message.contains("slot") => Self::SlotLost { slot, message },
            "58P01" => Self::SlotLost { slot, message },
            "42501" | "28000" => Self::Permission { message },
            _ => Self::Server(error),
        }
    }
}

/// The number in `replication slot "…" is active for PID 4711`, in whatever language.
fn pid(message: &str) -> Option<u32> {
    message
        .rsplit(|c: char| !c.is_ascii_digit())
        .find(|s| !s.is_empty())?
        .parse()
        .ok()
}

//! Why the log cannot be read on, and who can mend it.

use crate::postgres::connect::ConnectError;
use crate::postgres::fault::{self, Fault};
use crate::postgres::wire::{ServerError, WireError};

#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    #[error("source: {0}")]
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
    #[error("the source ended its log: {}", fault::tell(.0))]
    Server(ServerError),
}

impl SourceError {
    pub fn fault(&self) -> Fault {
        match self {
            Self::Connect(error) => error.fault(),
            Self::Lost { .. } => Fault::Retry,
            Self::Server(error) => fault::of_code(&error.code).0.without_row(),
            _ => Fault::Stop,
        }
    }

    /// Why START_REPLICATION failed. Messages come in the server's language, so only SQLSTATEs
    /// and the names in them count.
    pub(super) fn of_start(error: WireError, slot: &str) -> Self {
        let error = match error {
            WireError::Io(cause) => return Self::lost(&cause),
            WireError::Server(error) => error,
        };
        let message = error.message.clone();
        let slot = slot.to_owned();
        match error.code.as_str() {
            "55006" => match pid(&message, &slot) {
                Some(pid) => Self::SlotActive { slot, pid },
                None => Self::Server(error),
            },
            // pgoutput looks for its publications only when the first change comes.
            "42704" => Self::SlotMissing { slot },
            "55000" if message.contains("wal_level") => Self::WalLevel,
            // "can no longer get changes from", "cannot read from logical replication slot"
            "55000" if message.contains(&slot) => Self::SlotLost { slot, message },
            "58P01" => Self::SlotLost { slot, message },
            "42501" => Self::Permission { message },
            _ => Self::Server(error),
        }
    }

    /// Why the stream ended.
    pub(super) fn of_stream(error: WireError, slot: &str, publication: &str) -> Self {
        let error = match error {
            WireError::Io(cause) => return Self::lost(&cause),
            WireError::Server(error) => error,
        };
        match error.code.as_str() {
            "42704" => Self::PublicationMissing {
                publication: publication.to_owned(),
            },
            // A file of the log is gone.
            "58P01" => Self::SlotLost {
                slot: slot.to_owned(),
                message: error.message,
            },
            _ => Self::Server(error),
        }
    }

    /// The walsender itself turns away a role that may not replicate.
    pub(super) fn of_connect(error: ConnectError) -> Self {
        let denied = error.with_code("42501").map(|e| e.message.clone());
        match denied {
            Some(message) if error.fault() == Fault::Stop => Self::Permission { message },
            _ => Self::Connect(error),
        }
    }

    fn lost(cause: &std::io::Error) -> Self {
        Self::Lost {
            cause: cause.to_string(),
        }
    }
}

/// The number in `replication slot "…" is active for PID 4711`, wherever it stands.
fn pid(message: &str, slot: &str) -> Option<u32> {
    message
        .replace(slot, "")
        .rsplit(|c: char| !c.is_ascii_digit())
        .find(|s| !s.is_empty())?
        .parse()
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(code: &str, message: &str) -> WireError {
        WireError::Server(ServerError {
            code: code.into(),
            message: message.into(),
        })
    }

    #[test]
    fn the_language_of_the_server_does_not_matter() {
        let start = |code, message| SourceError::of_start(said(code, message), "cartage_7");
        for message in [
            "replication slot \"cartage_7\" is active for PID 4711",
            "Replikations-Slot »cartage_7« ist aktiv für PID 4711",
            "PID 4711: cartage_7",
        ] {
            let error = start("55006", message);
            assert!(
                matches!(error, SourceError::SlotActive { pid: 4711, .. }),
                "{error}"
            );
        }
        for message in [
            "can no longer get changes from replication slot \"cartage_7\"",
            "kann keine Änderungen mehr von »cartage_7« lesen",
        ] {
            let error = start("55000", message);
            assert!(matches!(error, SourceError::SlotLost { .. }), "{error}");
        }
        let error = start("42704", "Replikations-Slot »cartage_7« existiert nicht");
        assert!(matches!(error, SourceError::SlotMissing { .. }), "{error}");
        let error = start(
            "55000",
            "logische Dekodierung erfordert wal_level >= logical",
        );
        assert!(matches!(error, SourceError::WalLevel), "{error}");
        let gone = said("42704", "Publikation »cartage_7« existiert nicht");
        let error = SourceError::of_stream(gone, "cartage_7", "cartage_7");
        assert!(
            matches!(error, SourceError::PublicationMissing { .. }),
            "{error}"
        );
    }

    #[test]
    fn what_passes_is_tried_again() {
        let end = |error| SourceError::of_stream(error, "s", "p").fault();
        assert_eq!(end(said("57P01", "terminating connection")), Fault::Retry);
        let reset = std::io::Error::from(std::io::ErrorKind::ConnectionReset);
        assert_eq!(end(WireError::Io(reset)), Fault::Retry);
        assert_eq!(end(said("XX000", "cache lookup failed")), Fault::Stop);
        assert_eq!(end(said("23505", "who knows")), Fault::Stop);
    }
}

//! Why the log cannot be read on, and who can mend it.

use super::identity::IdentityError;
use crate::postgres::connect::ConnectError;
use crate::postgres::fault::{self, Fault};
use crate::postgres::wire::{ServerError, WireError};
use crate::source::change::Lsn;

#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    #[error("source: {0}")]
    Connect(#[from] ConnectError),
    #[error(
        "the replication slot {slot} is in use by PID {pid}; stop the other reader, or end its \
         session, on the source: SELECT pg_terminate_backend({pid})"
    )]
    SlotActive { slot: String, pid: u32 },
    /// The slot or the publication is not what it was.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    #[error("the source does not write a logical log; set `wal_level = logical` and restart it")]
    WalLevel,
    #[error(
        "the role {role} may not read the source's log ({message}); run on the source: \
         ALTER ROLE {role} REPLICATION"
    )]
    Permission { role: String, message: String },
    #[error("the connection to the source's log broke: {cause}")]
    Lost { cause: String },
    #[error(
        "column {column} of {table} {what} at {at}; correct the mapping or the publication, then run \
         `cartage check`"
    )]
    Schema {
        table: String,
        column: String,
        what: String,
        /// Where the transaction committed that has it so.
        at: Lsn,
    },
    #[error(
        "the table {table} is {now} at {at}; run on the source: ALTER TABLE {now} RENAME TO …, or \
         change the mapping"
    )]
    Renamed { table: String, now: String, at: Lsn },
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
    pub(super) fn of_start(error: WireError, slot: &str, role: &str) -> Self {
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
            "42704" => IdentityError::SlotMissing(slot).into(),
            "55000" if message.contains("wal_level") => Self::WalLevel,
            // "can no longer get changes from", "cannot read from logical replication slot"
            "55000" if message.contains(&slot) => lost_log(&slot, message),
            "58P01" => lost_log(&slot, message),
            "42501" => Self::Permission {
                role: role.to_owned(),
                message,
            },
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
            "42704" => IdentityError::PublicationMissing(publication.to_owned()).into(),
            // A file of the log is gone.
            "58P01" => lost_log(slot, error.message),
            _ => Self::Server(error),
        }
    }

    /// The walsender itself turns away a role that may not replicate.
    pub(super) fn of_connect(error: ConnectError, role: &str) -> Self {
        let denied = error.with_code("42501").map(|e| e.message.clone());
        match denied {
            Some(message) if error.fault() == Fault::Stop => Self::Permission {
                role: role.to_owned(),
                message,
            },
            _ => Self::Connect(error),
        }
    }

    fn lost(cause: &std::io::Error) -> Self {
        Self::Lost {
            cause: cause.to_string(),
        }
    }
}

fn lost_log(slot: &str, reason: String) -> SourceError {
    let slot = slot.to_owned();
    IdentityError::SlotLost { slot, reason }.into()
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
        let start = |code, message| SourceError::of_start(said(code, message), "cartage_7", "r");
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
            let lost = matches!(error, SourceError::Identity(IdentityError::SlotLost { .. }));
            assert!(lost, "{error}");
        }
        let error = start("42704", "Replikations-Slot »cartage_7« existiert nicht");
        let missing = matches!(error, SourceError::Identity(IdentityError::SlotMissing(_)));
        assert!(missing, "{error}");
        let error = start(
            "55000",
            "logische Dekodierung erfordert wal_level >= logical",
        );
        assert!(matches!(error, SourceError::WalLevel), "{error}");
        let gone = said("42704", "Publikation »cartage_7« existiert nicht");
        let error = SourceError::of_stream(gone, "cartage_7", "cartage_7");
        let missing = matches!(
            error,
            SourceError::Identity(IdentityError::PublicationMissing(_))
        );
        assert!(missing, "{error}");
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

//! What an error of Postgres means for the work at hand.

use std::error::Error;
use std::io;

use tokio_postgres::error::SqlState;

use super::wire::ServerError;
pub use crate::fault::Fault;

/// SQLSTATEs and classes (Postgres manual, appendix A), the exact ones before their class, with
/// a sentence for the operator. What is not listed stops.
const TABLE: &[(&str, Fault, &str)] = &[
    (
        "08P01",
        Fault::Stop,
        "The other end does not speak the Postgres protocol; is the address that of a pooler?",
    ),
    ("08", Fault::Retry, "The connection broke."),
    (
        "22",
        Fault::Row,
        "A value does not fit its column; correct the mapping or the row, then retry the cart.",
    ),
    (
        "23",
        Fault::Row,
        "A constraint of the table refuses the row; correct the mapping or the row, then retry the cart.",
    ),
    (
        "25006",
        Fault::Retry,
        "The database takes no writes: default_transaction_read_only is on, or it is a standby in failover.",
    ),
    (
        "28P01",
        Fault::Stop,
        "The password is wrong; correct the endpoint's password.",
    ),
    (
        "28",
        Fault::Stop,
        "The server does not let this user in; look at pg_hba.conf and the role.",
    ),
    (
        "3D000",
        Fault::Stop,
        "The database does not exist; correct the endpoint's URL.",
    ),
    ("40001", Fault::Retry, "Another transaction came first."),
    ("40P01", Fault::Retry, "A deadlock was broken."),
    (
        "40003",
        Fault::Retry,
        "The outcome of a statement is unknown.",
    ),
    (
        "42501",
        Fault::Stop,
        "The role lacks a privilege: cartage check names the GRANT; run it, then start again.",
    ),
    (
        "42",
        Fault::Stop,
        "A table or column is not as it was; compare the schema with the mapping, then start again.",
    ),
    (
        "44000",
        Fault::Row,
        "A view's check option refuses the row; correct the mapping or the row, then retry the cart.",
    ),
    (
        "53100",
        Fault::Retry,
        "That server's disk is full; free some space on it.",
    ),
    (
        "53200",
        Fault::Retry,
        "That server is out of memory; give it more, or fewer sessions.",
    ),
    (
        "53300",
        Fault::Retry,
        "That server has no connection left for us; end sessions that nobody needs, or raise the limit.",
    ),
    (
        "53",
        Fault::Retry,
        "That server has reached one of its limits; raise it.",
    ),
    ("55P03", Fault::Retry, "A lock was not free in time."),
    (
        "55006",
        Fault::Retry,
        "The object is in use by another session.",
    ),
    (
        "57014",
        Fault::Retry,
        "The statement was cancelled or timed out.",
    ),
    ("57P01", Fault::Retry, "The server ended the session."),
    ("57P02", Fault::Retry, "The server crashed and recovers."),
    (
        "57P03",
        Fault::Retry,
        "The server is starting, stopping or recovering.",
    ),
    ("57P04", Fault::Stop, "The database was dropped."),
    ("57P05", Fault::Retry, "The session idled for too long."),
    ("25P03", Fault::Retry, "The transaction idled for too long."),
    ("25P04", Fault::Retry, "The transaction took too long."),
];

const UNKNOWN: &str = "This error is not one that passes; look at the server's log.";
const BROKEN: &str = "The connection broke.";

/// What a SQLSTATE means, and what to tell the operator.
pub fn of_code(code: &str) -> (Fault, &'static str) {
    let exact = TABLE.iter().find(|(state, ..)| *state == code);
    let class = || {
        TABLE
            .iter()
            .find(|(state, ..)| state.len() == 2 && code.starts_with(state))
    };
    exact
        .or_else(class)
        .map_or((Fault::Stop, UNKNOWN), |(_, fault, advice)| {
            (*fault, advice)
        })
}

/// What an error of a client connection means.
pub fn of(error: &tokio_postgres::Error) -> Fault {
    explain(error).0
}

/// The same for any error, looking through its wrappers, with a sentence for the operator.
pub fn explain(error: &(dyn Error + 'static)) -> (Fault, &'static str) {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(error) = error.downcast_ref::<tokio_postgres::Error>() {
            if let Some(code) = error.code() {
                return of_code(code.code());
            }
            if error.is_closed() {
                return (Fault::Retry, BROKEN);
            }
        }
        if let Some(error) = error.downcast_ref::<ServerError>() {
            return of_code(&error.code);
        }
        if let Some(error) = error.downcast_ref::<io::Error>() {
            // A failed handshake is wrapped as an I/O error too; it does not pass.
            let passes = !matches!(
                error.kind(),
                io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput
            );
            return if passes {
                (Fault::Retry, BROKEN)
            } else {
                (Fault::Stop, UNKNOWN)
            };
        }
        next = error.source();
    }
    (Fault::Stop, UNKNOWN)
}

/// What went wrong and on which object. The server's own words are left out where they are about
/// values: its message may hold one.
pub fn describe(error: &tokio_postgres::Error) -> String {
    let Some(db) = error.as_db_error() else {
        return match error.source() {
            Some(cause) => format!("{error}: {cause}"),
            None => error.to_string(),
        };
    };
    let (fault, advice) = of_code(db.code().code());
    if fault != Fault::Row {
        let said = match db.hint() {
            Some(hint) => format!("{} ({hint})", db.message()),
            None => db.message().to_owned(),
        };
        if db.code() == &SqlState::INSUFFICIENT_PRIVILEGE {
            return format!("{said}. {advice}");
        }
        return with_advice(said, fault, advice);
    }
    let mut text = format!("SQLSTATE {}", db.code().code());
    for (kind, name) in [
        ("table", db.table()),
        ("column", db.column()),
        ("constraint", db.constraint()),
        ("type", db.datatype()),
    ] {
        if let Some(name) = name {
            text.push_str(&format!(", {kind} {name}"));
        }
    }
    format!("{text}: {advice}")
}

/// The same for a server's answer on the bare wire, which is never about a row.
pub fn tell(error: &ServerError) -> String {
    let (fault, advice) = of_code(&error.code);
    with_advice(error.to_string(), fault, advice)
}

/// The server says what it could not do, in its own language; what is waited for is said in ours.
fn with_advice(said: String, fault: Fault, advice: &str) -> String {
    match fault {
        Fault::Retry => format!("{said}: {}", advice.trim_end_matches('.')),
        Fault::Row | Fault::Stop => said,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("wrapped")]
    struct Wrapped(#[source] Box<dyn Error + Send + Sync>);

    #[test]
    fn each_sqlstate_has_its_owner() {
        for (fault, codes) in [
            (
                Fault::Retry,
                "08000 08003 08006 40001 40P01 53000 53100 53300 55P03 57P01 57P02 57P03 25006",
            ),
            (
                Fault::Row,
                "22001 22003 22P02 23502 23503 23505 23514 23P01",
            ),
            (
                Fault::Stop,
                "08P01 28000 28P01 3D000 42P01 42703 42501 0A000 XX000 55000 57P04 ????? 5 ",
            ),
        ] {
            for code in codes.split(' ') {
                assert_eq!(of_code(code).0, fault, "{code}");
            }
        }
    }

    #[test]
    fn wrappers_are_looked_through() {
        let inner = ServerError {
            code: "23505".into(),
            message: String::new(),
        };
        assert_eq!(explain(&Wrapped(Box::new(inner))).0, Fault::Row);
        let reset = io::Error::from(io::ErrorKind::ConnectionReset);
        assert_eq!(explain(&Wrapped(Box::new(reset))).0, Fault::Retry);
        assert_eq!(explain(&Wrapped("what?".into())).0, Fault::Stop);
    }
}
